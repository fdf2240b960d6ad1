/** A person's word on a plan that waits for it, as it goes to the node. */
import { randomUUID } from 'node:crypto'
import { StarlingError } from '../common/errors.ts'
import type { StatementBody } from '../mesh/core/model.ts'
import type { RemediationPhase } from '../remediators/contract.ts'
import { decisionTopic, decodeDecision, encodeNote, isDecisionTopic } from '../remediators/notes.ts'
import type { Decision } from '../remediators/permits.ts'
import type { Fleet } from './fleet.ts'
import type { Event } from './model.ts'
import type { Recorder } from './recorder.ts'
import type { DecisionRequest } from './remediation-model.ts'

/** A node that has not begun within this time after it got the decision must not begin at all (docs/protocol.md, permits). */
const DECISION_TTL_MS = 30_000

/** What was approved, or needs no approval, and was not begun: a person can still forbid it. */
const MAY_BE_STOPPED: ReadonlySet<RemediationPhase> = new Set(['proposed', 'awaiting-window', 'refused'])

export class Approvals {
  readonly #fleet: Pick<Fleet, 'remediation'>
  readonly #recorder: Pick<Recorder, 'decision'>
  readonly #whyHeld: (node: string, detector: string) => string | undefined
  readonly #decided = new Set<string>()

  /** `whyHeld`: why what a detector of a node finds does not count at present; undefined when it does. */
  constructor(
    fleet: Pick<Fleet, 'remediation'>,
    recorder: Pick<Recorder, 'decision'>,
    whyHeld: (node: string, detector: string) => string | undefined,
  ) {
    this.#whyHeld = whyHeld
    this.#fleet = fleet
    this.#recorder = recorder
  }

  /**
   * Another aggregator led, and sent what a person decided: who leads next must know of it. Throws an Error for a note that
   * is none.
   */
  hear(body: StatementBody): void {
    if (body.kind !== 'note' || !isDecisionTopic(body.topic)) return
    const decision = decodeDecision(body.bytes)
    const remediation = this.#fleet.remediation(decision.planId)
    if (remediation !== undefined) this.#recorder.decision(decision, remediation)
  }

  /** Throws StarlingError when the plan is unknown or no longer waits for a decision. */
  decide(
    { id, planId, action, reason, via }: DecisionRequest,
    by: string,
    publish: (topic: string, bytes: Uint8Array, ttlMs: number) => void,
  ): Event {
    const remediation = this.#fleet.remediation(planId)
    if (remediation === undefined) throw new StarlingError(`there is no plan ${planId}`)
    const { plan, phase, ended } = remediation
    const key = `${plan.id}@${plan.createdAt}`
    const isOpen = phase === 'awaiting-approval' || (action === 'reject' && !ended && MAY_BE_STOPPED.has(phase))
    if (!isOpen) throw new StarlingError(`plan ${planId} waits for no decision: it is ${phase}`)
    if (this.#decided.has(key)) throw new StarlingError(`plan ${planId} was decided a moment ago`)
    if (action === 'approve' && plan.risk === 'dangerous') {
      const remedy = 'carry it out by hand, or reject it'
      throw new StarlingError(
        `plan ${planId} is dangerous: two different people must approve it, and whoever has the token is ${by}`,
        { remedy },
      )
    }
    const held = action === 'approve' ? this.#whyHeld(plan.node, plan.detector) : undefined
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
      at: new Date().toISOString(),
      ttlMs: DECISION_TTL_MS,
    }
    const event = this.#recorder.decision(decision, remediation)
    this.#decided.add(key)
    // A decision that never arrived is void by then: the plan, if it still waits, can be decided again.
    setTimeout(() => this.#decided.delete(key), DECISION_TTL_MS).unref()
    publish(decisionTopic(planId), encodeNote(decision), DECISION_TTL_MS)
    return event
  }
}
