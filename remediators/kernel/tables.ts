/**
 * Tables of the kernel that have an upper bound, and how far each may grow. A full one is made twice as large, and never
 * beyond what it may take of the host's memory when it is full.
 */
import type { Finding } from '../../detectors/contract.ts'
import type { Change } from '../contract.ts'

export const TABLE_NAMES = ['conntrack', 'pids', 'files', 'inotify-instances', 'inotify-watches'] as const
export type TableName = (typeof TABLE_NAMES)[number]

export interface Table {
  readonly name: TableName
  /** The kernel parameter that is its size. */
  readonly key: string
  /** The measure by which its detector says how full it is, with the size as its limit. */
  readonly measure: string
  readonly reasons: readonly string[]
  /** Of memory that cannot be paged out, for each entry that is in use. */
  readonly bytesPerEntry: number
  /** What the kernel takes, or nobody needs more of. */
  readonly most: number
  /** A parameter that is to grow by the same factor, before the table does. */
  readonly buckets?: string
}

export const TABLES: readonly Table[] = [
  {
    name: 'conntrack',
    key: 'net.netfilter.nf_conntrack_max',
    buckets: 'net.netfilter.nf_conntrack_buckets',
    measure: 'nf_conntrack_count',
    reasons: ['ConntrackFilling', 'ConntrackAlmostFull'],
    // 320 of nf_conntrack in /proc/slabinfo (256 with fewer options), 128 for extensions such as NAT and counters, and 8 of a
    // bucket.
    bytesPerEntry: 456,
    // It is an unsigned int, and the sysctl an int.
    most: 2 ** 31 - 1,
  },
  {
    name: 'pids',
    key: 'kernel.pid_max',
    measure: 'processes and threads',
    reasons: ['PidsLow', 'PidsExhausted'],
    // A number takes nothing; the threads that take one have a limit of their own by memory, kernel.threads-max.
    bytesPerEntry: 0,
    // PID_MAX_LIMIT of include/linux/threads.h, on 64-bit machines.
    most: 2 ** 22,
  },
  {
    name: 'files',
    key: 'fs.file-max',
    measure: 'open files',
    reasons: ['FilesLow', 'FilesExhausted'],
    // "One file with associated inode and dcache is very roughly 1K": files_maxfiles_init of the kernel's fs/file_table.c.
    bytesPerEntry: 1_024,
    most: 2 ** 31 - 1,
  },
  {
    name: 'inotify-instances',
    key: 'fs.inotify.max_user_instances',
    measure: 'max_user_instances',
    reasons: ['InotifyFilling', 'InotifyExhausted'],
    // An open file, and what it has waiting.
    bytesPerEntry: 2_048,
    // 64 times the kernel's default of 128.
    most: 8_192,
  },
  {
    name: 'inotify-watches',
    key: 'fs.inotify.max_user_watches',
    measure: 'max_user_watches',
    reasons: ['InotifyFilling', 'InotifyExhausted'],
    // INOTIFY_WATCH_COST of the kernel's fs/notify/inotify: a mark and two inodes.
    bytesPerEntry: 1_280,
    // Up to which the kernel goes by itself on machines with much memory (inotify_user_setup).
    most: 2 ** 20,
  },
]

/** What its size is made of, as it was read just now. */
export interface TableSeen {
  readonly values: Readonly<Record<string, number>>
  readonly memoryBytes: number
}

/** The table that `finding` says is filling up; undefined for a finding of anything else, such as a limit of one process. */
export function tableOf({ reason, cause, evidence }: Finding): Table | undefined {
  return TABLES.find(({ name, reasons, measure }) => {
    // Those of inotify are of a user; an empty cause is the whole host.
    const isWhole = cause === '' || name.startsWith('inotify')
    return isWhole && reasons.includes(reason) && evidence[0]?.name === measure
  })
}

export function keysOf({ key, buckets }: Table): readonly string[] {
  return buckets === undefined ? [key] : [buckets, key]
}

/** How large `table` may become: the least of the setting, of memory, and of what the kernel takes. */
export function ceilingOf(table: Table, seen: TableSeen, memoryRatio: number, ceiling = table.most): number {
  const ofMemory = table.bytesPerEntry === 0 ? table.most : (seen.memoryBytes * memoryRatio) / table.bytesPerEntry
  return Math.floor(Math.min(table.most, ceiling, ofMemory))
}

/** None when it is as large as it may be: it is never made smaller. */
export function growth(table: Table, seen: TableSeen, ceiling: number): readonly Change[] {
  const size = seen.values[table.key] ?? 0
  const to = Math.min(size * 2, ceiling)
  if (!(size > 0 && to > size)) return []
  const buckets = table.buckets === undefined ? undefined : seen.values[table.buckets]
  const more = buckets === undefined ? 0 : wholePages((buckets * to) / size, buckets)
  return [
    ...(table.buckets !== undefined && buckets !== undefined && more > buckets
      ? [numberChange(table.buckets, buckets, more)]
      : []),
    numberChange(table.key, size, to),
  ]
}

function numberChange(what: string, before: number, after: number): Change {
  return { what, before: String(before), after: String(after), undo: `sysctl -w ${what}=${before}` }
}

/** The kernel rounds buckets, of 8 bytes each, up to whole pages of 4 KiB or of 64 KiB, as `buckets` shows. */
function wholePages(wanted: number, buckets: number): number {
  const inPage = buckets % 8_192 === 0 ? 8_192 : 512
  return Math.ceil(wanted / inPage) * inPage
}
