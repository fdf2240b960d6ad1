/** Whom the leader may ask the mesh about, because enough observers accuse it: of which silence, and in which life. */
import { type Ballots, silentFor } from './ballots.ts'
import type { Conditions } from './conditions.ts'
import type { Deferrals } from './deferrals.ts'
import type { Membership } from './membership.ts'
import type { Incarnation, Millis } from './model.ts'
import { floorOf, neededOf, needsLease, type Silence } from './quorum.ts'

/** More are put off to the next question: it must fit one message, as must its answers. */
const CANDIDATES_MAX = 100

export interface Candidate {
  readonly subject: string
  readonly kind: Silence
  readonly incarnation: Incarnation
  readonly votes: number
}

function candidateOf(subject: string, now: Millis, rules: CandidateRules): Candidate | undefined {
  const { ballots, conditions, membership, hungMs } = rules
  if (!isDecidable(subject, rules)) return undefined
  const needed = neededAmong(subject, ballots, conditions, membership)
  const isSlow = needsLease(membership.observersOf(subject).size)
  const down = ballots.aboutOneLife(subject, 'NodeDown')
  const silent = ballots.aboutOneLife(subject, 'HostHung', 'NodeDown')
  const isHung = silent.every((ballot) => silentFor(ballot, now) >= hungMs)
  const [kind, accusing] =
    down.length >= needed && !isSlow ? (['NodeDown', down] as const) : (['HostHung', silent] as const)
  const [first] = accusing
  if (first === undefined || accusing.length < needed || (kind === 'HostHung' && !isHung)) return undefined
  return { subject, kind, incarnation: first.accusation.incarnation, votes: accusing.length }
}

/**
 * Those of `subjects` to ask about now, without any that has a verdict already. Who was put off waits for its time, but a hung
 * host joins the question of another: it is convicted by all of its observers, and two that observe each other are excused in
 * one question only.
 */
export function candidatesAmong(subjects: readonly string[], now: Millis, rules: CandidateRules): readonly Candidate[] {
  const candidates = subjects.flatMap((subject) => {
    const candidate = rules.conditions.standing.has(subject) ? undefined : candidateOf(subject, now, rules)
    return candidate === undefined ? [] : [candidate]
  })
  const ripe = candidates.filter(({ subject }) => rules.deferrals.mayAsk(now, subject))
  const joining = candidates.filter((one) => one.kind === 'HostHung' && !ripe.includes(one))
  return ripe.length === 0 ? [] : [...ripe, ...joining].slice(0, CANDIDATES_MAX)
}

export interface CandidateRules {
  readonly ballots: Ballots
  readonly conditions: Conditions
  readonly deferrals: Pick<Deferrals, 'mayAsk'>
  readonly membership: Membership
  /** How long every accuser of a hung host must have heard nothing. */
  readonly hungMs: Millis
  /** Whether Leases can be read. */
  readonly heartbeats: boolean
}

/** H; Infinity where no number of votes is enough. */
export function neededToConvict(subject: string, rules: CandidateRules): number {
  return isDecidable(subject, rules) ? rules.conditions.neededFor(subject) : Number.POSITIVE_INFINITY
}

/** When the slow path can decide about this subject at the earliest; undefined when it is not on the slow path. */
export function hostHungInMs(subject: string, now: Millis, rules: CandidateRules): Millis | undefined {
  const { ballots, conditions, hungMs } = rules
  if (conditions.standing.has(subject)) return undefined
  const silent = ballots.about(subject, 'HostHung', 'NodeDown')
  if (silent.length < neededToConvict(subject, rules)) return undefined
  return Math.max(0, hungMs - Math.min(...silent.map((ballot) => silentFor(ballot, now))))
}

function isDecidable(subject: string, { membership, heartbeats }: CandidateRules): boolean {
  return heartbeats || !needsLease(membership.observersOf(subject).size)
}

/** As Conditions.neededFor, but observers that enough others suspect are excused, too: a rack dies as one. */
function neededAmong(subject: string, ballots: Ballots, conditions: Conditions, membership: Membership): number {
  const assigned = membership.observersOf(subject)
  const eligible = [...assigned.keys()].filter((node) => !conditions.isExcused(node))
  const suspects = eligible.filter((node) => {
    return ballots.about(node, 'NodeDown').length >= floorOf(membership.observersOf(node).size)
  })
  return neededOf(assigned.size, eligible.length - suspects.length)
}
