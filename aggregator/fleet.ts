/**
 * What the nodes say of themselves, as last heard: findings, remediations, the settings they run. Nothing is asked for;
 * statements come over the mesh, and what is not renewed turns to unknown, never to well.
 */
import type { Finding } from '../detectors/contract.ts'
import { decodeReport, isReportTopic } from '../detectors/engine/report-note.ts'
import { KEYS_PER_MEMBER } from '../mesh/core/gossip.ts'
import type { Note, SignedStatement } from '../mesh/core/model.ts'
import { decodeWatching, WATCHING_TOPIC } from '../mesh/wire/watching.ts'
import type { Remediation } from '../remediators/contract.ts'
import { decodeRemediation, isOpen, isRemediationTopic } from '../remediators/notes.ts'
import { APPLIED_TOPIC, type AppliedSettings, decodeApplied } from '../settings/notes.ts'
import { positionOf } from './permits/position.ts'
import type { Said } from './permits/said.ts'
import { Watchers } from './watchers.ts'

/** Ended remediations that are shown; older ones are in the history. */
const REMEDIATIONS_SHOWN = 100
const REMEDIATIONS_KEPT = 1_000
/** Plans of one node that wait or run: it makes one for each thing that it would mend. */
const OPEN_PER_NODE_MAX = 64

export type FleetChange =
  | { readonly kind: 'joined'; readonly node: string; readonly incarnation: string }
  | { readonly kind: 'report'; readonly node: string; readonly detector: string; readonly findings: readonly Finding[] }
  | { readonly kind: 'remediation'; readonly remediation: Remediation }
  | { readonly kind: 'applied'; readonly node: string; readonly version: number }
  | { readonly kind: 'none' }

interface Report {
  readonly findings: readonly Finding[]
  /** On this machine's clock; -Infinity for what another life of this process heard. */
  readonly heardAt: number
}

/** Stands in place of the reason of a finding that was not renewed in time. */
export const EXPIRED = 'Expired'

export class Fleet {
  readonly #seen: (finding: Finding) => Finding
  readonly #lives = new Map<string, string>()
  /** By node and topic. */
  readonly #reports = new Map<string, Map<string, Report>>()
  readonly #remediations = new Map<string, Said>()
  readonly #applied = new Map<string, AppliedSettings>()
  readonly #watchers = new Watchers()

  /** Findings that others than the nodes themselves say of them: to be shown, and not to be acted on. */
  foreign: () => readonly Finding[] = () => []

  /** `seen`: a finding as it counts. */
  constructor(seen: (finding: Finding) => Finding = (finding) => finding) {
    this.#seen = seen
  }

  /** Takes in a statement heard for the first time. Throws an Error for a note that is not what its topic says. */
  hear(nowMs: number, signed: SignedStatement): FleetChange {
    const { signer, body } = signed.statement
    if (body.kind === 'announcement') {
      const { serial, boot, refutations } = body.incarnation
      const incarnation = `${serial}.${boot}.${refutations}`
      this.#lives.set(signer, incarnation)
      return { kind: 'joined', node: signer, incarnation }
    }
    return body.kind === 'note' ? this.#hearNote(nowMs, signed, body) : { kind: 'none' }
  }

  /**
   * What was heard in an earlier life of this process, as `hear`. How long ago is not known, so findings are unknown until
   * they are said again: members do so within seconds, and of one that cannot the last that it said is still shown.
   */
  recall(signed: SignedStatement): void {
    this.hear(Number.NEGATIVE_INFINITY, signed)
  }

  /** The life a node last announced; undefined when it was never heard. */
  incarnationOf(node: string): string | undefined {
    return this.#lives.get(node)
  }

  /** Forgets what nodes said that are no members any more, or say it under another enrolment. */
  retain(serialOf: (node: string) => number | undefined): void {
    for (const [node, life] of this.#lives) if (!life.startsWith(`${serialOf(node)}.`)) this.#lives.delete(node)
    for (const kept of [this.#reports, this.#applied]) {
      for (const node of kept.keys()) if (serialOf(node) === undefined) kept.delete(node)
    }
    this.#watchers.retain((node) => serialOf(node) !== undefined)
  }

  /** All findings; those not renewed in time are shown as unknown. */
  findings(nowMs: number): readonly Finding[] {
    const all: Finding[] = []
    for (const reports of this.#reports.values()) this.#collect(reports, nowMs, all)
    return all
  }

  findingsOf(node: string, nowMs: number): readonly Finding[] {
    const all: Finding[] = []
    this.#collect(this.#reports.get(node), nowMs, all)
    return all
  }

  #collect(reports: ReadonlyMap<string, Report> | undefined, nowMs: number, into: Finding[]): void {
    for (const { findings, heardAt } of reports?.values() ?? []) {
      for (const finding of findings) {
        into.push(nowMs - heardAt <= finding.ttlMs ? this.#seen(finding) : expired(finding))
      }
    }
  }

  /** Newest first. */
  remediations(): readonly Remediation[] {
    const all = [...this.#remediations.values()].map(({ remediation }) => remediation)
    return all.toSorted((a, b) => (a.at < b.at ? 1 : -1)).slice(0, REMEDIATIONS_SHOWN)
  }

  remediation(planId: string): Remediation | undefined {
    return this.#remediations.get(planId)?.remediation
  }

  /** The last that was said of a plan, and where it stands in what its node said. */
  said(planId: string): Said | undefined {
    return this.#remediations.get(planId)
  }

  allSaid(): readonly Said[] {
    return [...this.#remediations.values()]
  }

  /** Since when an observer says that it could convict this subject, on this machine's clock; undefined: it does not. */
  couldConvictSince(observer: string, subject: string): number | undefined {
    return this.#watchers.of(subject).get(observer)
  }

  /** Who says so of this subject, and since when; another object once it is somebody else. */
  watchersOf(subject: string): ReadonlyMap<string, number> {
    return this.#watchers.of(subject)
  }

  /** The settings that each node says it runs, and those that it refused. */
  get applied(): ReadonlyMap<string, AppliedSettings> {
    return this.#applied
  }

  #hearNote(nowMs: number, signed: SignedStatement, { topic, bytes }: Note): FleetChange {
    const { signer } = signed.statement
    if (isReportTopic(topic)) {
      const findings = decodeReport(signer, topic, bytes)
      const ofNode = this.#reports.get(signer) ?? new Map<string, Report>()
      // Shown when they have long expired, so the mesh's own bound on what a member says at once does not hold them.
      if (!ofNode.has(topic) && ofNode.size >= KEYS_PER_MEMBER) throw new Error(`over ${KEYS_PER_MEMBER} reports`)
      if (findings.length === 0) ofNode.delete(topic)
      else this.#reports.set(signer, ofNode.set(topic, { findings, heardAt: nowMs }))
      const detector = topic.slice(topic.indexOf('/') + 1)
      return { kind: 'report', node: signer, detector, findings }
    }
    if (isRemediationTopic(topic)) {
      const remediation = decodeRemediation(signer, topic, bytes)
      this.#remediations.set(remediation.plan.id, { remediation, position: positionOf(signed), heardMs: nowMs })
      this.#forgetOldRemediations(signer)
      return { kind: 'remediation', remediation }
    }
    if (topic === WATCHING_TOPIC) {
      this.#watchers.take(signer, decodeWatching(bytes), nowMs)
      return { kind: 'none' }
    }
    if (topic === APPLIED_TOPIC) {
      const applied = decodeApplied(bytes)
      this.#applied.set(signer, applied)
      return { kind: 'applied', node: signer, version: applied.version }
    }
    return { kind: 'none' }
  }

  /** The oldest ended ones; those that wait or run stay, unless a node has more of them than it can mean. */
  #forgetOldRemediations(signer: string): void {
    const all = this.allSaid()
    const open = all.filter(({ remediation }) => remediation.plan.node === signer && isOpen(remediation))
    if (open.length > OPEN_PER_NODE_MAX) this.#forgetOldest(open)
    if (this.#remediations.size > REMEDIATIONS_KEPT)
      this.#forgetOldest(all.filter(({ remediation }) => !isOpen(remediation)))
  }

  #forgetOldest(of: readonly Said[]): void {
    const oldest = of.toSorted((a, b) => (a.remediation.at < b.remediation.at ? -1 : 1))[0]
    if (oldest !== undefined) this.#remediations.delete(oldest.remediation.plan.id)
  }
}

/** One object for as long as it lasts, as those that are renewed: what is made of a finding is kept by it. */
const expiredForms = new WeakMap<Finding, Finding>()

function expired(finding: Finding): Finding {
  const known = expiredForms.get(finding)
  if (known !== undefined) return known
  const summary = `No report since. Last known: ${finding.summary}`
  const form: Finding = { ...finding, status: 'unknown', reason: EXPIRED, summary }
  expiredForms.set(finding, form)
  return form
}
