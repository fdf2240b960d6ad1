/**
 * Checks a verdict without the mesh: from the certificate, the roster of its epoch and the members' keys, anyone can
 * count again what the leader counted.
 */
import type { Certificate, Keyring, Roster } from './model.ts'
import { compareIncarnations } from './model.ts'
import { tally } from './quorum.ts'
import { ringOf } from './ring.ts'
import type { Timing } from './timing.ts'

export type Verification = { readonly valid: true } | { readonly valid: false; readonly why: string }

export function verifyCertificate(
  certificate: Certificate,
  roster: Roster,
  rosterHash: string,
  keyring: Keyring,
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
  const asked = rollCall.subjects.find((subject) => subject.node === certificate.subject)
  if (asked === undefined || compareIncarnations(asked.incarnation, certificate.incarnation) !== 0) {
    return invalid(`the roll-call did not ask about this life of ${certificate.subject}`)
  }
  if (certificate.present * 2 <= certificate.live) {
    return invalid(`only ${certificate.present} of ${certificate.live} members were present`)
  }
  const voters = new Set<string>()
  for (const { answer, signature } of certificate.answers) {
    if (voters.has(answer.voter)) return invalid(`${answer.voter} is counted twice`)
    voters.add(answer.voter)
    if (answer.nonce !== rollCall.nonce || answer.subject !== certificate.subject || answer.epoch !== rollCall.epoch) {
      return invalid(`the answer of ${answer.voter} belongs to another question`)
    }
    if (!keyring.verify(answer.voter, 'answer', answer, signature)) {
      return invalid(`the answer of ${answer.voter} is not signed by it`)
    }
  }
  const counted = tally(
    {
      subject: certificate.subject,
      kind: certificate.kind,
      assigned: zonesOfObservers(roster, certificate.subject),
      excused: new Set(certificate.excused.map(({ node }) => node)),
      hungMs: timing.hostHungMs,
    },
    certificate.answers.map(({ answer }) => answer),
  )
  return counted.kind === 'carried' ? { valid: true } : invalid(counted.why)
}

/** A subject's observers and the zone of each. */
export function zonesOfObservers(roster: Roster, subject: string): ReadonlyMap<string, string> {
  const zones = new Map(roster.members.map(({ node, zone }) => [node, zone]))
  return new Map(
    ringOf(roster)
      .observersOf(subject)
      .map((observer) => [observer, zones.get(observer) ?? '']),
  )
}
