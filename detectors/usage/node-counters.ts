/** What the node as a whole has used since it started, from /proc. */
import type { Host } from '../contract.ts'

/** The form that rates are made of. Memory is no counter: it is what is held now. */
export interface Counters {
  cpuMs?: number
  memory?: number
  /** Of memory, bytes. It is no counter either. */
  limit?: number
  read?: number
  written?: number
  received?: number
  sent?: number
}

/** USER_HZ, which every Linux that Node runs on has at 100: the unit of /proc/stat is 10 ms. */
const TICK_MS = 10
/** Of /proc/diskstats, whatever the disk's own sectors are. */
const SECTOR_BYTES = 512
/** Made of other disks, or of memory: what is read of them is counted there. */
const NOT_DISKS = /^(?:loop|ram|zram|dm-|md|sr|nbd)/
/** Made by container networks: what goes through them goes through the node's own interfaces, or stays on the node. */
const NOT_OURS = /^(?:lo|veth|cali|cni|docker|br-|flannel|cilium|lxc|kube-|nodelocaldns|virbr|dummy|vxlan|geneve|tunl)/

export async function nodeCounters(host: Host): Promise<Counters> {
  const memory = await host.readText('/proc/meminfo')
  const kibi = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(memory)?.[1])
  return {
    cpuMs: processorUse(await host.readText('/proc/stat')).busyMs,
    memory: (kibi('MemTotal') - kibi('MemAvailable')) * 1024,
    ...(await diskCounters(host)),
    ...networkCounters(await host.readText('/proc/1/net/dev'), (name) => !NOT_OURS.test(name)),
  }
}

/** Of /proc/stat: what all processors together have worked since the host started, and how many there are. */
export function processorUse(stat: string): { readonly busyMs: number; readonly processors: number } {
  const ticks = /^cpu +(.*)$/m.exec(stat)?.[1]?.split(' ').map(Number) ?? []
  // user, nice, system, idle, iowait, irq, softirq, steal; what guests use is in user already.
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = ticks
  const busyMs = (user + nice + system + irq + softirq + steal) * TICK_MS
  return { busyMs, processors: stat.match(/^cpu\d/gm)?.length ?? 0 }
}

async function diskCounters(host: Host): Promise<Counters> {
  const disks = new Set((await host.list('/sys/block')).filter((name) => !NOT_DISKS.test(name)))
  const rows = (await host.readText('/proc/diskstats')).split('\n').map((line) => line.trim().split(/\s+/))
  const own = rows.filter(([, , name = '']) => disks.has(name))
  return { read: sum(own, 5) * SECTOR_BYTES, written: sum(own, 9) * SECTOR_BYTES }
}

/** Of the text of /proc/PID/net/dev. */
export function networkCounters(text: string, counts = (name: string) => name !== 'lo'): Counters {
  const rows = interfacesOf(text).filter(([name = '']) => counts(name))
  return { received: sum(rows, 1), sent: sum(rows, 9) }
}

export function interfacesOf(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n').filter((line) => line.includes(':'))
  return lines.map((line) => line.replace(':', ' ').trim().split(/\s+/))
}

const sum = (rows: readonly (readonly string[])[], column: number) =>
  rows.reduce((total, row) => total + (Number(row[column]) || 0), 0)
