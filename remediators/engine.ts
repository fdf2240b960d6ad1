/**
 * What a node does about its faults, as a state machine: from a finding to a plan, by a person's decision or a rule, with the
 * leader's permit, to a change, and by a fresh look of the detector to an outcome. Pure: `step` says what is to be saved,
 * said, asked for and done; run.ts does it.
 *
 *   proposed | awaiting-approval | awaiting-window | refused  -> withdrawn | rejected
 *      `-> permitted -> applying -> verifying -> verified
 *             |            |           `-> no-effect -> reverted | revert-failed   (the fault is still there)
 *             |            |-> failed -> reverted | revert-failed                  (applying did not work)
 *             |            `-> refused                                             (the host had changed; nothing was done)
 *             `-> proposed | awaiting-window                                       (it was too late to begin)
 *
 * A fault that a rung of its ladder did not mend gets a plan of the next; after the last it is `escalated`.
 */
import type { Moment } from '../common/moment.ts'
import type { Finding } from '../detectors/contract.ts'
import type { Around } from './alone.ts'
import { type CollectResult, giveUpWaits, onCollected, onPermit, onRefusal, startNext } from './begin.ts'
import { type ApplyResult, lookAgain, onApplied, onReverted, onVerified } from './carry-out.ts'
import { onDecision, voidApprovals } from './decide.ts'
import type { Decision, Permit, Refusal } from './permits.ts'
import type { Rules } from './policy/rules.ts'
import { type InspectResult, onInspected, onReconfigured, onReport } from './propose.ts'
import { onResume } from './resume.ts'
import { andThen, type FixState, nothing, type StepResult } from './state.ts'

export type FixInput =
  /** First of all, once, with the state from disk. */
  | { readonly kind: 'resume' }
  /** The rules are others than at the step before. */
  | { readonly kind: 'reconfigured' }
  /** Everything that one detector says about this node now. */
  | { readonly kind: 'report'; readonly detector: string; readonly findings: readonly Finding[] }
  | {
      readonly kind: 'inspected'
      readonly remediator: string
      readonly finding: Finding
      readonly result: InspectResult
    }
  /** Of these three the signatures have been verified, and that the signers may say this. */
  | { readonly kind: 'decision'; readonly decision: Decision }
  | { readonly kind: 'permit'; readonly permit: Permit }
  | { readonly kind: 'refusal'; readonly refusal: Refusal }
  | { readonly kind: 'collected'; readonly planId: string; readonly result: CollectResult }
  | { readonly kind: 'applied'; readonly planId: string; readonly result: ApplyResult }
  | { readonly kind: 'verified'; readonly planId: string; readonly findings: readonly Finding[] }
  /** `failure`: what could not be put back; null when everything was. */
  | { readonly kind: 'reverted'; readonly planId: string; readonly failure: string | null }
  /** After every other input, and about once a second. The only one that asks for a fix, or begins one without a permit. */
  | { readonly kind: 'tick'; readonly around: Around }

/** Effects are to be carried out in their order; `save` is the first whenever anything changed. */
export function step(rules: Rules, state: FixState, now: Moment, input: FixInput): StepResult {
  const result = take(rules, state, now, input)
  if (result.state === state) return result
  return { state: { ...result.state, clockMs: now.ms }, effects: [{ kind: 'save' }, ...result.effects] }
}

function take(rules: Rules, state: FixState, now: Moment, input: FixInput): StepResult {
  switch (input.kind) {
    case 'resume':
      return onResume(state, now)
    case 'reconfigured':
      return nothing(onReconfigured(state))
    case 'report':
      return onReport(rules, state, now, input.detector, input.findings)
    case 'inspected':
      return onInspected(rules, state, now, input.remediator, input.finding, input.result)
    case 'decision':
      return onDecision(rules, state, now, input.decision)
    case 'permit':
      return onPermit(state, now, input.permit)
    case 'refusal':
      return onRefusal(state, now, input.refusal)
    case 'collected':
      return onCollected(state, now, input.planId, input.result)
    case 'applied':
      return onApplied(state, now, input.planId, input.result)
    case 'verified':
      return onVerified(rules, state, now, input.planId, input.findings)
    case 'reverted':
      return onReverted(state, now, input.planId, input.failure)
    case 'tick':
      return onTick(rules, state, now, input.around)
  }
}

/** Time has passed, or something has ended. */
function onTick(rules: Rules, before: FixState, now: Moment, around: Around): StepResult {
  return andThen(
    andThen(
      andThen(voidApprovals(before, now), (state) => giveUpWaits(state, now)),
      (state) => lookAgain(state, now),
    ),
    (state) => startNext(rules, state, now, around),
  )
}
