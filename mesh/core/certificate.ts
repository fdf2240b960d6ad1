/**
 * Checks a verdict without the mesh: from the certificate, the roster of its epoch and the members' keys, anyone can
 * count again what the leader counted.
 */
import type { Answer, Certificate, Conclusion, Heartbeat, Keyring, Millis, RollCall, Roster } from './model.ts'
import { compareIncarnations } from './model.ts'
import { needsLease, type Silence, tally } from './quorum.ts'
import { ringOf } from './ring.ts'
import type { Timing } from './timing.ts'

export type Verification = { readonly valid: true } | { readonly valid: false; readonly why: string }

export function verifyCertificate(
  certificate: Certificate,
  roster: Roster,
  rosterHash: string,
  keyring: Pick<Keyring, 'verify'>,
  timing: Timing,
): Verification {
  const { rollCall } = certificate.rollCall
  const invalid = (why: string): Verification => ({ valid: false, why })
  if (certificate.mesh !== roster.mesh) return invalid(`it is of mesh ${certificate.mesh}, not of ${roster.mesh}`)
  if (certificate.rosterHash !== rosterHash || rollCall.epoch !== roster.epoch) {
    return invalid(`it was decided on another roster (epoch ${rollCall.epoch})`)
  }
  if (!roster.aggregators.some((aggregator) => aggregator.node === rollCall.leader)) {
    return invalid(`${rollCall.leader} is no aggregator of this mesh`)
  }
  if (!keyring.verify(rollCall.leader, 'roll-call', rollCall, certificate.rollCall.signature)) {
    return invalid(`the roll-call is not signed by ${rollCall.leader}`)
  }
  if (!keyring.verify(rollCall.leader, 'verdict', conclusionOf(certificate), certificate.signature)) {
    return invalid(`the conclusion is not signed by ${rollCall.leader}`)
  }
  const asked = rollCall.subjects.find((subject) => subject.node === certificate.subject)
  if (asked === undefined || compareIncarnations(asked.incarnation, certificate.incarnation) !== 0) {
    return invalid(`the roll-call did not ask about this life of ${certificate.subject}`)
  }
  if (certificate.verdictId !== verdictIdOf(rollCall, certificate.subject)) {
    return invalid(`${certificate.verdictId} is not the name of this verdict`)
  }
  const { present, live } = certificate
  if (present * 2 <= live) return invalid(`only ${present} of ${live} members were present`)
  if (present > live || live > roster.members.length) {
    return invalid(`${present} present of ${live} cannot be: the roster has ${roster.members.length} members`)
  }
  const voters = new Set<string>()
  for (const { answer, signature } of certificate.answers) {
    if (voters.has(answer.voter)) return invalid(`${answer.voter} is counted twice`)
    voters.add(answer.voter)
    if (answer.subject !== certificate.subject || !isAnswerTo(rollCall, roster, answer)) {
      return invalid(`the answer of ${answer.voter} belongs to another question`)
    }
    if (!keyring.verify(answer.voter, 'answer', answer, signature)) {
      return invalid(`the answer of ${answer.voter} is not signed by it`)
    }
  }
  if (certificate.voters.length !== voters.size || !certificate.voters.every((voter) => voters.has(voter))) {
    return invalid('it does not hold the answers that it was counted from')
  }
  const assigned = zonesOfObservers(roster, certificate.subject)
  const kind = silenceOf(certificate, assigned.size)
  if (kind === undefined) return invalid('a node is Isolated if its Lease was renewed, and only then')
  if (needsLease(assigned.size) && certificate.heartbeat === 'unread') {
    return invalid(`${assigned.size} observers convict nobody whose Lease was not read`)
  }
  const counted = tally(
    {
      subject: certificate.subject,
      kind,
      assigned,
      excused: new Set(certificate.excused.map(({ node }) => node)),
      hungMs: hungMsBy(certificate.heartbeat, timing),
    },
    certificate.answers.map(({ answer }) => answer),
  )
  return counted.kind === 'carried' ? { valid: true } : invalid(counted.why)
}

/** The part that the leader signs, field by field: nothing else that is in the certificate gets in. */
function conclusionOf(certificate: Certificate): Conclusion {
  const { verdictId, kind, subject, incarnation, heartbeat, excused, rosterHash, present, live, voters } = certificate
  return { verdictId, kind, subject, incarnation, heartbeat, excused, rosterHash, present, live, voters }
}

/** What the answers must show for it; undefined where kind and Lease contradict each other. */
function silenceOf({ kind, heartbeat, answers }: Certificate, assigned: number): Silence | undefined {
  if ((kind === 'Isolated') !== (heartbeat === 'renewed')) return undefined
  if (kind !== 'Isolated') return kind
  return needsLease(assigned) || answers.some(({ answer }) => answer.opinion === 'HostHung') ? 'HostHung' : 'NodeDown'
}

/** How long a hung host must have been silent: less where its Lease was seen to be stale (docs/protocol.md section 4). */
export function hungMsBy(heartbeat: Heartbeat, timing: Timing): Millis {
  return heartbeat === 'unread' ? timing.hostHungMs : timing.hostHungLeaseMs
}

/** Names a verdict after its roll-call, so that nobody can pass one off under the name of another. */
export function verdictIdOf(rollCall: RollCall, subject: string): string {
  return `${rollCall.nonce}-${subject}`
}

/** Whether an answer belongs to this very question and may count. Its signature is another matter. */
export function isAnswerTo(rollCall: RollCall, roster: Roster, answer: Answer): boolean {
  const asked = rollCall.subjects.find(({ node }) => node === answer.subject)
  const voter = roster.members.find(({ node }) => node === answer.voter)
  if (asked === undefined || voter === undefined || voter.serial !== answer.voterSerial) return false
  // Whoever does not observe the subject has nothing to say about it: not against it, and not for it.
  if (!zonesOfObservers(roster, answer.subject).has(answer.voter)) return false
  if (answer.nonce !== rollCall.nonce || answer.epoch !== rollCall.epoch) return false
  // Silence about another life than the one in question proves nothing; a sign of life always does.
  const sameLife = compareIncarnations(answer.incarnation, asked.incarnation) === 0
  return sameLife || answer.opinion === 'Alive' || answer.opinion === 'Abstain'
}

const computed = new WeakMap<Roster, ReadonlyMap<string, ReadonlyMap<string, string>>>()

/**
 * A subject's observers and the zone of each. Kept for each roster object, which is immutable: the leader asks for all
 * members at every step, and going through the roster for each of them would grow with the square of the mesh.
 */
export function zonesOfObservers(roster: Roster, subject: string): ReadonlyMap<string, string> {
  const bySubject = computed.get(roster) ?? zonesOfAll(roster)
  computed.set(roster, bySubject)
  return bySubject.get(subject) ?? NOBODY
}

const NOBODY: ReadonlyMap<string, string> = new Map()

function zonesOfAll(roster: Roster): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const zones = new Map(roster.members.map(({ node, zone }) => [node, zone]))
  const zonesOf = (observers: readonly string[]) =>
    new Map(observers.map((observer) => [observer, zones.get(observer) ?? '']))
  return new Map(roster.members.map(({ node }) => [node, zonesOf(ringOf(roster).observersOf(node))]))
}
