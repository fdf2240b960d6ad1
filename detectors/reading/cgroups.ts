/**
 * The kernel's own figures of control groups, from cgroupfs: v2 (cgroup-v2.rst) and v1 (cgroup-v1/memory.rst). With both
 * mounted, as `hybrid` of systemd, the controllers are v1's.
 */
import { type Host, NotApplicable } from '../contract.ts'
import { failureCode } from './failure.ts'

const ROOT = '/sys/fs/cgroup'

/** Folders of cgroupfs, each of which has the same groups below it. In v2 they are one. */
export interface CgroupTree {
  readonly version: 1 | 2
  readonly memory: string
  readonly cpu: string
  readonly io: string
}

export interface CgroupMemory {
  /** Without the pages of files that were not used lately, as the kubelet counts: those go before anything is killed. */
  readonly workingSetBytes: number
  /** All of it, as cadvisor's container_memory_usage_bytes. */
  readonly bytes: number
  /** The least limit of it and of those that it is in; undefined when there is none. */
  readonly limitBytes: number | undefined
}

/** Throws NotApplicable where there is no cgroupfs with memory in it. */
export async function cgroupTree(host: Host): Promise<CgroupTree> {
  if (await host.exists(`${ROOT}/cgroup.controllers`)) return { version: 2, memory: ROOT, cpu: ROOT, io: ROOT }
  const folders = await host.list(ROOT)
  if (!folders.includes('memory')) throw new NotApplicable('this host has no control groups of memory')
  const cpu = ['cpuacct', 'cpu,cpuacct', 'cpuacct,cpu'].find((name) => folders.includes(name)) ?? 'cpuacct'
  return { version: 1, memory: `${ROOT}/memory`, cpu: `${ROOT}/${cpu}`, io: `${ROOT}/blkio` }
}

/** The group of memory that a process is in, `/` for the root; undefined when it has ended. */
export async function cgroupOf(host: Host, tree: CgroupTree, id: string): Promise<string | undefined> {
  const path = `/proc/${id}/cgroup`
  const text = await textIfThere(host, path)
  if (text === undefined) return undefined
  const fields = text.split('\n').map((line) => /^(\d+):([^:]*):(\/.*)$/.exec(line))
  const own = fields.find((found) =>
    tree.version === 2 ? found?.[1] === '0' : found?.[2]?.split(',').includes('memory') === true,
  )?.[3]
  if (own === undefined) throw new Error(`${path} names no control group of memory`)
  if (own.startsWith('/..')) throw new Error(`${path} is seen from another cgroup namespace: ${own.slice(0, 100)}`)
  return own
}

/** Throws NotApplicable when there is no such group, an Error when a figure is not of the kernel's form. */
export async function cgroupMemory(host: Host, tree: CgroupTree, group: string): Promise<CgroupMemory> {
  const { stat, ...held } = await cgroupMemoryUse(host, tree, group)
  const limitBytes =
    tree.version === 2 ? await leastLimit(host, group) : finiteLimit(stat.get('hierarchical_memory_limit'))
  return { ...held, limitBytes }
}

/** What it holds, whatever its limit. Throws as cgroupMemory. */
export async function cgroupMemoryUse(host: Host, tree: CgroupTree, group: string) {
  const folder = tree.memory + (group === '/' ? '' : group)
  const [usage, inactive] =
    tree.version === 2 ? ['memory.current', 'inactive_file'] : ['memory.usage_in_bytes', 'total_inactive_file']
  const bytes = await figureIn(host, `${folder}/${usage}`)
  const stat = keyedFigures(await host.readText(`${folder}/memory.stat`))
  const cached = stat.get(inactive)
  if (cached === undefined) throw new Error(`${folder}/memory.stat has no ${inactive}`)
  return { bytes, workingSetBytes: Math.max(0, bytes - cached), stat }
}

/**
 * The limit of a container's group: its own, or else its pod's. Those above hold for all pods together, and looking there for
 * each container would cost more than all else that is read of it. `stat`: its memory.stat.
 */
export async function containerMemoryLimit(
  host: Host,
  tree: CgroupTree,
  group: string,
  stat: ReadonlyMap<string, number>,
): Promise<number | undefined> {
  if (tree.version === 1) return finiteLimit(stat.get('hierarchical_memory_limit'))
  for (const folder of [group, group.slice(0, group.lastIndexOf('/'))]) {
    const limit = await textIfThere(host, `${tree.memory}${folder}/memory.max`)
    if (limit !== undefined && limit.trim() !== 'max') return wholeFigure(`${folder}/memory.max`, limit.trim())
  }
  return undefined
}

/** What a group and those in it have used of the processors since it was made. Throws as cgroupMemory. */
export async function cgroupCpuSeconds(host: Host, tree: CgroupTree, group: string): Promise<number> {
  const folder = tree.cpu + (group === '/' ? '' : group)
  if (tree.version === 1) return (await figureIn(host, `${folder}/cpuacct.usage`)) / 1e9
  const used = keyedFigures(await host.readText(`${folder}/cpu.stat`)).get('usage_usec')
  if (used === undefined) throw new Error(`${folder}/cpu.stat has no usage_usec`)
  return used / 1e6
}

/** The lines of such as memory.stat and cpu.stat: a word and a whole number. Others are passed over. */
export function keyedFigures(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').map((line) => /^(\S+) (\d+)$/.exec(line))
  return new Map(lines.flatMap((found) => (found === null ? [] : [[found[1] ?? '', Number(found[2])] as const])))
}

/** The content of a file that may go away at any time; undefined when it has. */
export async function textIfThere(host: Host, path: string): Promise<string | undefined> {
  try {
    return await host.readText(path)
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

/** ENODEV: the group was removed, ESRCH: the process ended, after the file was opened. */
export function isGone(error: unknown): boolean {
  const code = failureCode(error)
  return error instanceof NotApplicable || code === 'ENODEV' || code === 'ESRCH'
}

/** v2 does not tell what holds for a group: those above it may have a smaller limit. */
async function leastLimit(host: Host, group: string): Promise<number | undefined> {
  const names = group.split('/').filter(Boolean)
  const limits: number[] = []
  for (const depth of names.keys()) {
    const folder = `${ROOT}/${names.slice(0, depth + 1).join('/')}`
    const text = (await host.readText(`${folder}/memory.max`)).trim()
    if (text !== 'max') limits.push(wholeFigure(`${folder}/memory.max`, text))
  }
  return limits.length === 0 ? undefined : Math.min(...limits)
}

/** v1 says "no limit" with the largest number of pages that a counter holds, about 2^63 bytes. */
function finiteLimit(bytes: number | undefined): number | undefined {
  return bytes === undefined || bytes >= 2 ** 62 ? undefined : bytes
}

async function figureIn(host: Host, path: string): Promise<number> {
  return wholeFigure(path, (await host.readText(path)).trim())
}

/** Not Host.readInt: counters of nanoseconds, and limits, are larger than what is exact in a number. */
function wholeFigure(path: string, text: string): number {
  if (!/^\d{1,20}$/.test(text))
    throw new Error(`${path} holds ${JSON.stringify(text.slice(0, 40))}, which is no figure`)
  return Number(text)
}
