/** All sinks together: what each has waiting survives a restart, and so does what could not be delivered. */
import { randomUUID } from 'node:crypto'
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { Notification, Outgoing } from '../alerting/model.ts'
import { timeOf } from '../alerting/texts.ts'
import type { Journal } from '../event-model.ts'
import { retried } from '../retried.ts'
import { attempt, Courier } from './courier.ts'
import type { Sink } from './sink.ts'

const DEAD_MAX = 100
/** Of what belongs to an incident, in what waits or is dead: the number of the rest is no longer known then. */
const CHILDREN_KEPT = 20
const DEAD_FACT = 'alerting/dead'
const QUEUE_FACT = 'alerting/queue/'

/** A notification that was given up. */
export interface DeadLetter {
  readonly id: string
  readonly sink: string
  readonly why: string
  /** RFC 3339. */
  readonly at: string
  readonly notification: Notification
}

export interface DispatchInit {
  readonly sinks: ReadonlyMap<string, Sink>
  readonly journal: Pick<Journal, 'readFact' | 'writeFact'>
  /** It will not be delivered any more, unless somebody sends it again. */
  readonly lost: (letter: DeadLetter) => void
  readonly log: Log
}

export class Dispatch {
  readonly #init: DispatchInit
  readonly #couriers = new Map<string, Courier>()
  #dead: readonly DeadLetter[]
  /** Sinks whose latest notification was given up, and why. */
  readonly #failing = new Map<string, string>()
  /** By fact, what is not on record yet. */
  readonly #owed = new Map<string, string>()
  /** What could not be put on record is tried again. Does nothing when there is none. */
  readonly keepAgain: () => void

  constructor(init: DispatchInit) {
    this.#init = init
    this.keepAgain = retried(() => this.#keepOwed(), 'what sinks have waiting is not kept', init.log)
    this.#dead = readList<DeadLetter>(init.journal.readFact(DEAD_FACT))
    for (const [name, sink] of init.sinks) {
      const changed = (waiting: readonly Notification[]) => {
        this.#keep(QUEUE_FACT + name, waiting.length === 0 ? '' : JSON.stringify(waiting.map(shortened)))
        if (courier.problem === null) this.#failing.delete(name)
      }
      const lost = (notification: Notification, why: string) => this.#lose(name, notification, why)
      const courier = new Courier({ name, sink, lost, changed, log: init.log })
      this.#couriers.set(name, courier)
    }
    for (const { sink, why } of this.#dead) if (this.#couriers.has(sink)) this.#failing.set(sink, why)
  }

  get names(): readonly string[] {
    return [...this.#couriers.keys()]
  }

  get dead(): readonly DeadLetter[] {
    return this.#dead
  }

  /** Sinks that gave up on something and have taken nothing since, and why. */
  get failing(): ReadonlyMap<string, string> {
    return this.#failing
  }

  view(): readonly { sink: string; waiting: number; problem: string | null }[] {
    return [...this.#couriers].map(([sink, { waiting, problem }]) => ({ sink, waiting: waiting.length, problem }))
  }

  send({ sink, notification }: Outgoing): void {
    const courier = this.#couriers.get(sink)
    if (courier !== undefined) courier.add(notification)
    else this.#init.log.warn({ sink, incident: notification.incident.id }, 'no such sink in the configuration')
  }

  /** Goes on with what waited when this process ended, or led last. `isOpen`: whether an incident still is. */
  resume(isOpen: (incident: string) => boolean): void {
    for (const [name, courier] of this.#couriers) {
      for (const notification of readList<Notification>(this.#init.journal.readFact(QUEUE_FACT + name))) {
        if (notification.state === 'resolved' || isOpen(notification.incident.id)) courier.add(notification)
      }
    }
  }

  /** Another leads, or nobody: what waits is said when this one leads again, and by the other before that. */
  clear(): void {
    for (const courier of this.#couriers.values()) courier.clear()
  }

  /** Those that forget, with how soon they do, ms. */
  get forgetful(): ReadonlyMap<string, number> {
    const all = [...this.#init.sinks].flatMap(([name, { keepEveryMs }]) =>
      keepEveryMs === undefined ? [] : [[name, keepEveryMs] as const],
    )
    return new Map(all)
  }

  /** At once, past the queue. Rejects with what the sink says; undefined when there is none of that name. */
  test(sink: string, notification: Notification): Promise<void> | undefined {
    const known = this.#init.sinks.get(sink)
    return known && attempt(known, notification)
  }

  /** Puts dead letters into the queues again. Returns those. */
  sendAgain(ids: readonly string[] | 'all'): readonly DeadLetter[] {
    const again = this.#dead.filter(({ id, sink }) => (ids === 'all' || ids.includes(id)) && this.#couriers.has(sink))
    this.#keepDead(this.#dead.filter((letter) => !again.includes(letter)))
    for (const letter of again) this.send(letter)
    return again
  }

  stop(): void {
    for (const courier of this.#couriers.values()) courier.stop()
  }

  #lose(sink: string, notification: Notification, why: string): void {
    const letter = {
      id: randomUUID().slice(0, 8),
      sink,
      why,
      at: timeOf(Date.now()),
      notification: shortened(notification),
    }
    this.#failing.set(sink, why)
    this.#keepDead([...this.#dead, letter].slice(-DEAD_MAX))
    this.#init.log.error({ sink, incident: notification.incident.id, err: why }, 'notification given up')
    try {
      this.#init.lost(letter)
    } catch (error) {
      this.#init.log.error({ sink, err: messageOf(error) }, 'undelivered notification not put on record')
    }
  }

  #keepDead(dead: readonly DeadLetter[]): void {
    this.#dead = dead
    this.#keep(DEAD_FACT, JSON.stringify(dead))
  }

  #keep(fact: string, text: string): void {
    this.#owed.set(fact, text)
    this.keepAgain()
  }

  #keepOwed(): void {
    for (const [fact, text] of this.#owed) {
      this.#init.journal.writeFact(fact, text)
      this.#owed.delete(fact)
    }
  }
}

function shortened(notification: Notification): Notification {
  const { incident } = notification
  return { ...notification, incident: { ...incident, children: incident.children.slice(0, CHILDREN_KEPT) } }
}

/** Of our own writing; what is not readable any more is none. */
function readList<T>(text: string | null): readonly T[] {
  try {
    const value: unknown = JSON.parse(text || '[]')
    return Array.isArray(value) ? (value as T[]) : []
  } catch {
    return []
  }
}
