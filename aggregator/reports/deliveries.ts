/**
 * Reports on their way. What cannot be delivered now is tried again, later each time, over a restart too; what is refused for
 * good, or never taken, is told of. Each kind of place has a lane of its own, and nobody waits for any of it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { Journal } from '../model.ts'
import { type Delivery, RefusedError } from './places.ts'

/** Some MB on disk: as many as a week of a dozen mails a day. */
export const WAITING_MAX = 100
const SLOT = 'report-outbox/'

export interface Patience {
  /** Before the second attempt, ms; twice as long before each that follows. */
  readonly firstMs: number
  readonly longestMs: number
  /** After so long, ms, it is given up. */
  readonly giveUpMs: number
}

/** A mail server that is down over night takes it in the morning. */
export const PATIENCE: Patience = { firstMs: 15_000, longestMs: 1_800_000, giveUpMs: 86_400_000 }

interface Waiting {
  readonly delivery: Delivery
  readonly slot: string
  /** Ms since 1970. */
  readonly since: number
  failed: number
  notBefore: number
  /** It is not tried any more: why it is lost, or empty once it is delivered. */
  end?: string
}

export interface DeliveriesInit {
  /** Its facts keep what waits. */
  readonly journal: Pick<Journal, 'facts' | 'writeFact'>
  /** Rejects with RefusedError when it is no use to try again. */
  readonly deliver: (delivery: Delivery, stop: AbortSignal) => Promise<void>
  /** It was not and will not be delivered. */
  readonly lost: (delivery: Delivery, why: string) => void
  readonly patience?: Patience
  readonly log: Log
}

export class Deliveries {
  readonly #init: DeliveriesInit
  readonly #patience: Patience
  readonly #waiting: Waiting[] = []
  readonly #lanes = new Map<string, Promise<void>>()
  readonly #stop = new AbortController()
  /** It was said that the journal takes no end. */
  #isStuck = false

  constructor(init: DeliveriesInit) {
    this.#init = init
    this.#patience = init.patience ?? PATIENCE
  }

  /** What waited when this process ended goes on, whoever leads now: nobody else has it. */
  start(): void {
    for (const [slot, kept] of this.#init.journal.facts(SLOT)) {
      if (kept === '') continue
      const { delivery, since } = JSON.parse(kept) as Pick<Waiting, 'delivery' | 'since'>
      this.#queue({ delivery, slot, since, failed: 0, notBefore: 0 })
    }
  }

  /** Of one report. */
  waitingOf(report: string): number {
    return this.#waiting.filter(({ delivery }) => delivery.report === report).length
  }

  /** On disk when it returns. */
  add(delivery: Delivery): void {
    const slot = this.#freeSlot()
    if (slot === undefined) {
      this.#init.lost(delivery, `${WAITING_MAX} wait already`)
      return
    }
    const since = Date.now()
    this.#init.journal.writeFact(slot, JSON.stringify({ delivery, since }))
    this.#queue({ delivery, slot, since, failed: 0, notBefore: 0 })
  }

  /** What waits stays on disk. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#lanes.values())
  }

  #freeSlot(): string | undefined {
    const taken = new Set(this.#waiting.map(({ slot }) => slot))
    return Array.from({ length: WAITING_MAX }, (_, index) => `${SLOT}${index}`).find((slot) => !taken.has(slot))
  }

  #queue(waiting: Waiting): void {
    this.#waiting.push(waiting)
    const lane = laneOf(waiting.delivery)
    if (this.#lanes.has(lane)) return
    const run = this.#run(lane).finally(() => this.#lanes.delete(lane))
    this.#lanes.set(lane, run)
  }

  async #run(lane: string): Promise<void> {
    const { signal } = this.#stop
    for (;;) {
      const [next] = this.#waiting
        .filter(({ delivery }) => laneOf(delivery) === lane)
        .toSorted((a, b) => a.notBefore - b.notBefore)
      if (next === undefined || signal.aborted) return
      const restMs = next.notBefore - Date.now()
      // One that is added meanwhile waits no longer than the first wait.
      if (restMs > 0)
        await sleep(Math.min(restMs, this.#patience.firstMs), undefined, { signal, ref: false }).catch(() => {})
      else await this.#attempt(next, signal)
    }
  }

  async #attempt(one: Waiting, signal: AbortSignal): Promise<void> {
    if (one.end === undefined) await this.#deliver(one, signal)
    if (one.end === undefined) return
    try {
      // Told of first: after a kill in between it is told of twice, and not never.
      if (one.end !== '') this.#init.lost(one.delivery, one.end)
      this.#init.journal.writeFact(one.slot, '')
      this.#waiting.splice(this.#waiting.indexOf(one), 1)
      this.#isStuck = false
    } catch (error) {
      const about = { report: one.delivery.report, delivery: one.delivery.id, err: messageOf(error) }
      if (!this.#isStuck) this.#init.log.error(about, 'what became of a report cannot be put on record: tried again')
      this.#isStuck = true
      one.notBefore = Date.now() + this.#patience.firstMs
    }
  }

  /** Says how it ended, if it has. */
  async #deliver(one: Waiting, signal: AbortSignal): Promise<void> {
    const { deliver, log } = this.#init
    const { delivery } = one
    const about = { report: delivery.report, delivery: delivery.id }
    try {
      await deliver(delivery, signal)
      log.info(about, 'report delivered')
      one.end = ''
    } catch (error) {
      if (signal.aborted) return
      one.failed += 1
      const { firstMs, longestMs, giveUpMs } = this.#patience
      const isOver = Date.now() - one.since >= giveUpMs
      log.warn({ ...about, attempt: one.failed, err: messageOf(error) }, 'report not delivered')
      if (error instanceof RefusedError || isOver) one.end = messageOf(error)
      else one.notBefore = Date.now() + Math.min(firstMs * 2 ** (one.failed - 1), longestMs)
    }
  }
}

function laneOf({ to }: Delivery): string {
  if ('mail' in to) return 'mail'
  return 'file' in to ? 'file' : new URL(to.webhook).origin
}
