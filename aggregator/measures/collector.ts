/**
 * Collects, while this aggregator leads, what nodes measured: once a minute their last minutes, and each hour that is over,
 * which goes into the history. Nodes have 60 minutes and 48 hours: of whom more was missed is asked for all of that.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import {
  decodeAnswer,
  HOUR_MS,
  HOURS_MAX,
  type MeasureQuestion,
  MINUTE_MS,
  MINUTES_MAX,
} from '../../inspection/measure-words.ts'
import type { HourOfMeasures } from '../../inspection/measures.ts'
import type { History } from '../history/history.ts'
import type { FleetMeasures } from './fleet-measures.ts'
import type { MeasureRows } from './rows.ts'

/** Whoever was never heard is asked again so soon, and each time after twice as long, up to a minute. */
const FIRST_AGAIN_MS = 2_000
const LOOK_EVERY_MS = 500
/** Asked of everybody each minute, so that rounds in which a node was not heard leave no gap. */
const RECENT_MINUTES = 5
/** An hour that is over is asked for in so much of the next one, ms: who was not heard in all of it, is caught up with. */
const HOURS_FOR_MS = 10 * MINUTE_MS
/** In each round, of those of whom more is missing: each is asked by name, for all that it has. */
const CATCH_UP_MAX = 200
/** Hours are written when there are so many, so that a new leader, who gets 48 of each node, does not hold all of them. */
const WRITE_AT = 2_000

export interface CollectorInit {
  readonly rows: MeasureRows
  /** For the few who have more to tell than goes into a row. */
  readonly byName: MeasureRows
  readonly fleet: FleetMeasures
  readonly members: () => readonly string[]
  readonly leads: () => boolean
  readonly keepHours: History['keepMeasures']
  /** Wall clock, ms since 1970, and a monotonic one. */
  readonly wallNow: () => number
  readonly now: () => number
  readonly log: Log
}

export class Collector {
  readonly #init: CollectorInit
  /** All that these have was asked for, and they were heard ever since. */
  readonly #caughtUp = new Set<string>()
  /** The latest hour of each node that was taken. */
  readonly #latest = new Map<string, number>()
  #pending: HourOfMeasures[] = []
  #writing = Promise.resolve()

  constructor(init: CollectorInit) {
    this.#init = init
  }

  /** Until `signal`. */
  async run(signal: AbortSignal): Promise<void> {
    const { leads, now, members, fleet } = this.#init
    let [roundMs, againMs, waitMs] = [Number.NEGATIVE_INFINITY, 0, FIRST_AGAIN_MS]
    for (; !signal.aborted; await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})) {
      if (!leads()) {
        // What another leader wrote meanwhile is not known here.
        this.#caughtUp.clear()
        roundMs = Number.NEGATIVE_INFINITY
        waitMs = FIRST_AGAIN_MS
        continue
      }
      const unheard = members().filter((node) => fleet.heardMs(node) === undefined)
      if (now() - roundMs >= MINUTE_MS) {
        roundMs = now()
        await this.round(members(), signal)
        againMs = now() + waitMs
      } else if (unheard.length > 0 && now() >= againMs) {
        waitMs = Math.min(waitMs * 2, MINUTE_MS)
        await this.round(unheard, signal)
        againMs = now() + waitMs
      }
    }
  }

  /** Asks these once, and some of those of whom more is missing. Resolves when the hours in it are written, or not. */
  async round(nodes: readonly string[], signal: AbortSignal): Promise<void> {
    const { rows, byName, fleet, now, wallNow } = this.#init
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(MINUTE_MS)])
    fleet.retain()
    for (const node of nodes) {
      const heardMs = fleet.heardMs(node)
      if (heardMs === undefined || now() - heardMs > RECENT_MINUTES * MINUTE_MS) this.#caughtUp.delete(node)
    }
    const hour = this.#hour()
    const hoursAfter = wallNow() % HOUR_MS < HOURS_FOR_MS ? hour - 2 : hour
    const containers = fleet.wantsContainers
    const heard = await this.#collect(rows, { minutes: RECENT_MINUTES, hoursAfter, containers }, nodes, inTime)
    const behind = heard.filter((node) => !this.#caughtUp.has(node)).slice(0, CATCH_UP_MAX)
    for (const node of behind) this.#latest.delete(node)
    const all = { minutes: MINUTES_MAX, hoursAfter: hour - HOURS_MAX - 1, containers }
    for (const node of await this.#collect(byName, all, behind, inTime)) this.#caughtUp.add(node)
    await this.#write()
  }

  /** Those who answered. */
  async #collect(
    from: MeasureRows,
    question: MeasureQuestion,
    nodes: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const { fleet, leads, log } = this.#init
    const waitedFor = new Set(nodes)
    const heard: string[] = []
    let refused = 0
    const take = (node: string, bytes: Uint8Array) => {
      // One answer of each.
      if (!waitedFor.delete(node) || !leads()) return
      try {
        const answer = decodeAnswer(bytes, question)
        fleet.take(node, answer)
        this.#keep(node, answer.hours)
        heard.push(node)
      } catch (error) {
        refused += 1
        log.debug({ node, err: messageOf(error) }, 'measures refused')
      }
    }
    if (nodes.length > 0) await from.collect(question, nodes, take, signal)
    if (refused > 0) log.warn({ nodes: refused }, 'measures that are none were refused')
    return heard
  }

  #keep(
    node: string,
    hours: readonly { readonly hour: number; readonly averages: HourOfMeasures['averages'] }[],
  ): void {
    const now = this.#hour()
    const latest = this.#latest.get(node) ?? 0
    for (const { hour, averages } of hours) {
      // By the node's clock: of one that is ahead it comes again when it is so late here, too.
      if (hour > now || hour < now - HOURS_MAX - 1 || hour <= latest) continue
      this.#pending.push({ node, hour: new Date(hour * HOUR_MS).toISOString(), averages })
      this.#latest.set(node, Math.max(hour, this.#latest.get(node) ?? 0))
    }
    if (this.#pending.length >= WRITE_AT) void this.#write()
  }

  #write(): Promise<void> {
    const hours = this.#pending
    this.#pending = []
    if (hours.length === 0) return this.#writing
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#init.keepHours(hours)
      } catch (error) {
        this.#init.log.warn({ err: messageOf(error), hours: hours.length }, 'hours of measures are not written')
        // Nodes have them still, and are asked for all of them again.
        for (const { node } of hours) this.#caughtUp.delete(node)
      }
    })
    return this.#writing
  }

  #hour(): number {
    return Math.floor(this.#init.wallNow() / HOUR_MS)
  }
}
