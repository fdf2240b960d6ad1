/**
 * What a node does about its faults, as a state machine: from a finding to a plan, by a person's decision to a change, and
 * by a fresh look of the detector to an outcome. Pure: `step` says what is to be saved, said and done; run.ts does it.
 *
 *   awaiting-approval -> applying -> verifying -> verified
 *          |                |            `------> reverted | revert-failed   (the fault is still there)
 *          |                |-> failed | revert-failed   (applying did not work; everything was put back)
 *          |                `-> refused                  (the host had changed; nothing was done)
 *          `-> rejected | withdrawn
 */
import type { Moment } from '../common/moment.ts'
import type { Finding } from '../detectors/contract.ts'
import { type ApplyResult, onApplied, onResume, onReverted, onTick, onVerified } from './carry-out.ts'
import { onDecision } from './decide.ts'
import type { Decision } from './permits.ts'
import { onReport } from './propose.ts'
import type { Rules } from './settings.ts'
import type { FixState, StepResult } from './state.ts'

export type FixInput =
  /** First of all, once, with the state from disk. */
  | { readonly kind: 'resume' }
  /** Everything that one detector says about this node now. */
  | { readonly kind: 'report'; readonly detector: string; readonly findings: readonly Finding[] }
  /** Its signature has been verified. */
  | { readonly kind: 'decision'; readonly decision: Decision }
  | { readonly kind: 'applied'; readonly planId: string; readonly result: ApplyResult }
  | { readonly kind: 'verified'; readonly planId: string; readonly findings: readonly Finding[] }
  /** `failure`: what could not be put back; null when everything was. */
  | { readonly kind: 'reverted'; readonly planId: string; readonly failure: string | null }
  /** After every other input, and about once a second. The only one that starts a fix. */
  | { readonly kind: 'tick' }

/** Effects are to be carried out in their order; `save` is the first whenever anything changed. */
export function step(rules: Rules, state: FixState, now: Moment, input: FixInput): StepResult {
  const result = take(rules, state, now, input)
  return result.state === state ? result : { state: result.state, effects: [{ kind: 'save' }, ...result.effects] }
}

function take(rules: Rules, state: FixState, now: Moment, input: FixInput): StepResult {
  switch (input.kind) {
    case 'resume':
      return onResume(state, now)
    case 'report':
      return onReport(rules, state, now, input.detector, input.findings)
    case 'decision':
      return onDecision(rules, state, now, input.decision)
    case 'applied':
      return onApplied(state, now, input.planId, input.result)
    case 'verified':
      return onVerified(rules, state, now, input.planId, input.findings)
    case 'reverted':
      return onReverted(state, now, input.planId, input.failure)
    case 'tick':
      return onTick(state, now)
  }
}
