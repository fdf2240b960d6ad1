/** What was asked of the leader and what it said, as history. An answer is on record before it is sent, or is not sent. */
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Plan } from '../../remediators/contract.ts'
import type { Decision, GuardVerdict, Permit, PermitRequest, Refusal } from '../../remediators/permits.ts'
import type { Chronicle } from '../chronicle.ts'
import type { Event, EventKind } from '../model.ts'
import { type PauseScope, type PauseView, planEventId, type Release, type ReleaseScope } from '../remediation-model.ts'

export type Answer =
  | { readonly permit: Permit; readonly refusal?: never }
  | { readonly permit?: never; readonly refusal: Refusal }

/** Of one node, newest first: approvals of a plan that is still open are among them. */
const DECISIONS_READ = 200

const REQUESTS_READ = 1_000

export class PermitStory {
  readonly #chronicle: Chronicle

  constructor(chronicle: Chronicle) {
    this.#chronicle = chronicle
  }

  /** Durable when it returns. Throws an Error when it cannot be. */
  permitted(permit: Permit, request: PermitRequest, plan: Plan, verdicts: readonly GuardVerdict[]): void {
    const thread = planEventId(plan)
    const id = eventIdOf('permit', permit.nonce)
    const summary = `${plan.remediator} may begin: ${verdicts.length} guards allow it`
    this.#record(id, 'permit', plan.node, 'info', summary, this.#causeOf(thread, request), {
      permit,
      request,
      verdicts,
    })
    this.#chronicle.goOnFrom(thread, id)
  }

  /** Durable when it returns. Throws an Error when it cannot be. `plan`: undefined for one that is not known. */
  refused(refusal: Refusal, request: PermitRequest, plan: Plan | undefined, verdicts: readonly GuardVerdict[]): void {
    const says = refusal.guards.map(({ guard, why }) => `${guard}: ${why}`).join('; ')
    const cause = plan === undefined ? '' : this.#causeOf(planEventId(plan), request)
    const id = eventIdOf('permit-refused', refusal.nonce)
    const summary = `${plan?.remediator ?? 'a fix'} may not begin now: ${says}`
    this.#record(id, 'permit-refused', refusal.node, 'info', summary, cause, { refusal, request, verdicts })
  }

  /** What was answered to this request; undefined when nothing was. */
  answerTo({ nonce, node, planId }: PermitRequest): Answer | undefined {
    const { store } = this.#chronicle
    const isSame = (one: { readonly node: string; readonly planId: string }) =>
      one.node === node && one.planId === planId
    const permit = store.byId(eventIdOf('permit', nonce))?.data.permit as Permit | undefined
    if (permit !== undefined && isSame(permit)) return { permit }
    const refusal = store.byId(eventIdOf('permit-refused', nonce))?.data.refusal as Refusal | undefined
    return refusal !== undefined && isSame(refusal) ? { refusal } : undefined
  }

  /** Approvals of just this plan, as it was proposed this time; none from before somebody rejected it. Oldest first. */
  approvalsOf(plan: Plan): readonly Decision[] {
    const thread = planEventId(plan)
    const events = this.#chronicle.store.query({ kinds: ['decision'], node: plan.node, limit: DECISIONS_READ })
    const decisions = events.flatMap(({ causedBy, data }) => {
      const decision = data.decision as Decision | undefined
      return causedBy === thread && decision !== undefined ? [decision] : []
    })
    const rejected = Math.max(...decisions.flatMap(({ action, at }) => (action === 'reject' ? Date.parse(at) : [])))
    return decisions.filter(({ action, planHash, evidenceHash, at }) => {
      const isOfIt = planHash === plan.planHash && evidenceHash === plan.evidenceHash
      return action === 'approve' && isOfIt && Date.parse(at) > rejected
    })
  }

  /** What was asked for since then (RFC 3339), as far as this aggregator answered; oldest first. */
  askedSince(since: string): readonly { readonly node: string; readonly planId: string; readonly at: string }[] {
    const events = this.#chronicle.store.query({ kinds: ['permit', 'permit-refused'], limit: REQUESTS_READ })
    return events.flatMap(({ at, data }) => {
      const { node, planId } = data.request as PermitRequest
      return at >= since ? [{ node, planId, at }] : []
    })
  }

  /** On record before it takes effect. Throws an Error when it cannot be. */
  paused({ scope, reason, until }: PauseView, by: string, via: Release['via']): Event {
    const says = `nothing is begun ${inScope(scope)} until ${until}, by ${by} (${via}): ${reason}`
    return this.#decided('pause', nodeOf(scope), says, { scope, until, by, via, reason })
  }

  /** Told again, by the same aggregator, it is the same event. Throws an Error when it cannot be stored. */
  pauseOver({ scope, by, reason, until }: PauseView): void {
    const id = `pause-over/${JSON.stringify(scope)}@${until}`
    const says = `the pause ${inScope(scope)} is over, as its time is; it was by ${by}: ${reason}`
    this.#record(id, 'decision', nodeOf(scope), 'info', says, this.#pauseOf(scope, until), { scope, until })
  }

  resumed(scope: PauseScope, { reason, via }: Release, by: string): Event {
    const says = `the pause ${inScope(scope)} ended by ${by} (${via}): ${reason}`
    return this.#decided('resume', nodeOf(scope), says, { scope, by, via, reason })
  }

  released(scope: ReleaseScope, { reason, via }: Release, by: string): Event {
    const what = scope.kind === 'all' ? 'everywhere' : `of ${scope.kind} ${scope.name}`
    const says = `what failed or spread ${what} until now holds nothing back any more, by ${by} (${via}): ${reason}`
    return this.#decided('release', '', says, { scope, by, via, reason })
  }

  /** The event with which it began; empty where another aggregator has that in its history. */
  #pauseOf(scope: PauseScope, until: string): string {
    const decisions = this.#chronicle.store.query({ kinds: ['decision'], node: nodeOf(scope), limit: DECISIONS_READ })
    const isIt = ({ data }: Pick<Event, 'data'>) => isDeepStrictEqual(data.scope, scope) && data.until === until
    return decisions.find(isIt)?.id ?? ''
  }

  #decided(what: string, node: string, summary: string, data: object): Event {
    const id = `${what}-${randomUUID()}`
    const event = this.#chronicle.record(id, 'decision', node, 'act', summary, '', data)
    this.#chronicle.requireStored(id, 'decision')
    return event
  }

  #record(id: string, kind: EventKind, node: string, tone: Event['tone'], says: string, cause: string, data: object) {
    this.#chronicle.record(id, kind, node, tone, says, cause, data)
    this.#chronicle.requireStored(id, kind)
  }

  #causeOf(thread: string, { decisionId }: PermitRequest): string {
    return this.#chronicle.last(thread) || (decisionId ?? thread)
  }
}

/** Made of the nonce, so that one request has one answer. */
function eventIdOf(kind: 'permit' | 'permit-refused', nonce: string): string {
  return `${kind}/${nonce}`
}

function nodeOf(scope: PauseScope): string {
  return scope.kind === 'node' ? scope.name : ''
}

function inScope(scope: PauseScope): string {
  return scope.kind === 'all' ? 'anywhere' : `in ${scope.kind} ${scope.name}`
}
