/**
 * Collects, while this aggregator leads, what nodes measured: once a minute their last minutes, and each hour that is over,
 * which goes into the history. What was missed, nodes still have: 60 minutes and 48 hours.
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
/** Hours are written when there are so many, so that a new leader, who gets 48 of each node, does not hold all of them. */
const WRITE_AT = 2_000

export interface CollectorInit {
  readonly rows: MeasureRows
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
  /** The latest hour of each node that the history has. */
  readonly #written = new Map<string, number>()
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
        roundMs = Number.NEGATIVE_INFINITY
        continue
      }
      const unheard = members().filter((node) => fleet.heardMs(node) === undefined)
      if (now() - roundMs >= MINUTE_MS) {
        if (roundMs === Number.NEGATIVE_INFINITY) waitMs = FIRST_AGAIN_MS
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

  /** Asks these once. Resolves when what they answered is taken in, and the hours in it written, or not. */
  async round(nodes: readonly string[], signal: AbortSignal): Promise<void> {
    const { rows, fleet, leads, log } = this.#init
    fleet.retain()
    const questions = new Map(nodes.map((node) => [node, this.#questionTo(node)]))
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(MINUTE_MS)])
    let refused = 0
    const take = (node: string, bytes: Uint8Array) => {
      const question = questions.get(node)
      if (question === undefined || !leads()) return
      // One answer to each question.
      questions.delete(node)
      try {
        const answer = decodeAnswer(bytes, question)
        fleet.take(node, answer)
        this.#keep(node, answer.hours)
      } catch (error) {
        refused += 1
        log.debug({ node, err: messageOf(error) }, 'measures refused')
      }
    }
    await rows.collect(new Map(questions), take, inTime)
    if (refused > 0) log.warn({ nodes: refused }, 'measures that are none were refused')
    await this.#write()
  }

  #questionTo(node: string): MeasureQuestion {
    const { fleet, now } = this.#init
    const heardMs = fleet.heardMs(node)
    const missed = heardMs === undefined ? MINUTES_MAX : Math.ceil((now() - heardMs) / MINUTE_MS) + 1
    const minutes = Math.max(1, Math.min(MINUTES_MAX, missed))
    const hoursAfter = this.#written.get(node) ?? Math.max(0, this.#hour() - HOURS_MAX - 1)
    return { minutes, hoursAfter, containers: fleet.wantsContainers }
  }

  #keep(
    node: string,
    hours: readonly { readonly hour: number; readonly averages: HourOfMeasures['averages'] }[],
  ): void {
    const now = this.#hour()
    for (const { hour, averages } of hours) {
      // By the node's clock: of one that is ahead it comes again when it is so late here, too.
      if (hour > now || hour < now - HOURS_MAX - 1) continue
      this.#pending.push({ node, hour: new Date(hour * HOUR_MS).toISOString(), averages })
    }
    if (this.#pending.length >= WRITE_AT) void this.#write()
  }

  /** What cannot be written is not lost: nodes are asked for it again. */
  #write(): Promise<void> {
    const hours = this.#pending
    this.#pending = []
    if (hours.length === 0) return this.#writing
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#init.keepHours(hours)
        for (const { node, hour } of hours) {
          const written = Date.parse(hour) / HOUR_MS
          this.#written.set(node, Math.max(written, this.#written.get(node) ?? 0))
        }
      } catch (error) {
        this.#init.log.warn({ err: messageOf(error), hours: hours.length }, 'hours of measures are not written')
      }
    })
    return this.#writing
  }

  #hour(): number {
    return Math.floor(this.#init.wallNow() / HOUR_MS)
  }
}
