/** The measures of this host as they are now, each from the kernel's own tables. What cannot be read is not among them. */

import type { Host } from '../../detectors/contract.ts'
import { isIgnored, OF_PODS, readMounts } from '../../detectors/reading/local-disks.ts'
import { MEMINFO, parseMeminfo } from '../../detectors/reading/meminfo.ts'
import { distinctMounts, isLocalDisk } from '../../detectors/reading/mounts.ts'
import { physicalNics } from '../../detectors/reading/nics.ts'
import { readPressure } from '../../detectors/reading/pressure.ts'
import { networkCounters, processorUse } from '../../detectors/usage/node-counters.ts'
import { largest } from '../../inspection/measure-words.ts'
import type { MeasureName, Measures } from '../../inspection/measures.ts'

const CONNTRACK = '/proc/sys/net/netfilter/nf_conntrack'

/** What changes slowly, and costs a call for each file system and each interface, is read once a minute. */
const SLOW_EVERY_MS = 60_000
/** A disk that does not answer within this is not waited for. */
const DISK_MS_MAX = 5_000
/** As the detector disk-usage. */
const MOUNTS_MAX = 64

interface Counters {
  readonly atMs: number
  readonly busyMs?: number | undefined
  readonly received?: number | undefined
  readonly sent?: number | undefined
}

interface Slow {
  readonly disk: number | undefined
  readonly inodes: number | undefined
}

const UNKNOWN: Slow = { disk: undefined, inodes: undefined }

export class HostMeasures {
  readonly #host: Host
  readonly #diskMsMax: number
  #before: Counters | undefined
  #slowAtMs = Number.NEGATIVE_INFINITY
  #disks = UNKNOWN
  #isAskingDisks = false
  #nics: readonly string[] = []
  #processors = 0
  #memoryBytes = 0

  /** `diskMsMax`: how long disks are waited for. */
  constructor(host: Host, diskMsMax = DISK_MS_MAX) {
    this.#host = host
    this.#diskMsMax = diskMsMax
  }

  /** Of the last reading; 0 before the first. */
  get size(): { readonly processors: number; readonly memoryBytes: number } {
    return { processors: this.#processors, memoryBytes: this.#memoryBytes }
  }

  /** `nowMs` is monotonic. The first time there is none of those that are made of differences. Never throws. */
  async read(nowMs: () => number): Promise<Measures> {
    const host = this.#host
    if (nowMs() - this.#slowAtMs >= SLOW_EVERY_MS) await this.#readSlow(nowMs())
    const stat = await orNothing(async () => processorUse(await host.readText('/proc/stat')))
    const network = await orNothing(() => this.#network())
    const now: Counters = { atMs: nowMs(), busyMs: stat?.busyMs, received: network?.received, sent: network?.sent }
    const before = this.#before
    this.#before = now
    this.#processors = stat?.processors ?? 0
    const { processors } = this.size
    const memory = await orNothing(async () => parseMeminfo(await host.readText(MEMINFO)))
    this.#memoryBytes = (memory?.usableKb ?? 0) * 1024
    const load = await orNothing(async () => Number(/^\d+\.\d\d(?= )/.exec(await host.readText('/proc/loadavg'))?.[0]))
    const busy = rate(now, before, 'busyMs')
    return sound({
      cpu: busy === undefined || processors === 0 ? undefined : share(busy / 1_000, processors),
      memory: memory && share(memory.usableKb - memory.availableKb, memory.usableKb),
      swap: memory && share(memory.swapKb - memory.swapFreeKb, memory.swapKb),
      load: load === undefined || processors === 0 ? undefined : load / processors,
      'pressure-cpu': await orNothing(() => readPressure(host, 'cpu', 'some', 'avg60')),
      'pressure-memory': await orNothing(() => readPressure(host, 'memory', 'some', 'avg60')),
      'pressure-io': await orNothing(() => readPressure(host, 'io', 'some', 'avg60')),
      ...this.#disks,
      'network-in': rate(now, before, 'received'),
      'network-out': rate(now, before, 'sent'),
      conntrack: await orNothing(async () =>
        // A maximum of 0 is none.
        share(await host.readInt(`${CONNTRACK}_count`), await host.readInt(`${CONNTRACK}_max`)),
      ),
    })
  }

  async #readSlow(nowMs: number): Promise<void> {
    this.#slowAtMs = nowMs
    this.#nics = (await orNothing(() => physicalNics(this.#host))) ?? []
    this.#disks = UNKNOWN
    // One that hangs holds a thread of the agent: it is not asked again before it has answered.
    if (this.#isAskingDisks) return
    this.#isAskingDisks = true
    const asked = fullestDisks(this.#host).finally(() => {
      this.#isAskingDisks = false
    })
    const patience = AbortSignal.timeout(this.#diskMsMax)
    const tooLong = new Promise<Slow>((resolve) => patience.addEventListener('abort', () => resolve(UNKNOWN)))
    this.#disks = await Promise.race([asked, tooLong])
  }

  /** Of the interfaces with a device behind them; undefined where there are none, as in a network namespace of its own. */
  async #network() {
    const nics = new Set(this.#nics)
    return nics.size === 0
      ? undefined
      : networkCounters(await this.#host.readText('/proc/1/net/dev'), (name) => nics.has(name))
  }
}

async function fullestDisks(host: Host): Promise<Slow> {
  const table = await orNothing(() => readMounts(host))
  const disks = distinctMounts((table?.mounts ?? []).filter(isLocalDisk))
    .filter(({ mountPoint }) => !isIgnored(mountPoint, OF_PODS))
    .slice(0, MOUNTS_MAX)
  const shares: Slow[] = []
  for (const { mountPoint } of disks) {
    const use = await orNothing(() => host.filesystem(mountPoint))
    if (use === undefined) continue
    // As df(1) counts: blocks reserved for root are neither used nor usable.
    const disk = share(use.bytesUsed, use.bytesUsed + use.bytesAvailable)
    shares.push({ disk, inodes: share(use.inodes - use.inodesFree, use.inodes) })
  }
  return { disk: most(shares.map(({ disk }) => disk)), inodes: most(shares.map(({ inodes }) => inodes)) }
}

function most(shares: readonly (number | undefined)[]): number | undefined {
  const known = shares.filter((one) => one !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}

/** In percent; undefined of nothing. */
function share(part: number, whole: number): number | undefined {
  return whole > 0 ? Math.min(100, (100 * part) / whole) : undefined
}

/** A second; undefined of a counter that went back, since it was set to zero. */
function rate(now: Counters, before: Counters | undefined, key: Exclude<keyof Counters, 'atMs'>): number | undefined {
  const [last, next] = [before?.[key], now[key]]
  const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1_000
  return last === undefined || next === undefined || next < last || seconds <= 0 ? undefined : (next - last) / seconds
}

/** Without what no host can have: a table that is not of its form is no figure. */
function sound(figures: Readonly<Record<MeasureName, number | undefined>>): Measures {
  const known = Object.entries(figures).filter(
    ([name, value]) => value !== undefined && value >= 0 && value <= largest(name as MeasureName),
  )
  return Object.fromEntries(known)
}

async function orNothing<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch {
    return undefined
  }
}
