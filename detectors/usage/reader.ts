/** One minute's figures of the node, its services and its containers: the kernel's counters now against those before. */
import { messageOf } from '../../common/errors.ts'
import { type Host, NotApplicable } from '../contract.ts'
import {
  type CgroupTree,
  cgroupCpuSeconds,
  cgroupMemoryUse,
  cgroupTree,
  containerMemoryLimit,
  textIfThere,
} from '../reading/cgroups.ts'
import type { Seen } from './figures.ts'
import { type Counters, interfacesOf, networkCounters, nodeCounters } from './node-counters.ts'
import { NODE, type SubjectGroup, subjectGroups } from './subjects.ts'

/** More than the ring has places for are not looked at. */
const GROUPS_MAX = 600

interface Before {
  readonly atMs: number
  readonly counters: Counters
}

export interface Minute {
  readonly figures: ReadonlyMap<string, Seen>
  /** Why some could not be read, the first of the reasons. */
  readonly failed: string | undefined
}

export class UsageReader {
  readonly #host: Host
  #before: ReadonlyMap<string, Before> = new Map()

  constructor(host: Host) {
    this.#host = host
  }

  /** `nowMs` is monotonic. The first time there are no rates yet. Never throws but for `signal`. */
  async read(nowMs: () => number, signal: AbortSignal): Promise<Minute> {
    const now = new Map<string, Before>()
    const figures = new Map<string, Seen>()
    let failed: string | undefined
    const take = async (name: string, read: () => Promise<Counters>) => {
      signal.throwIfAborted()
      try {
        const seen = { counters: await read(), atMs: nowMs() }
        now.set(name, seen)
        figures.set(name, figuresOf(seen, this.#before.get(name)))
      } catch (error) {
        // A container that ended meanwhile is no failure.
        if (!(error instanceof NotApplicable)) failed ??= `${name}: ${messageOf(error)}`
      }
    }
    await take(NODE, () => nodeCounters(this.#host))
    try {
      const tree = await cgroupTree(this.#host)
      const hostNetwork = (await textIfThere(this.#host, '/proc/1/net/dev')) ?? ''
      for (const subject of (await subjectGroups(this.#host, tree)).slice(0, GROUPS_MAX))
        await take(subject.name, () => this.#countersOf(tree, subject, hostNetwork))
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof NotApplicable)) failed ??= messageOf(error)
    }
    this.#before = now
    return { figures, failed }
  }

  async #countersOf(tree: CgroupTree, { group, isContainer }: SubjectGroup, hostNetwork: string): Promise<Counters> {
    const { workingSetBytes, stat } = await cgroupMemoryUse(this.#host, tree, group)
    const limit = isContainer ? await containerMemoryLimit(this.#host, tree, group, stat) : undefined
    const cpuSeconds = await orNothing(() => cgroupCpuSeconds(this.#host, tree, group))
    return {
      memory: workingSetBytes,
      ...(limit === undefined ? {} : { limit }),
      ...(cpuSeconds === undefined ? {} : { cpuMs: cpuSeconds * 1_000 }),
      ...(await this.#ioOf(tree, group)),
      ...(isContainer ? await this.#networkOf(tree, group, hostNetwork) : {}),
    }
  }

  /** v2: `8:0 rbytes=1 wbytes=2 ...`. v1: `8:0 Read 1`. */
  async #ioOf(tree: CgroupTree, group: string): Promise<Counters> {
    const file = tree.version === 2 ? 'io.stat' : 'blkio.throttle.io_service_bytes'
    const text = await textIfThere(this.#host, `${tree.io}${group}/${file}`)
    if (text === undefined) return {}
    const total = (pattern: RegExp) => [...text.matchAll(pattern)].reduce((sum, [, bytes]) => sum + Number(bytes), 0)
    return tree.version === 2
      ? { read: total(/ rbytes=(\d+)/g), written: total(/ wbytes=(\d+)/g) }
      : { read: total(/ Read (\d+)/g), written: total(/ Write (\d+)/g) }
  }

  /** All containers of a pod share one network, and show its figures each; one that uses the node's shows none. */
  async #networkOf(tree: CgroupTree, group: string, hostNetwork: string): Promise<Counters> {
    const ids = (await textIfThere(this.#host, `${tree.cpu}${group}/cgroup.procs`)) ?? ''
    const id = /^[1-9]\d*$/m.exec(ids)?.[0]
    const text = id === undefined ? undefined : await textIfThere(this.#host, `/proc/${id}/net/dev`)
    if (text === undefined || namesOf(text) === namesOf(hostNetwork)) return {}
    return networkCounters(text)
  }
}

const namesOf = (text: string) =>
  interfacesOf(text)
    .map(([name]) => name)
    .join(' ')

async function orNothing<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof NotApplicable) return undefined
    throw error
  }
}

/** A counter that went back was set to zero, as of a container that was made anew: that minute has no rate. */
function figuresOf({ counters, atMs }: Before, before: Before | undefined): Seen {
  const seconds = before === undefined ? 0 : (atMs - before.atMs) / 1_000
  const rate = (key: Exclude<keyof Counters, 'memory' | 'limit'>): number | undefined => {
    const [last, now] = [before?.counters[key], counters[key]]
    return last === undefined || now === undefined || now < last || seconds <= 0 ? undefined : (now - last) / seconds
  }
  const known = {
    // Milliseconds a second are thousandths of a processor.
    cpu: rate('cpuMs'),
    memory: counters.memory,
    limit: counters.limit,
    read: rate('read'),
    written: rate('written'),
    received: rate('received'),
    sent: rate('sent'),
  }
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined))
}
