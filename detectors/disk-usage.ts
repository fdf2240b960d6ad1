/**
 * Is a disk filling up, in bytes or in inodes? The kubelet looks at the same figures: it deletes unused images from 85 %
 * of the image filesystem on, and evicts pods under 10 % of free bytes or 5 % of free inodes (its documented defaults
 * imageGCHighThresholdPercent, nodefs.available, nodefs.inodesFree). The default thresholds warn before and alarm there.
 */
import { z } from 'zod'
import { defineDetector, type FilesystemUse, type Host, type Judgement, NotApplicable } from './contract.ts'
import { askMount, isRemote, STAT } from './reading/answers.ts'
import { failureCode } from './reading/failure.ts'
import { IN_ORDER, inOrder, percent, type Ratios, ratio, reached } from './reading/levels.ts'
import { isIgnored, MOUNT_TABLES, OF_PODS, readMounts } from './reading/local-disks.ts'
import { distinctMounts, isLocalDisk, type Mount } from './reading/mounts.ts'
import { withheld } from './reading/privilege.ts'

/** Bounds how long one look takes; a host with more local disks than that lists those that matter in `include`. */
const MOUNTS_MAX = 64

/** How long a server behind a named mount is waited for; that it hangs is for the detector fstab to say. */
const ANSWER_MS = 2_000

const thresholds = (warnRatio: number, alarmRatio: number) =>
  z
    .strictObject({ warnRatio: ratio.default(warnRatio), alarmRatio: ratio.default(alarmRatio) })
    .refine(inOrder, IN_ORDER)

const ofBytes = thresholds(0.85, 0.9)
const ofInodes = thresholds(0.9, 0.95)

const mountPoint = z.string().startsWith('/', 'must be an absolute path')

type DiskReason = 'DiskSpaceLow' | 'DiskAlmostFull' | 'InodesLow' | 'InodesAlmostGone' | 'WantedMountMissing'

interface MountUse {
  readonly mountPoint: string
  readonly use: FilesystemUse
}

export const diskUsage = defineDetector({
  name: 'disk-usage',
  summary: 'How full the local disk filesystems are, in bytes and in inodes.',
  every: '1m',
  timeout: '10s',
  needs: [],
  touches: { paths: MOUNT_TABLES, filesystems: ['/**'], commands: [STAT] },
  options: z.strictObject({
    bytes: ofBytes.prefault({}).describe('Shares of the usable bytes in use from which it is a warning, an alarm.'),
    inodes: ofInodes.prefault({}).describe('Shares of the inodes in use from which it is a warning, an alarm.'),
    include: z.array(mountPoint).default([]).describe('Mount points to look at; empty: those of all local disks.'),
    ignore: z
      .array(mountPoint)
      .default(OF_PODS)
      .describe('Mount points to leave out; with /* at the end, all below. Replaces the default, the volumes of pods.'),
    mounts: z
      .record(mountPoint, z.strictObject({ bytes: ofBytes.exactOptional(), inodes: ofInodes.exactOptional() }))
      .default({})
      .describe(
        'Thresholds of single mount points in place of bytes and inodes, as {"/export": {"bytes": {"warnRatio": 0.95, "alarmRatio": 0.98}}}. Those named here are looked at whatever is mounted there, also when a server stands behind it.',
      ),
    wanted: z
      .array(mountPoint)
      .default([])
      .describe(
        'Mount points where something must be mounted; nothing there is a finding, and they are looked at as those in mounts.',
      ),
  }),
  reasons: {
    DiskSpaceLow: {
      severity: 'warn',
      summary: 'A filesystem is filling up; soon images are deleted and pods evicted.',
      sustain: '1m',
      runbook: 'disk-usage',
    },
    DiskAlmostFull: {
      severity: 'alarm',
      summary: 'A filesystem is almost full: the kubelet evicts pods, and writes are about to fail.',
      sustain: '0s',
      runbook: 'disk-usage',
      supersedes: 'DiskSpaceLow',
    },
    InodesLow: {
      severity: 'warn',
      summary: 'A filesystem is running out of inodes: soon no file can be created, however much space is left.',
      sustain: '1m',
      runbook: 'disk-usage',
    },
    InodesAlmostGone: {
      severity: 'alarm',
      summary: 'A filesystem has almost no inodes left: creating files is about to fail, with space still free.',
      sustain: '0s',
      runbook: 'disk-usage',
      supersedes: 'InodesLow',
    },
    WantedMountMissing: {
      severity: 'alarm',
      summary: 'Nothing is mounted where something must be: what is written there fills the filesystem beneath.',
      sustain: '1m',
      runbook: 'disk-usage',
    },
  },

  async sample(host, { include, ignore, mounts, wanted }, signal) {
    signal.throwIfAborted()
    const table = await readMounts(host)
    const visible = new Map(table.mounts.map((mount) => [mount.mountPoint, mount]))
    const missing = wanted.filter((point) => !visible.has(point))
    if (missing.length > 0 && !table.isOfHost) throw new Error('the mounts of the host cannot be seen from here')
    const named = [...new Set([...Object.keys(mounts), ...wanted])]
    const disks = table.mounts.filter(isLocalDisk)
    const chosen = include.length === 0 ? disks : disks.filter((mount) => include.includes(mount.mountPoint))
    const points = distinctMounts(chosen).map((mount) => mount.mountPoint)
    const looked = [...new Set([...points.filter((point) => !isIgnored(point, ignore)), ...named])]
    const uses: MountUse[] = []
    let unseen: unknown
    for (const mount of looked.flatMap((point) => visible.get(point) ?? []).slice(0, MOUNTS_MAX)) {
      signal.throwIfAborted()
      const { mountPoint } = mount
      const use = await useOf(host, mount, signal).catch(async (error: unknown) => {
        // Below a folder of another user, as the volumes of pods are for an agent without rights, not even the size can be asked.
        if (failureCode(error) !== 'EACCES') throw error
        const why = await withheld(host, `look at ${mountPoint}`, error)
        // One that a person named is not passed over.
        if (named.includes(mountPoint) || include.includes(mountPoint)) throw why
        unseen ??= why
        return undefined
      })
      if (use !== undefined) uses.push({ mountPoint, use })
    }
    if (uses.length === 0 && unseen !== undefined) throw unseen
    if (uses.length === 0 && wanted.length === 0) {
      throw new NotApplicable('no local disk filesystem of the host can be seen from here')
    }
    return { uses, missing }
  },

  judge({ uses, missing }, { bytes, inodes, mounts }) {
    return [
      ...missing.map(judgeMissing),
      ...uses.flatMap(({ mountPoint, use }) => [
        ...judgeBytes(mountPoint, use, mounts[mountPoint]?.bytes ?? bytes),
        ...judgeInodes(mountPoint, use, mounts[mountPoint]?.inodes ?? inodes),
      ]),
    ]
  },
})

function judgeMissing(mountPoint: string): Judgement<DiskReason> {
  return {
    reason: 'WantedMountMissing',
    cause: mountPoint,
    summary: `${mountPoint} must be mounted, and 0 filesystems are mounted there`,
    evidence: [{ name: 'mounts', value: 0, limit: 1, unit: 'mounts' }],
  }
}

function judgeBytes(mountPoint: string, use: FilesystemUse, ratios: Ratios): readonly Judgement<DiskReason>[] {
  // As df(1) counts: blocks reserved for root are neither used nor usable.
  const usable = use.bytesUsed + use.bytesAvailable
  if (usable <= 0) return []
  const share = use.bytesUsed / usable
  const summary = `${mountPoint} is ${percent(share)} full, ${mebibytes(use.bytesAvailable)} MiB are left`
  const evidence = [{ name: 'bytes used', value: use.bytesUsed, limit: usable, unit: 'bytes' }]
  return reached(share, ratios, 'DiskSpaceLow', 'DiskAlmostFull').map((reason) => ({
    reason,
    cause: mountPoint,
    summary,
    evidence,
  }))
}

function judgeInodes(mountPoint: string, use: FilesystemUse, ratios: Ratios): readonly Judgement<DiskReason>[] {
  // btrfs and others make inodes as they need them, and say 0.
  if (use.inodes <= 0) return []
  const used = use.inodes - use.inodesFree
  const share = used / use.inodes
  const summary = `${mountPoint} has used ${percent(share)} of its inodes, ${use.inodesFree} are left`
  const evidence = [{ name: 'inodes used', value: used, limit: use.inodes, unit: 'inodes' }]
  return reached(share, ratios, 'InodesLow', 'InodesAlmostGone').map((reason) => ({
    reason,
    cause: mountPoint,
    summary,
    evidence,
  }))
}

/** Undefined when it cannot be seen where the agent runs, though it is in the host's table, or when a server is silent. */
async function useOf(host: Host, { mountPoint, type }: Mount, signal: AbortSignal): Promise<FilesystemUse | undefined> {
  if (isRemote(type)) {
    const answer = await askMount(host, mountPoint, ANSWER_MS, signal)
    return answer?.kind === 'fine' ? answer.use : undefined
  }
  try {
    return await host.filesystem(mountPoint)
  } catch (error) {
    if (error instanceof NotApplicable) return undefined
    throw error
  }
}

const mebibytes = (bytes: number) => Math.floor(bytes / (1024 * 1024))
