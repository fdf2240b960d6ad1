/** What the roster's rules must remember from one life of the aggregator to the next, in its store. */
import type { Member } from '../../../mesh/core/model.ts'
import type { Journal } from '../../model.ts'
import { CHURN_WINDOW_MS, type PastEpoch } from './churn.ts'

/** A mesh's first minutes, in which it grows without a brake (docs/protocol.md section 7). */
const FOUNDING_MS = 600_000

/** Longer than any certificate lives: an earlier serial cannot come back by then. */
const RETIRED_KEPT_MS = 400 * 86_400_000

const FOUNDED = 'roster/founded'
const PAST = 'roster/past'
const RETIRED = 'roster/retired'

interface Retired {
  readonly serial: number
  readonly wallMs: number
}

/**
 * Times are kept by the wall clock of this machine and given by its monotonic one; a wall clock that was set back makes
 * them as recent as they can be.
 */
export class RosterMemory {
  readonly #store: Journal
  readonly #foundedAt: number
  readonly #retired: Map<string, Retired>
  #past: readonly PastEpoch[]

  /** `epoch`: in force when this aggregator starts. */
  constructor(store: Journal, epoch: number, nowMs: number, wallMs: number) {
    this.#store = store
    const monotonic = (wall: number) => nowMs - Math.max(0, wallMs - wall)
    if (epoch === 1 && store.readFact(FOUNDED) === null) store.writeFact(FOUNDED, String(wallMs))
    this.#foundedAt = monotonic(Number(store.readFact(FOUNDED) ?? Number.NEGATIVE_INFINITY))
    const past = read<readonly (Omit<PastEpoch, 'atMs'> & { readonly wallMs: number })[]>(store, PAST) ?? []
    this.#past = past.map(({ wallMs: wall, ...counts }) => ({ ...counts, atMs: monotonic(wall) }))
    this.#retired = new Map(Object.entries(read<Record<string, Retired>>(store, RETIRED) ?? {}))
  }

  /** The epochs that still count, oldest first. */
  get past(): readonly PastEpoch[] {
    return this.#past
  }

  get retired(): ReadonlyMap<string, number> {
    return new Map([...this.#retired].map(([node, { serial }]) => [node, serial]))
  }

  isFounding(nowMs: number): boolean {
    return nowMs - this.#foundedAt < FOUNDING_MS
  }

  /** An epoch of this leader is about to take effect. */
  passed(epoch: PastEpoch, wallMs: number): void {
    this.#past = [...this.#past.filter(({ atMs }) => epoch.atMs - atMs < CHURN_WINDOW_MS), epoch]
    const past = this.#past.map(({ atMs, ...counts }) => ({ ...counts, wallMs: wallMs - (epoch.atMs - atMs) }))
    this.#store.writeFact(PAST, JSON.stringify(past))
  }

  /** These are members no more, and never come back under these serials. */
  retire(members: readonly Member[], wallMs: number): void {
    if (members.length === 0) return
    for (const { node, serial } of members) {
      this.#retired.set(node, { serial: Math.max(serial, this.#retired.get(node)?.serial ?? 0), wallMs })
    }
    for (const [node, { wallMs: at }] of this.#retired) if (wallMs - at > RETIRED_KEPT_MS) this.#retired.delete(node)
    this.#store.writeFact(RETIRED, JSON.stringify(Object.fromEntries(this.#retired)))
  }
}

function read<T>(store: Journal, key: string): T | undefined {
  const text = store.readFact(key)
  return text === null ? undefined : (JSON.parse(text) as T)
}
