/**
 * Is everything mounted as /etc/fstab says, and does it answer? What is not mounted is written to all the same, into the
 * folder beneath, until the disk of that folder is full; what is mounted otherwise fails later, and elsewhere.
 */
import { z } from 'zod'
import { defineDetector, type Host, type Judgement, NotApplicable } from './contract.ts'
import { askMount, isRemote, type MountAnswer, STAT } from './reading/answers.ts'
import { devicePath, FSTAB, type FstabEntry, followLinks, readFstab } from './reading/fstab.ts'
import { mountDifferences } from './reading/mount-differences.ts'
import { MOUNTINFO_TABLES, type MountInfo, readHostMountInfo, visibleMounts } from './reading/mountinfo.ts'
import { unescapeMount } from './reading/mounts.ts'

const SWAPS = '/proc/swaps'
const UDEV_LINKS = '/dev/disk'
/** Bound how long one look takes, and how many programs it starts. */
const ENTRIES_MAX = 128
const REMOTE_MAX = 16
/** `mount` of NFS waits 60 s for one answer (timeo=600, nfs(5)); a client that is well gets one within milliseconds. */
const ANSWER_MS = 3_000

/** An entry, and what is there instead of it or as it. */
interface WantedMount {
  readonly entry: FstabEntry
  readonly mounted: boolean
  /** What is otherwise than it is written, in words. */
  readonly differences: readonly string[]
}

type FstabReason =
  | 'MountMissing'
  | 'OptionalMountMissing'
  | 'MountDiffers'
  | 'MountHung'
  | 'MountFails'
  | 'SwapInactive'

export const fstab = defineDetector({
  name: 'fstab',
  summary: 'Whether everything is mounted as /etc/fstab says, and whether mounts with a server behind them answer.',
  every: '1m',
  timeout: '10s',
  needs: [],
  touches: {
    paths: [FSTAB, ...MOUNTINFO_TABLES, SWAPS, '/dev/**', '/sys/class/block/*/dev'],
    commands: [STAT],
  },
  options: z.strictObject({
    ignore: z
      .array(z.string().min(1))
      .default([])
      .describe('Mount points, and devices of swap, as they are written in /etc/fstab, that are left out.'),
    compare: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Further options, such as hard or vers=4.1, that are compared where an entry has them. Without being named only ro, rw and those of mount(8) for all filesystems are, for the kernel does not show all others.',
      ),
  }),
  reasons: {
    MountMissing: {
      severity: 'alarm',
      summary:
        'What /etc/fstab says is not mounted: programs do not find their files, or write into the folder beneath.',
      // Longer than a remount by hand, or the end of a boot.
      sustain: '1m',
      runbook: 'fstab',
    },
    OptionalMountMissing: {
      severity: 'warn',
      summary: 'What /etc/fstab says is not mounted, and marked nofail: the host boots without it.',
      sustain: '1m',
      runbook: 'fstab',
    },
    MountDiffers: {
      severity: 'warn',
      summary:
        'It is mounted otherwise than /etc/fstab says: another device, type or option, at the latest until the next boot.',
      sustain: '1m',
      runbook: 'fstab',
    },
    MountHung: {
      severity: 'alarm',
      summary: 'A mount does not answer: every program that touches it stands still and cannot be killed.',
      // Two looks: a server that restarts is back by the second.
      sustain: '1m',
      runbook: 'fstab',
    },
    MountFails: {
      severity: 'alarm',
      summary: 'A mount answers everything with an error, such as a stale handle: it must be mounted anew.',
      sustain: '1m',
      runbook: 'fstab',
    },
    SwapInactive: {
      severity: 'info',
      summary:
        'Swap of /etc/fstab is not in use; with the next boot it will be, and a kubelet may refuse to start then.',
      sustain: '1m',
      runbook: 'fstab',
    },
  },

  async sample(host, { ignore, compare }, signal) {
    signal.throwIfAborted()
    const mounts = await readHostMountInfo(host)
    const entries = (await bootEntries(host)).filter(
      ({ spec, mountPoint, type }) => !ignore.includes(type === 'swap' ? spec : mountPoint),
    )
    const visible = visibleMounts(mounts)
    const remote = [...visible.values()].filter(({ type }) => isRemote(type)).slice(0, REMOTE_MAX)
    if (entries.length === 0 && remote.length === 0) throw new NotApplicable(`${FSTAB} has no entry`)
    const wanted: WantedMount[] = []
    for (const entry of entries.filter(({ type }) => type !== 'swap')) {
      signal.throwIfAborted()
      wanted.push(await lookAt(host, entry, visible, compare))
    }
    const answers = await Promise.all(
      remote.map(async ({ mountPoint, type }) => ({
        mountPoint,
        type,
        answer: await askMount(host, mountPoint, ANSWER_MS, signal),
      })),
    )
    return { wanted, swapsOff: await inactiveSwaps(host, entries), answers }
  },

  judge({ wanted, swapsOff, answers }) {
    return [
      ...wanted.flatMap(judgeMount),
      ...answers.flatMap(judgeAnswer),
      ...swapsOff.map((spec) => ({
        reason: 'SwapInactive' as const,
        cause: spec,
        summary: `1 swap of ${FSTAB} is not in use: ${spec}`,
        evidence: [{ name: 'swaps in use', value: 0, limit: 1, unit: 'swaps' }],
      })),
    ]
  },
})

function judgeMount({ entry, mounted, differences }: WantedMount): readonly Judgement<FstabReason>[] {
  const { mountPoint, spec, type, options } = entry
  if (!mounted) {
    return [
      {
        reason: options.includes('nofail') ? 'OptionalMountMissing' : 'MountMissing',
        cause: mountPoint,
        summary: `${mountPoint} is not mounted; ${FSTAB} has 1 entry for it: ${spec} ${type} ${options.join(',')}`,
        evidence: [{ name: 'mounts', value: 0, limit: 1, unit: 'mounts' }],
      },
    ]
  }
  if (differences.length === 0) return []
  return [
    {
      reason: 'MountDiffers',
      cause: mountPoint,
      summary: `${mountPoint} is mounted otherwise than ${FSTAB} says, in ${differences.length} points: ${differences.join('; ')}`,
      evidence: differences.map((value) => ({ name: 'difference', value, limit: options.join(','), unit: '' })),
    },
  ]
}

interface Answered {
  readonly mountPoint: string
  readonly type: string
  readonly answer: MountAnswer
}

function judgeAnswer({ mountPoint, type, answer }: Answered): readonly Judgement<FstabReason>[] {
  if (answer === undefined || answer.kind === 'fine') return []
  if (answer.kind === 'hung') {
    return [
      {
        reason: 'MountHung',
        cause: mountPoint,
        summary: `${mountPoint} (${type}) does not answer within ${ANSWER_MS / 1_000} s`,
        evidence: [{ name: 'answers', value: 0, limit: 1, unit: 'answers' }],
      },
    ]
  }
  return [
    {
      reason: 'MountFails',
      cause: mountPoint,
      summary: `1 mount, ${mountPoint} (${type}), fails: ${answer.why}`,
      evidence: [{ name: 'error', value: answer.why, unit: '' }],
    },
  ]
}

/** Those that are meant to be mounted at boot, or by systemd at first use. */
async function bootEntries(host: Host): Promise<readonly FstabEntry[]> {
  return (await readFstab(host))
    .filter(({ type, mountPoint }) => type === 'swap' || mountPoint.startsWith('/'))
    .filter(({ options }) => !options.includes('noauto') || options.includes('x-systemd.automount'))
    .slice(0, ENTRIES_MAX)
}

async function lookAt(
  host: Host,
  entry: FstabEntry,
  visible: ReadonlyMap<string, MountInfo>,
  compare: readonly string[],
): Promise<WantedMount> {
  const mount = visible.get(entry.mountPoint)
  if (mount === undefined) return { entry, mounted: false, differences: [] }
  // What lies on it comes with the first use, which must not be ours.
  if (mount.type === 'autofs') return { entry, mounted: true, differences: [] }
  const path = devicePath(entry.spec)
  const device = path === undefined ? undefined : await deviceNumber(host, path)
  return { entry, mounted: true, differences: mountDifferences(entry, mount, { device, visible, compare }) }
}

/** `8:1` of a device; undefined when it cannot be seen from here, as in a container with a /dev of its own. */
async function deviceNumber(host: Host, path: string): Promise<string | undefined> {
  const device = await followLinks(host, path)
  if (device === undefined) return undefined
  // Names below /dev have a `!` in sysfs where they have a slash.
  const name = device.slice('/dev/'.length).replaceAll('/', '!')
  try {
    return (await host.readText(`/sys/class/block/${name}/dev`)).trim()
  } catch (error) {
    if (error instanceof NotApplicable) return undefined
    throw error
  }
}

/** Those of the entries that /proc/swaps does not name. */
async function inactiveSwaps(host: Host, entries: readonly FstabEntry[]): Promise<readonly string[]> {
  const specs = entries.filter(({ type }) => type === 'swap').map(({ spec }) => spec)
  if (specs.length === 0) return []
  const active = (await host.readText(SWAPS))
    .split('\n')
    .slice(1)
    .map((line) => unescapeMount(line.split(/\s/)[0] ?? ''))
    .filter((file) => file !== '')
  // In a container with a /dev of its own nobody knows which device a UUID is, and so whether it is among those in use.
  const knowsDevices = active.length === 0 || (await host.exists(UDEV_LINKS))
  const inactive: string[] = []
  for (const spec of specs) {
    const path = devicePath(spec)
    const file = path === undefined ? spec : await followLinks(host, path)
    if (file === undefined && !knowsDevices) continue
    if (!active.includes(file ?? spec)) inactive.push(spec)
  }
  return inactive
}
