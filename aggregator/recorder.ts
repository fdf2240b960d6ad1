/**
 * Turns what happens into history: each event with the id of the one that led to it, so that any state can be walked back
 * to its beginning. The cause of a node's next event is kept by thread: its liveness, a finding, a plan.
 */
import type { Finding } from '../detectors/contract.ts'
import type { Notice } from '../mesh/core/message.ts'
import type { Certificate } from '../mesh/core/model.ts'
import { formatIncarnation } from '../mesh/core/model.ts'
import type { Permit, Remediation } from '../remediators/contract.ts'
import type { Event, EventKind, Store, StoredEvent, VoteView } from './model.ts'

export interface VerdictRecord {
  readonly certificate: Certificate
  readonly encoded: string
  readonly votes: readonly VoteView[]
  readonly needed: number
}

export class Recorder {
  readonly #store: Store
  readonly #onStored: (event: StoredEvent) => void
  readonly #prefix: string
  readonly #lastOf = new Map<string, string>()
  #count = 0

  /** `life`: unique to this start of the aggregator, for ids of what only it saw. */
  constructor(store: Store, life: string, onStored: (event: StoredEvent) => void) {
    this.#store = store
    this.#prefix = life
    this.#onStored = onStored
  }

  started(leader: string, term: number): void {
    this.#record(`started/${this.#prefix}`, 'started', '', 'info', `${leader} leads the mesh, term ${term}`, '')
  }

  joined(node: string, incarnation: string): void {
    const id = `joined/${node}/${incarnation}`
    const isNew = this.#store.byId(id) === null
    this.#record(id, 'joined', node, 'good', `agent heard, incarnation ${incarnation}`, '')
    // A new life, heard first by a new aggregator: what its agent was held for until then has ended unseen.
    if (isNew && this.#adopts(node, AGENT_DOWN)) {
      this.#follow(
        liveness(node),
        this.#nextId('agent-up', node),
        'agent-up',
        node,
        'good',
        'its agent was started again',
        {},
      )
    }
  }

  notice(notice: Notice): void {
    const next = (node: string, kind: EventKind, tone: Event['tone'], summary: string, data: object = {}) =>
      this.#follow(liveness(node), this.#nextId(kind, node), kind, node, tone, summary, data)
    switch (notice.kind) {
      case 'suspected':
        if (this.#adopts(notice.subject, SUSPICION)) return
        this.#lastOf.delete(liveness(notice.subject))
        next(notice.subject, 'suspected', 'bad', `silent to ${notice.voters.join(', ')}`, { voters: notice.voters })
        return
      case 'unsuspected':
        next(notice.subject, 'unsuspected', 'good', 'no observer misses it any more')
        return
      case 'candidate':
        next(notice.subject, 'candidate', 'bad', `${notice.votes} observers hold it for ${notice.verdict}`)
        return
      case 'rollCall':
        for (const node of notice.subjects) {
          const summary = `the mesh is asked afresh: ${notice.live} live members`
          this.#follow(liveness(node), `roll-call/${notice.nonce}/${node}`, 'roll-call', node, 'info', summary, {})
        }
        return
      case 'withheld':
        next(notice.subject, 'withheld', 'info', `no verdict of ${notice.verdict}: ${notice.why}`)
        return
      case 'brake': {
        const { change } = notice
        const nodes = change.kind === 'frozen' ? change.nodes : []
        this.#follow(
          'brake',
          this.#nextId(change.kind, 'mesh'),
          change.kind,
          '',
          change.kind === 'frozen' ? 'bad' : 'good',
          change.kind === 'frozen' ? `nobody is marked: ${change.why}` : `marking goes on: ${change.why}`,
          { nodes },
        )
        return
      }
      case 'recovered': {
        const { subject, verdictId } = notice.verdict
        // The verdict may be of an earlier life of the aggregator: its id, not the thread, says what led here.
        this.#lastOf.set(liveness(subject), verdictEventId(verdictId))
        next(subject, 'recovered', 'good', `${notice.verdict.kind} ended: ${notice.why}`, { verdictId })
        return
      }
      case 'agentDown':
        if (this.#adopts(notice.subject, AGENT_DOWN)) return
        this.#lastOf.delete(liveness(notice.subject))
        next(notice.subject, 'agent-down', 'bad', 'its host answers, its agent does not', { voters: notice.voters })
        return
      case 'agentUp':
        next(notice.subject, 'agent-up', 'good', 'its agent answers again')
        return
    }
  }

  /** Durable when it returns: the commit record of the verdict. */
  verdict({ certificate, encoded, votes, needed }: VerdictRecord): void {
    const { subject, kind, verdictId, present, live, incarnation } = certificate
    const against = votes.filter(({ opinion }) => opinion === 'silent').length
    const summary = `${kind}: ${against} of ${votes.length} observers agree (${needed} needed), incarnation ${formatIncarnation(incarnation)}`
    const data = { verdictId, verdict: kind, incarnation, votes, needed, present, live, certificate: encoded }
    this.#follow(liveness(subject), verdictEventId(verdictId), 'verdict', subject, 'bad', summary, data)
    this.#requireStored(verdictEventId(verdictId), 'verdict')
  }

  /** What a detector of a node says now, held against what it said before. */
  report(node: string, detector: string, findings: readonly Finding[]): void {
    const fact = `findings/${node}/${detector}`
    const before = JSON.parse(this.#store.readFact(fact) ?? '{}') as Record<string, string>
    const now = Object.fromEntries(findings.filter(isNews).map(({ id, summary }) => [id, summary]))
    for (const finding of findings.filter(isNews)) {
      const tone = finding.status === 'unknown' || finding.status === 'info' ? 'info' : 'bad'
      const { reason, status, summary, evidence } = finding
      this.#record(findingEventId(finding.id), 'finding', node, tone, `${reason} (${status}): ${summary}`, '', {
        detector,
        evidence,
      })
    }
    for (const [id, summary] of Object.entries(before)) {
      if (id in now) continue
      const began = findingEventId(id)
      const cause = this.#lastOf.get(began) ?? began
      this.#record(`${began}/cleared`, 'finding', node, 'good', `cleared: ${summary}`, cause, { detector })
      this.#lastOf.delete(began)
    }
    if (JSON.stringify(before) !== JSON.stringify(now)) this.#store.writeFact(fact, JSON.stringify(now))
  }

  remediation(remediation: Remediation): void {
    const { plan, phase, why, permitId } = remediation
    const thread = `plan/${plan.id}@${plan.createdAt}`
    const changes = plan.changes.map(({ what, before, after }) => `${what}: ${before} → ${after}`).join('; ')
    const began = findingEventId(plan.findingId)
    this.#record(thread, 'plan', plan.node, 'act', `${plan.remediator} would change ${changes}`, began, { plan })
    if (phase === 'awaiting-approval') return
    const cause = this.#lastOf.get(thread) ?? permitId ?? thread
    const id = `${thread}/${phase}`
    const tone = phase === 'verified' ? 'good' : BAD_PHASES.has(phase) ? 'bad' : 'info'
    this.#record(id, 'remediation', plan.node, tone, `${phase}: ${why}`, cause, { planId: plan.id, phase })
    this.#lastOf.set(began, id)
    if (phase === 'applying' || phase === 'verifying') this.#lastOf.set(thread, id)
    else this.#lastOf.delete(thread)
  }

  /** Durable when it returns, so that a permit is on record before it is sent. */
  decision(permit: Permit, remediation: Remediation): Event {
    const { plan } = remediation
    const thread = `plan/${plan.id}@${plan.createdAt}`
    const said = permit.action === 'approve' ? 'approved' : 'rejected'
    const reason = permit.reason === '' ? '' : `: ${permit.reason}`
    const summary = `${said} by ${permit.by} (${permit.via})${reason}`
    const event = this.#record(permit.id, 'decision', permit.node, 'act', summary, thread, { permit })
    this.#requireStored(permit.id, 'decision')
    this.#lastOf.set(thread, permit.id)
    return event
  }

  settings(id: string, tone: Event['tone'], summary: string, node = ''): void {
    this.#record(id, 'settings', node, tone, summary, '')
  }

  /** As `record`, caused by the thread's last event, and its new last one. */
  #follow(
    thread: string,
    id: string,
    kind: EventKind,
    node: string,
    tone: Event['tone'],
    summary: string,
    data: object,
  ): void {
    this.#record(id, kind, node, tone, summary, this.#lastOf.get(thread) ?? '', data)
    this.#lastOf.set(thread, id)
  }

  /**
   * Whether an aggregator that has just started finds this node's condition on record already: then that is gone on with
   * and not told a second time. `open`: the kinds of event that such a condition can have ended at.
   */
  #adopts(node: string, open: readonly EventKind[]): boolean {
    if (this.#lastOf.has(liveness(node))) return false
    const last = this.#store.query({ node, kinds: LIVENESS, limit: 1 })[0]
    if (last === undefined || !open.includes(last.kind)) return false
    this.#lastOf.set(liveness(node), last.id)
    return true
  }

  /** Throws when what must be on record before anybody is told of it is not. */
  #requireStored(id: string, kind: EventKind): void {
    if (this.#store.byId(id)?.kind !== kind) throw new Error(`${kind} ${id} could not be put on record`)
  }

  #nextId(kind: EventKind, node: string): string {
    return `${kind}/${node}/${this.#prefix}.${++this.#count}`
  }

  #record(
    id: string,
    kind: EventKind,
    node: string,
    tone: Event['tone'],
    summary: string,
    causedBy: string,
    data: object = {},
  ): Event {
    const event: Event = { id, at: new Date().toISOString(), kind, node, tone, summary, causedBy, data: { ...data } }
    const stored = this.#store.append(event)
    if (stored !== null) this.#onStored(stored)
    return stored ?? event
  }
}

const BAD_PHASES: ReadonlySet<string> = new Set(['reverted', 'revert-failed', 'failed', 'refused'])

/** What is worth an event: `ok` and `not-applicable` are the absence of one. */
function isNews({ status }: Finding): boolean {
  return status !== 'ok' && status !== 'not-applicable'
}

/** What can be the last that is known of whether a node lives. */
const SUSPICION = ['suspected', 'candidate', 'roll-call', 'withheld'] as const
const AGENT_DOWN = ['agent-down'] as const
const LIVENESS = [...SUSPICION, ...AGENT_DOWN, 'unsuspected', 'verdict', 'recovered', 'agent-up'] as const

/** The thread of a node's liveness. */
function liveness(node: string): string {
  return `live/${node}`
}

/** A prefix of their own, since a node chooses the rest of a finding's id. */
function findingEventId(findingId: string): string {
  return `finding/${findingId}`
}

function verdictEventId(verdictId: string): string {
  return `verdict/${verdictId}`
}
