/** Turns what happens into history: what the mesh concludes, what nodes say of themselves, what people decide. */
import type { Finding } from '../detectors/contract.ts'
import type { Remediation, RemediationPhase } from '../remediators/contract.ts'
import type { Decision } from '../remediators/permits.ts'
import { AlertStory } from './alerting/story.ts'
import { Chronicle } from './chronicle.ts'
import { MarkStory } from './mark-story.ts'
import { MeshStory } from './mesh-story.ts'
import { type Event, findingEventId, type Journal, type StoredEvent } from './model.ts'
import { PermitStory } from './permits/story.ts'
import { planEventId } from './remediation-model.ts'
import { RosterStory } from './roster-story.ts'
import { SettingsStory } from './settings-story.ts'
import { VersionHolds } from './version-holds.ts'

/** Where it is kept what a detector of a node said last. */
export function reportFact(node: string, detector: string): string {
  return `findings/${node}/${detector}`
}

export class Recorder {
  /** What the mesh concludes. */
  readonly mesh: MeshStory
  /** What becomes of it in Kubernetes. */
  readonly marks: MarkStory
  /** Which fixes may begin. */
  readonly permits: PermitStory
  /** Who comes and goes. */
  readonly roster: RosterStory
  /** Which settings are for whom. */
  readonly settings: SettingsStory
  /** What people are told. */
  readonly alerts: AlertStory
  /** Versions of detectors that are not believed. */
  readonly holds: VersionHolds
  readonly #chronicle: Chronicle

  /** `life`: unique to this start of the aggregator, for ids of what only it saw. `now`: RFC 3339; the machine's clock. */
  constructor(store: Journal, life: string, onStored: (event: StoredEvent) => void, now?: () => string) {
    this.#chronicle = new Chronicle(store, life, onStored, now)
    this.mesh = new MeshStory(this.#chronicle)
    this.marks = new MarkStory(this.#chronicle)
    this.permits = new PermitStory(this.#chronicle)
    this.roster = new RosterStory(this.#chronicle)
    this.settings = new SettingsStory(this.#chronicle)
    this.alerts = new AlertStory(this.#chronicle)
    this.holds = new VersionHolds(this.#chronicle)
  }

  started(leader: string, term: number): void {
    const id = `started/${this.#chronicle.life}`
    this.#chronicle.record(id, 'started', '', 'info', `${leader} leads the mesh, term ${term}`, '')
  }

  /**
   * What another aggregator recorded, or a node kept, goes on record as it is. `isLed`: by this aggregator, whose own threads
   * go on as they are; one that stands by takes up threads where the copies end. Answers the place of each.
   */
  copy(events: readonly Event[], isLed: boolean): readonly number[] {
    const copied = this.#chronicle.copy(events)
    for (const { event, isNew } of copied) {
      if (!isNew) continue
      this.holds.copied(event)
      if (!isLed) this.mesh.copied(event)
    }
    return copied.map(({ event }) => event.seq)
  }

  /** What `work` records is on disk when this returns, and told of only then; none of it is there when this throws. */
  together(work: () => void): void {
    this.#chronicle.together(work)
  }

  /** What the memory does with all this, as inspections. */
  remember({ id, kind, node, tone, summary, causedBy, data }: Omit<Event, 'at'>): void {
    this.#chronicle.record(id, kind, node, tone, summary, causedBy, data)
  }

  /** What a detector of a node says now, held against what it said before. */
  report(node: string, detector: string, findings: readonly Finding[]): void {
    this.holds.hear(node, detector, findings)
    const fact = reportFact(node, detector)
    const before = JSON.parse(this.#chronicle.store.readFact(fact) ?? '{}') as Record<string, string>
    const now = Object.fromEntries(findings.filter(isNews).map(({ id, summary }) => [id, summary]))
    for (const finding of findings.filter(isNews)) {
      const tone = finding.status === 'unknown' || finding.status === 'info' ? 'info' : 'bad'
      const { reason, status, summary, evidence } = finding
      this.#chronicle.record(
        findingEventId(finding.id),
        'finding',
        node,
        tone,
        `${reason} (${status}): ${summary}`,
        '',
        {
          detector,
          evidence,
        },
      )
    }
    for (const [id, summary] of Object.entries(before)) {
      if (id in now) continue
      const began = findingEventId(id)
      const cause = this.#chronicle.last(began) || began
      this.#chronicle.record(`${began}/cleared`, 'finding', node, 'good', `cleared: ${summary}`, cause, { detector })
      this.#chronicle.goOnFrom(began, '')
    }
    if (JSON.stringify(before) !== JSON.stringify(now)) this.#chronicle.store.writeFact(fact, JSON.stringify(now))
  }

  remediation(remediation: Remediation): void {
    const { plan, phase, why, at, decisionId, ended, earlier: _, ...said } = remediation
    const thread = planEventId(plan)
    const changes = plan.changes.map(({ what, before, after }) => `${what}: ${before} → ${after}`).join('; ')
    const began = findingEventId(plan.findingId)
    this.#chronicle.record(thread, 'plan', plan.node, 'act', `${plan.remediator} would change ${changes}`, began, {
      plan,
      ...said,
    })
    if (phase === 'proposed' || phase === 'awaiting-approval') return
    // A person is needed because of what became of a fix that has ended.
    const before = this.#chronicle.last(thread) || (phase === 'escalated' ? this.#chronicle.last(began) : '')
    // Refused again for another reason it is as before; each no of the leader has an event of its own.
    if (before.startsWith(`${thread}/${phase}@`)) return
    const cause = before || (decisionId ?? thread)
    // It may come to a phase again from another, as a window that opened closes.
    const id = `${thread}/${phase}@${at}`
    const tone = PHASE_TONES[phase] ?? 'info'
    this.#chronicle.record(id, 'remediation', plan.node, tone, `${phase}: ${why}`, cause, {
      planId: plan.id,
      phase,
      ...said,
    })
    this.#chronicle.goOnFrom(began, id)
    this.#chronicle.goOnFrom(thread, ended ? '' : id)
  }

  /**
   * Durable when it returns, so that a decision is on record before it is sent. `standing`: how far it gets the plan, when that
   * is not all the way.
   */
  decision(decision: Decision, remediation: Remediation, standing = ''): Event {
    const { plan } = remediation
    const thread = planEventId(plan)
    const said = decision.action === 'approve' ? 'approved' : 'rejected'
    const reason = decision.reason === '' ? '' : `: ${decision.reason}`
    const summary = `${said} by ${decision.by} (${decision.via})${standing}${reason}`
    const event = this.#chronicle.record(decision.id, 'decision', decision.node, 'act', summary, thread, { decision })
    this.#chronicle.requireStored(decision.id, 'decision')
    this.#chronicle.goOnFrom(thread, decision.id)
    return event
  }
}

const PHASE_TONES: Partial<Record<RemediationPhase, Event['tone']>> = {
  verified: 'good',
  'no-effect': 'bad',
  failed: 'bad',
  reverted: 'bad',
  'revert-failed': 'bad',
  refused: 'bad',
  escalated: 'act',
}

/** What is worth an event: `ok` and `not-applicable` are the absence of one. */
function isNews({ status }: Finding): boolean {
  return status !== 'ok' && status !== 'not-applicable'
}
