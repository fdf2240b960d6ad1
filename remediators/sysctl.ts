/**
 * Sets kernel parameters to their wanted values, and lets a table of the kernel grow that is about to run full. Until the
 * next boot, or for good with `persist`. Reach `none`: writing a parameter stops and restarts nothing.
 */
import { z } from 'zod'
import { isSysctlKey, normaliseSysctl, sysctlPath } from '../common/sysctl.ts'
import { type Finding, type Host, NotApplicable } from '../detectors/contract.ts'
import { globMatcher } from '../detectors/host/guarded.ts'
import { applyChanges, revertChanges, type Values } from './changes.ts'
import { type Change, type Control, defineRemediator } from './contract.ts'
import { BOOT_FILE, BOOT_FOLDER, bootFileChange, NO_FILE, readBootFile, refuseOverruled } from './kernel/boot-file.ts'
import { ownerOf, refuseOwned } from './kernel/owners.ts'
import { ceilingOf, growth, keysOf, TABLE_NAMES, TABLES, type Table, type TableSeen, tableOf } from './kernel/tables.ts'
import { shellWord } from './shell.ts'

const MEMINFO = '/proc/meminfo'

/** Parameters of the network, of memory and of table sizes: reversible by writing the old value back. */
const SAFE_KEYS = ['net.core.*', 'net.ipv4.*', 'net.ipv6.*', 'vm.*', 'kernel.pid_max', 'net.netfilter.nf_conntrack_max']

/** Not all of /proc/sys: kernel.core_pattern, kernel.modprobe and fs.binfmt_misc name programs that the kernel runs as root. */
const WRITES = [
  'net/**',
  'vm/*',
  'fs/*',
  'fs/inotify/*',
  'kernel/keys/*',
  ...[
    'pid_max',
    'threads-max',
    'panic*',
    'sched_*',
    'numa_balancing',
    'hung_task_*',
    'watchdog*',
    'msg*',
    'sem',
    'shm*',
  ].map((name) => `kernel/${name}`),
].map((path) => `/proc/sys/${path}`)
const isWritable = globMatcher(WRITES)

const pattern = z
  .string()
  .regex(
    /^[\w@:-]+(?:[./][\w@:-]+)*(?:\.\*)?$/,
    'must be a kernel parameter, or the beginning of one with .* at the end',
  )
  .refine(
    (entry) => entry.endsWith('.*') || !isSysctlKey(entry) || isWritable(sysctlPath(entry)),
    'is a kernel parameter that is never set from here',
  )

const optionsSchema = z
  .strictObject({
    allow: z
      .array(pattern)
      .default(SAFE_KEYS)
      .describe('Kernel parameters that may be set to wanted values; with .* at the end, all below.'),
    allowOwned: z
      .boolean()
      .default(false)
      .describe('Whether also those may be set that the kubelet, or a kube-proxy that runs here, sets itself.'),
    grow: z
      .array(z.enum(TABLE_NAMES))
      .default([...TABLE_NAMES])
      .describe('Tables of the kernel that may be made twice as large when they run full.'),
    memoryRatio: z
      .number()
      .gt(0)
      .max(0.25)
      .default(0.1)
      .describe(
        'Share of memory that such a table may take when full; 0.1 is what the kernel itself gives open files.',
      ),
    ceilings: z
      .partialRecord(z.enum(TABLE_NAMES), z.int().min(1))
      .default({})
      .describe('Entries that a table may have at most, by table; never above what memory and the kernel allow.'),
    persist: z
      .boolean()
      .default(false)
      .describe(`Whether what is set is also written to ${BOOT_FILE}, which is read at boot.`),
  })
  .refine(
    ({ allow, allowOwned }) => allowOwned || !allow.some((key) => ownerOf(key)?.who === 'the kubelet'),
    'allow names a parameter that the kubelet sets itself (--protect-kernel-defaults): change it there, or set allowOwned',
  )

type Options = z.infer<typeof optionsSchema>

/** What `inspect` saw beside the finding; undefined when that says all. */
interface Seen {
  readonly table: TableSeen | undefined
  /** The text of the file that is read at boot; undefined when nothing is to be written there. */
  readonly bootFile: string | undefined
}

export const sysctl = defineRemediator<Options, Seen | undefined>({
  name: 'sysctl',
  summary: 'Sets kernel parameters to their wanted values, and lets tables of the kernel grow that run full.',
  handles: ['KernelParamDiffers', ...new Set(TABLES.flatMap(({ reasons }) => reasons))],
  reach: 'none',
  risk: 'low',
  reversible: true,
  touches: {
    paths: ['/proc/sys/**', MEMINFO, '/proc/*/cmdline', `${BOOT_FOLDER}/*`],
    writes: [...WRITES, BOOT_FILE],
  },
  options: optionsSchema,

  async inspect(host, finding, { allowOwned, persist }, signal) {
    signal.throwIfAborted()
    const table = tableOf(finding)
    const keys = table === undefined ? finding.evidence.map(({ name }) => name).filter(isSysctlKey) : keysOf(table)
    if (!allowOwned) await refuseOwned(host, keys)
    if (table === undefined && !persist) return undefined
    if (persist) await refuseOverruled(host, keys)
    return {
      table: table === undefined ? undefined : await seeTable(host, table, finding),
      bootFile: persist ? await readBootFile(host) : undefined,
    }
  },

  plan(finding, options, seen) {
    const table = tableOf(finding)
    const changes = table === undefined ? wantedChanges(finding, options) : growthChanges(table, options, seen?.table)
    if (changes.length === 0) return null
    return seen?.bootFile === undefined ? changes : [...changes, bootFileChange(seen.bootFile, changes)]
  },

  apply: (plan, control, signal) => applyChanges(plan, valuesOf(control), signal),
  revert: (plan, control, signal) => revertChanges(plan, valuesOf(control), signal),
})

/** The kernel-params detector writes one measure per parameter: its name, its value, and the value that would mend it. */
function wantedChanges(finding: Finding, { allow, allowOwned }: Options): readonly Change[] {
  if (finding.reason !== 'KernelParamDiffers') return []
  const changes = finding.evidence.flatMap(({ name, value, limit }): readonly Change[] => {
    const before = normaliseSysctl(String(value))
    const after = normaliseSysctl(String(limit ?? ''))
    if (!isSysctlKey(name) || after === '' || after === before) return []
    return [{ what: name, before, after, undo: `sysctl -w ${name}=${shellWord(before)}` }]
  })
  const maySet = ({ what }: Change) =>
    matchesAny(what, allow) && isWritable(sysctlPath(what)) && (allowOwned || ownerOf(what)?.who !== 'the kubelet')
  return changes.every(maySet) ? changes : []
}

function growthChanges(table: Table, options: Options, seen: TableSeen | undefined): readonly Change[] {
  if (seen === undefined || !options.grow.includes(table.name)) return []
  return growth(table, seen, ceilingOf(table, seen, options.memoryRatio, options.ceilings[table.name]))
}

/** Throws NotApplicable when its size is not the limit that `finding` says is reached: it has changed, or another one is less. */
async function seeTable(host: Host, table: Table, finding: Finding): Promise<TableSeen> {
  const values: Record<string, number> = {}
  for (const key of keysOf(table)) values[key] = await host.readInt(sysctlPath(key))
  const limit = finding.evidence[0]?.limit
  if (values[table.key] !== limit) {
    throw new NotApplicable(`${table.key} is ${values[table.key]}, and the limit that is reached is ${limit}`)
  }
  const memory = /^MemTotal:\s+(\d{1,15}) kB$/m.exec(await host.readText(MEMINFO))?.[1]
  if (memory === undefined) throw new Error(`${MEMINFO} does not say how much memory there is`)
  return { values, memoryBytes: Number(memory) * 1_024 }
}

function matchesAny(key: string, patterns: readonly string[]): boolean {
  return patterns.some((entry) => (entry.endsWith('.*') ? key.startsWith(entry.slice(0, -1)) : key === entry))
}

function valuesOf({ host, writeText, replaceFile }: Control): Values {
  return (what) =>
    what === BOOT_FILE
      ? { read: () => readBootFile(host), write: (text) => replaceFile(what, text === NO_FILE ? null : text) }
      : {
          read: async () => normaliseSysctl(await host.readText(sysctlPath(what))),
          write: (value) => writeText(sysctlPath(what), `${value}\n`),
        }
}
