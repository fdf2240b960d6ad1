/**
 * Is a disk read-only that should not be? After an error of the disk the kernel stops writing to a filesystem, as its
 * option errors=remount-ro says, and everything on it goes on with reading only: pods fail to start, logs end.
 */

import { z } from 'zod'
import { counted } from '../common/counted.ts'
import { defineDetector, type Host, type Judgement, NotApplicable } from './contract.ts'
import { FSTAB, type FstabEntry, readFstab } from './reading/fstab.ts'
import { MOUNTINFO_TABLES, type MountInfo, readMountInfo, visibleMounts } from './reading/mountinfo.ts'
import { isDiskType } from './reading/mounts.ts'

/** Bounds how long one look takes. */
const DISKS_MAX = 64

/** Filesystems that were writable when they were last seen to be, by mount point and device. */
const seenWritable = new WeakMap<Host, ReadonlySet<string>>()

interface Disk {
  readonly mountPoint: string
  readonly source: string
  /** Why it should be writable and is not; undefined where it is, or need not be. */
  readonly readOnly: string | undefined
  /** Of ext4: errors that it has counted, since it was made or last checked. */
  readonly errors: number | undefined
}

type Reason = 'ReadOnlyFilesystem' | 'FilesystemErrors' | 'FilesystemErrorsGrow'

export const readOnlyFs = defineDetector({
  name: 'read-only-fs',
  summary: 'Whether a local disk is read-only that should not be, and whether ext4 has counted errors.',
  importance: 'vital',
  every: '30s',
  timeout: '5s',
  needs: [],
  touches: { paths: [...MOUNTINFO_TABLES, FSTAB, '/sys/dev/block/*', '/sys/fs/ext4/*/errors_count'] },
  options: z.strictObject({
    ignore: z
      .array(z.string().startsWith('/', 'must be an absolute path'))
      .default([])
      .describe('Mount points that may be read-only, and count errors.'),
  }),
  reasons: {
    ReadOnlyFilesystem: {
      severity: 'alarm',
      summary: 'A filesystem that should be writable is read-only: pods on it fail, and new ones cannot start.',
      sustain: '0s',
      runbook: 'read-only-fs',
    },
    FilesystemErrors: {
      severity: 'warn',
      summary: 'A filesystem has counted errors since its last check: parts of it may be lost.',
      sustain: '0s',
      runbook: 'read-only-fs',
    },
    FilesystemErrorsGrow: {
      severity: 'alarm',
      summary: 'A filesystem counts more and more errors: its disk is failing, or it is damaged and still written to.',
      sustain: '0s',
      runbook: 'read-only-fs',
      supersedes: 'FilesystemErrors',
    },
  },

  async sample(host, { ignore }, signal) {
    signal.throwIfAborted()
    const entries = await readFstab(host)
    const mounts = disksOf(await readMountInfo(host)).filter(({ mountPoint }) => !ignore.includes(mountPoint))
    if (mounts.length === 0) throw new NotApplicable('no local disk filesystem of the host can be seen from here')
    const writableBefore = seenWritable.get(host)
    // One that is read-only now stays known as writable, for as long as it is mounted.
    const stillKnown = mounts.filter((mount) => isWritable(mount) || writableBefore?.has(keyOf(mount)))
    seenWritable.set(host, new Set(stillKnown.map(keyOf)))
    const disks: Disk[] = []
    for (const mount of mounts) {
      signal.throwIfAborted()
      disks.push({
        mountPoint: mount.mountPoint,
        source: mount.source,
        readOnly: whyNotWritable(mount, entries, writableBefore?.has(keyOf(mount)) === true),
        errors: await errorsOf(host, mount),
      })
    }
    return disks
  },

  judge(disks, _options, past) {
    return disks.flatMap((disk) => [...judgeWritable(disk), ...judgeErrors(disk, past)])
  },
})

/** One mount for each filesystem, the shortest; what pods bind from it, often read-only, is not a filesystem of its own. */
function disksOf(mounts: readonly MountInfo[]): readonly MountInfo[] {
  const byDevice = new Map<string, MountInfo>()
  for (const mount of visibleMounts(mounts).values()) {
    if (!isDiskType(mount.type)) continue
    const known = byDevice.get(mount.deviceNumber)
    if (known === undefined || mount.mountPoint.length < known.mountPoint.length) {
      byDevice.set(mount.deviceNumber, mount)
    }
  }
  return [...byDevice.values()].slice(0, DISKS_MAX)
}

const keyOf = ({ mountPoint, deviceNumber }: MountInfo) => `${mountPoint} ${deviceNumber}`

/** What kernels from 6.14 on (ext4_show_options) show in place of `ro` when they have stopped writing to ext4. */
const STOPPED = ['emergency_ro', 'shutdown']

function isWritable({ flags, superOptions }: MountInfo): boolean {
  return flags.includes('rw') && superOptions.includes('rw') && !STOPPED.some((word) => superOptions.includes(word))
}

function whyNotWritable(mount: MountInfo, entries: readonly FstabEntry[], wasWritable: boolean): string | undefined {
  if (isWritable(mount)) return undefined
  const stopped = STOPPED.find((word) => mount.superOptions.includes(word))
  if (stopped !== undefined) return `the kernel has stopped writing to it (${stopped})`
  // A remount by hand sets both; an error, only what the filesystem says of itself.
  if (mount.flags.includes('rw') && mount.root === '/')
    return 'mounted rw, and its filesystem has made itself read-only'
  const entry = entries.findLast(({ mountPoint }) => mountPoint === mount.mountPoint)
  const isMeant = entry?.options.includes('ro') === true
  if (entry !== undefined && !isMeant && !entry.options.includes('bind')) return `${FSTAB} does not say ro`
  return wasWritable && !isMeant ? 'it was writable before' : undefined
}

/** Undefined for other filesystems than ext4, and where the kernel does not say. */
async function errorsOf(host: Host, { type, deviceNumber }: MountInfo): Promise<number | undefined> {
  if (!type.startsWith('ext')) return undefined
  try {
    // Of a logical volume the mount table has another name than sysfs.
    const device = await host.readLink(`/sys/dev/block/${deviceNumber}`)
    return await host.readInt(`/sys/fs/ext4/${device.slice(device.lastIndexOf('/') + 1)}/errors_count`)
  } catch (error) {
    if (error instanceof NotApplicable) return undefined
    throw error
  }
}

function judgeWritable({ mountPoint, source, readOnly }: Disk): readonly Judgement<Reason>[] {
  if (readOnly === undefined) return []
  const summary = `1 filesystem, ${mountPoint} (${source}), cannot be written to: ${readOnly}`
  const evidence = [{ name: mountPoint, value: 'read-only', limit: 'writable', unit: '' }]
  return [{ reason: 'ReadOnlyFilesystem', cause: mountPoint, summary, evidence }]
}

function judgeErrors(disk: Disk, past: readonly (readonly Disk[])[]): readonly Judgement<Reason>[] {
  const { mountPoint, source, errors } = disk
  if (errors === undefined || errors <= 0) return []
  const oldest = past.at(-1)?.find((before) => before.mountPoint === mountPoint && before.source === source)?.errors
  const grown = oldest === undefined ? 0 : errors - oldest
  const evidence = [{ name: 'errors_count', value: errors, limit: 0, unit: 'errors' }]
  const judgement = {
    reason: 'FilesystemErrors' as const,
    cause: mountPoint,
    summary: `${mountPoint} (${source}) has counted ${counted(errors, 'error')} since its last check`,
    evidence,
  }
  if (grown <= 0) return [judgement]
  const summary = `${mountPoint} (${source}) has counted ${counted(errors, 'error')}, ${grown} of them in the last looks`
  return [judgement, { ...judgement, reason: 'FilesystemErrorsGrow', summary }]
}
