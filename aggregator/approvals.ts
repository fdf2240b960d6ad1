/**
 * A person's word on a plan that waits for it, as it goes to the node. On a dangerous plan the first of two goes to the other
 * aggregators alone, so that whoever leads an hour later knows of it: the node hears of the second, and asks for its permit.
 */
import { randomUUID } from 'node:crypto'
import { StarlingError } from '../common/errors.ts'
import type { StatementBody } from '../mesh/core/model.ts'
import type { Plan, Remediation, RemediationPhase } from '../remediators/contract.ts'
import { PEOPLE_FOR_DANGEROUS } from '../remediators/guards/approval.ts'
import {
  approvalTopic,
  decisionTopic,
  decodeDecision,
  encodeNote,
  isApprovalTopic,
  isDecisionTopic,
} from '../remediators/notes.ts'
import type { Decision } from '../remediators/permits.ts'
import type { Fleet } from './fleet.ts'
import { personBehind, standingNow, TOGETHER_WITHIN_MS } from './four-eyes.ts'
import type { Event } from './model.ts'
import type { Person } from './people.ts'
import type { Recorder } from './recorder.ts'
import type { DecisionRequest, FirstApprovalView } from './remediation-model.ts'

/** A node that has not begun within this time after it got the decision must not begin at all (docs/protocol.md, permits). */
const DECISION_TTL_MS = 30_000

/** What was approved, or needs no approval, and was not begun: a person can still forbid it. */
const MAY_BE_STOPPED: ReadonlySet<RemediationPhase> = new Set(['proposed', 'awaiting-window', 'refused'])

/** Of plans that nobody spoke of yet; more come only from one who means harm, and who was not heard is asked again. */
const EARLY_MAX = 1_000

export interface ApprovalsInit {
  readonly fleet: Pick<Fleet, 'remediation' | 'remediations'>
  readonly recorder: Pick<Recorder, 'decision'> & { readonly permits: Pick<Recorder['permits'], 'approvalsOf'> }
  /** Who is known by name now. */
  people(): readonly Person[]
  /** Why what a detector of a node finds does not count at present; undefined when it does. */
  whyHeld(node: string, detector: string): string | undefined
  wallNow(): number
}

type Publish = (topic: string, bytes: Uint8Array, ttlMs: number) => void

export class Approvals {
  readonly #init: ApprovalsInit
  readonly #decided = new Set<string>()
  /** By plan: decisions that overtook what they are about. */
  readonly #early = new Map<string, readonly Decision[]>()
  /** By plan as it was proposed, as on record: a page that looks on reads no history. */
  readonly #onRecord = new Map<string, readonly Decision[]>()

  constructor(init: ApprovalsInit) {
    this.#init = init
  }

  /**
   * Another aggregator led, and sent what a person decided: who leads next must know of it. Throws an Error for a note that
   * is none.
   */
  hear(body: StatementBody): void {
    if (body.kind !== 'note' || !(isDecisionTopic(body.topic) || isApprovalTopic(body.topic))) return
    const decision = decodeDecision(body.bytes)
    const { planId } = decision
    const remediation = this.#init.fleet.remediation(planId)
    if (remediation !== undefined) this.#record(decision, remediation)
    else this.#early.set(planId, [...(this.#early.get(planId) ?? []), decision])
    for (const oldest of this.#early.keys()) if (this.#early.size > EARLY_MAX) this.#early.delete(oldest)
  }

  /** A node spoke of this plan: what was decided on it before can be put on record. */
  heardOf(remediation: Remediation): void {
    const { id } = remediation.plan
    for (const decision of this.#early.get(id) ?? []) this.#record(decision, remediation)
    this.#early.delete(id)
  }

  /** Of dangerous plans that wait, what the first person said. */
  view(): readonly FirstApprovalView[] {
    const plans = this.#init.fleet.remediations().flatMap(({ plan, phase }) => {
      return plan.risk === 'dangerous' && phase === 'awaiting-approval' ? [plan] : []
    })
    const open = new Set(plans.map(keyOf))
    for (const key of this.#onRecord.keys()) if (!open.has(key)) this.#onRecord.delete(key)
    return plans.flatMap((plan) => {
      const [first, second] = this.#standing(plan)
      if (first === undefined || second !== undefined) return []
      return [{ planId: plan.id, by: first.person, at: rfc3339(first.atMs), until: rfc3339(first.untilMs) }]
    })
  }

  /** Throws StarlingError when the plan is unknown or no longer waits for a decision, and when it is not for `by` to decide. */
  decide({ id, planId, action, reason, via }: DecisionRequest, by: string, publish: Publish): Event {
    const remediation = this.#init.fleet.remediation(planId)
    if (remediation === undefined) throw new StarlingError(`there is no plan ${planId}`)
    const { plan, phase, ended } = remediation
    const key = keyOf(plan)
    const isOpen = phase === 'awaiting-approval' || (action === 'reject' && !ended && MAY_BE_STOPPED.has(phase))
    if (!isOpen) throw new StarlingError(`plan ${planId} waits for no decision: it is ${phase}`)
    if (this.#decided.has(key)) throw new StarlingError(`plan ${planId} was decided a moment ago`)
    const held = action === 'approve' ? this.#init.whyHeld(plan.node, plan.detector) : undefined
    if (held !== undefined) {
      const remedy = `\`starling settings release ${plan.detector}\` lets its findings count again`
      throw new StarlingError(`what plan ${planId} would mend is held, since ${held}`, { remedy })
    }
    const decision: Decision = {
      id: id ?? `decision-${randomUUID()}`,
      planId,
      planHash: plan.planHash,
      evidenceHash: plan.evidenceHash,
      node: plan.node,
      action,
      by,
      via,
      reason,
      at: rfc3339(this.#init.wallNow()),
      ttlMs: DECISION_TTL_MS,
    }
    const isDangerous = plan.risk === 'dangerous'
    const isFirst = isDangerous && action === 'approve' && this.#isFirst(plan, decision)
    const event = this.#record(decision, remediation, isFirst)
    if (isDangerous && (isFirst || action === 'reject')) {
      publish(approvalTopic(planId), encodeNote(decision), TOGETHER_WITHIN_MS)
    }
    if (isFirst) return event
    this.#decided.add(key)
    // A decision that never arrived is void by then: the plan, if it still waits, can be decided again.
    setTimeout(() => this.#decided.delete(key), DECISION_TTL_MS).unref()
    publish(decisionTopic(planId), encodeNote(decision), DECISION_TTL_MS)
    return event
  }

  /** Whether this approval is one person's alone. Throws StarlingError when it would be no further word. */
  #isFirst(plan: Plan, decision: Decision): boolean {
    const { by, planId } = decision
    if (personBehind(this.#init.people(), decision) === undefined) {
      const remedy = 'use a token of your own: `starling people add NAME` makes one'
      throw new StarlingError(
        `plan ${planId} is dangerous: ${PEOPLE_FOR_DANGEROUS} people who are known by name must approve it, and nobody knows who ${by} is`,
        { remedy },
      )
    }
    const standing = this.#standing(plan)
    if (standing.some(({ person }) => person !== by)) return false
    const own = standing[0]
    if (own === undefined) return true
    throw new StarlingError(
      `you have approved plan ${planId}, ${by}: until ${rfc3339(own.untilMs)} somebody else must approve it too, since it is dangerous`,
      { remedy: 'ask another person to look at it, or reject it' },
    )
  }

  #standing(plan: Plan) {
    const { recorder, people, wallNow } = this.#init
    const key = keyOf(plan)
    const approvals = this.#onRecord.get(key) ?? recorder.permits.approvalsOf(plan)
    this.#onRecord.set(key, approvals)
    return standingNow(approvals, people(), wallNow())
  }

  #record(decision: Decision, remediation: Remediation, isFirst = false): Event {
    const until = rfc3339(Date.parse(decision.at) + TOGETHER_WITHIN_MS)
    const standing = isFirst ? `, 1 of ${PEOPLE_FOR_DANGEROUS}, until ${until}` : ''
    const event = this.#init.recorder.decision(decision, remediation, standing)
    this.#onRecord.delete(keyOf(remediation.plan))
    return event
  }
}

/** Planned anew a plan has the same id and another beginning. */
function keyOf({ id, createdAt }: Plan): string {
  return `${id}@${createdAt}`
}

function rfc3339(wallMs: number): string {
  return new Date(wallMs).toISOString()
}
