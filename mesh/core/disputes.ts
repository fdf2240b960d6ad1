/**
 * Where observers contradict each other. Some see a node live and some see nothing: its links are at fault (LinkFault).
 * One observer sees nothing where the rest see life, again and again: it is at fault itself (ObserverFault). Either is
 * reported, neither marks a node; once open it stays so until five minutes have passed without a further sign, so that a
 * link that comes and goes is one incident.
 */
import type { Membership } from './membership.ts'
import type { Notice } from './message.ts'
import type { Answer, Millis } from './model.ts'
import { vetoOf } from './quorum.ts'

/** Subjects that a roll-call without candidates asks about: each costs all members some sixty bytes. */
const ASKED_AT_A_TIME = 8
const OPEN_FOR_MS = 300_000
/** Observers must disagree about a subject twice, so far apart and no farther. */
const SPLIT_APART_MS = 3_000
const SPLIT_WITHIN_MS = 60_000
/** Subjects about which an observer must stand alone within a minute. One could be the link between the two. */
const ALONE_ABOUT = 2
const ALONE_WITHIN_MS = 60_000
/** A node that came back to the same life twice within this time was never dead: it is its link that comes and goes. */
const SAME_LIFE_TIMES = 2
const SAME_LIFE_WITHIN_MS = 600_000

/** One observer's view of one subject, as it last answered. */
export interface Sight {
  readonly observer: string
  readonly subject: string
  readonly opinion: Answer['opinion']
  readonly channel: Answer['channel']
  readonly atMs: Millis
}

export class Disputes {
  readonly #membership: Membership
  #nextToAsk = 0
  readonly #splitAt = new Map<string, Millis>()
  readonly #linkFaults = new Map<string, Millis>()
  readonly #observerFaults = new Map<string, Millis>()
  readonly #alone = new Map<string, Map<string, Millis>>()
  readonly #sameLife = new Map<string, Millis[]>()
  readonly #sights = new Map<string, ReadonlyMap<string, Sight>>()

  constructor(membership: Membership) {
    this.#membership = membership
  }

  hasLinkFault(subject: string): boolean {
    return this.#linkFaults.has(subject)
  }

  hasObserverFault(observer: string): boolean {
    return this.#observerFaults.has(observer)
  }

  get linkFaults(): readonly string[] {
    return [...this.#linkFaults.keys()]
  }

  get observerFaults(): readonly string[] {
    return [...this.#observerFaults.keys()]
  }

  /** Whom to ask the mesh about when nobody is a candidate: those that some accuse, a few at a time. */
  toAsk(suspected: readonly string[]): readonly string[] {
    const disputed = [...new Set([...suspected, ...this.#linkFaults.keys()])]
    const from = this.#nextToAsk % Math.max(1, disputed.length)
    this.#nextToAsk = from + ASKED_AT_A_TIME
    return [...disputed.slice(from), ...disputed.slice(0, from)].slice(0, ASKED_AT_A_TIME)
  }

  /** What observers last answered about a subject. */
  sightsOf(subject: string): readonly Sight[] {
    return [...(this.#sights.get(subject)?.values() ?? [])]
  }

  /** Takes in what a roll-call was answered about one subject. */
  answered(now: Millis, subject: string, answers: readonly Answer[]): readonly Notice[] {
    if (answers.length === 0) return []
    this.#sights.set(subject, new Map(answers.map((answer) => [answer.voter, sightOf(answer, now)])))
    const alive = answers.filter(showsHost).map(({ voter }) => voter)
    // Lost packets are both: those that came through show life, the others are silence.
    const silent = answers
      .filter(({ channel }) => channel === 'nothing' || channel === 'lossy')
      .map(({ voter }) => voter)
    const few = vetoOf(this.#membership.observersOf(subject).size)
    if (alive.length >= few && silent.length >= few) return this.#split(now, subject, alive, silent)
    const [loner] = silent
    if (loner === undefined || silent.length > 1 || alive.length < Math.max(few, 2)) return []
    return this.#linkFaults.has(subject) ? [] : this.#standsAlone(now, loner, subject)
  }

  /** A verdict about a node ended with the node in the life in which it was convicted. */
  cameBackAsItWas(now: Millis, subject: string): readonly Notice[] {
    const times = [...(this.#sameLife.get(subject) ?? []), now].filter((at) => now - at < SAME_LIFE_WITHIN_MS)
    this.#sameLife.set(subject, times)
    return times.length < SAME_LIFE_TIMES ? [] : this.#openLinkFault(now, subject, [], [])
  }

  /** Forgets whoever is no member any more. */
  retain(isMember: (node: string) => boolean): void {
    const all = [this.#splitAt, this.#linkFaults, this.#observerFaults, this.#alone, this.#sameLife, this.#sights]
    for (const kept of all) for (const node of kept.keys()) if (!isMember(node)) kept.delete(node)
  }

  /** Closes what has seen no further sign for five minutes. */
  expire(now: Millis): readonly Notice[] {
    const notices: Notice[] = []
    for (const [subject, since] of this.#linkFaults) {
      if (now - since < OPEN_FOR_MS) continue
      this.#linkFaults.delete(subject)
      notices.push({ kind: 'linkFault', subject, open: false, alive: [], silent: [] })
    }
    for (const [subject, since] of this.#observerFaults) {
      if (now - since < OPEN_FOR_MS) continue
      this.#observerFaults.delete(subject)
      notices.push({ kind: 'observerFault', subject, open: false, why: 'it has agreed with the others for 5 minutes' })
    }
    return notices
  }

  nextAt(now: Millis): Millis {
    let next = Number.POSITIVE_INFINITY
    for (const since of [...this.#linkFaults.values(), ...this.#observerFaults.values()]) {
      if (since + OPEN_FOR_MS > now) next = Math.min(next, since + OPEN_FOR_MS)
    }
    return next
  }

  /** Once may be a node that starts again, which some hear before the others do. */
  #split(now: Millis, subject: string, alive: readonly string[], silent: readonly string[]): readonly Notice[] {
    const before = this.#splitAt.get(subject) ?? Number.NEGATIVE_INFINITY
    if (now - before > SPLIT_WITHIN_MS) this.#splitAt.set(subject, now)
    const isRepeated = now - before >= SPLIT_APART_MS && now - before <= SPLIT_WITHIN_MS
    return isRepeated || this.#linkFaults.has(subject) ? this.#openLinkFault(now, subject, alive, silent) : []
  }

  #openLinkFault(now: Millis, subject: string, alive: readonly string[], silent: readonly string[]): readonly Notice[] {
    const isNew = !this.#linkFaults.has(subject)
    this.#linkFaults.set(subject, now)
    return isNew ? [{ kind: 'linkFault', subject, open: true, alive, silent }] : []
  }

  #standsAlone(now: Millis, observer: string, subject: string): readonly Notice[] {
    const about = this.#alone.get(observer) ?? new Map<string, Millis>()
    this.#alone.set(observer, about.set(subject, now))
    for (const [other, at] of about) if (now - at >= ALONE_WITHIN_MS) about.delete(other)
    if (about.size < ALONE_ABOUT) return []
    const isNew = !this.#observerFaults.has(observer)
    this.#observerFaults.set(observer, now)
    const why = `it alone sees nothing of ${[...about.keys()].join(', ')}`
    return isNew ? [{ kind: 'observerFault', subject: observer, open: true, why }] : []
  }
}

/** The host answered this observer, or its agent did. */
export function showsHost({ opinion, channel }: Answer): boolean {
  return opinion === 'Alive' || (channel !== 'nothing' && channel !== 'unknown')
}

function sightOf({ voter: observer, subject, opinion, channel }: Answer, atMs: Millis): Sight {
  return { observer, subject, opinion, channel, atMs }
}
