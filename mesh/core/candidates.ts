/** Whom the leader may ask the mesh about, because enough observers accuse it: of which silence, and in which life. */
import { type Ballots, silentFor } from './ballots.ts'
import type { Conditions } from './conditions.ts'
import type { Membership } from './membership.ts'
import type { Incarnation, Millis } from './model.ts'
import { floorOf, neededOf, type Silence } from './quorum.ts'

export interface Candidate {
  readonly subject: string
  readonly kind: Silence
  readonly incarnation: Incarnation
  readonly votes: number
}

/** `hungMs`: how long every accuser of a hung host must have heard nothing. */
function candidateOf(
  subject: string,
  now: Millis,
  { ballots, conditions, membership, hungMs }: CandidateRules,
): Candidate | undefined {
  const needed = neededAmong(subject, ballots, conditions, membership)
  const down = ballots.aboutOneLife(subject, 'NodeDown')
  const silent = ballots.aboutOneLife(subject, 'HostHung', 'NodeDown')
  const isHung = silent.every((ballot) => silentFor(ballot, now) >= hungMs)
  const [kind, accusing] = down.length >= needed ? (['NodeDown', down] as const) : (['HostHung', silent] as const)
  const [first] = accusing
  if (first === undefined || accusing.length < needed || (kind === 'HostHung' && !isHung)) return undefined
  return { subject, kind, incarnation: first.accusation.incarnation, votes: accusing.length }
}

/** Those of `subjects` that may be asked about now, without any that has a verdict already. */
export function candidatesAmong(subjects: readonly string[], now: Millis, rules: CandidateRules): readonly Candidate[] {
  return subjects.flatMap((subject) => {
    const candidate = rules.conditions.standing.has(subject) ? undefined : candidateOf(subject, now, rules)
    return candidate === undefined ? [] : [candidate]
  })
}

export interface CandidateRules {
  readonly ballots: Ballots
  readonly conditions: Conditions
  readonly membership: Membership
  readonly hungMs: Millis
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
