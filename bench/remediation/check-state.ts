/** What must hold of what a node says of its fixes and keeps of them. */
import { isDeepStrictEqual } from 'node:util'
import type { Remediation } from '../../remediators/contract.ts'
import type { FixInput } from '../../remediators/engine.ts'
import { decodeRemediation, encodeNote, remediationTopic } from '../../remediators/notes.ts'
import type { Effect } from '../../remediators/state.ts'
import { decodeFixState, encodeFixState } from '../../remediators/store.ts'
import type { Seen, SeenAgent } from './invariants.ts'
import { keyOf } from './truth.ts'

const FAULTS: readonly string[] = ['warn', 'alarm', 'error']
/** Waiting, ended, and the active one: as the engine promises. */
const FIXES_MAX = 50 + 100 + 1
const CASES_MAX = 200
const USED_MAX = 1_000
/** A round trip over the disk takes long. */
const ROUND_TRIP_EVERY = 500

const FINAL: readonly string[] = ['verified', 'reverted', 'revert-failed', 'escalated', 'refused']

export function checkState(checker: Seen, agent: SeenAgent, remediation: Remediation): void {
  const { plan, phase, ended, permitId } = remediation
  const { node } = agent
  try {
    decodeRemediation(node, remediationTopic(plan.id), encodeNote(remediation))
  } catch (error) {
    checker.fail('bounded', node, `${plan.id} cannot be said: ${error}`)
  }
  if (phase === 'verified') checkVerified(checker, remediation)
  const deed = checker.deeds.get(keyOf(plan))
  if (ended !== true || deed === undefined || deed.end !== null) return
  const isIrreversible = phase === 'no-effect' && !agent.rules.byName.get(plan.remediator)?.remediator.reversible
  if (!FINAL.includes(phase) && !isIrreversible) checker.fail('outcome', node, `${plan.id} was begun and is ${phase}`)
  if (phase === 'refused' && deed.touched) checker.fail('outcome', node, `${plan.id} changed the host and is refused`)
  if (permitId === undefined && deed.permitId !== null)
    checker.fail('reported', node, `${plan.id} ended without saying under which permit`)
}

function checkVerified(checker: Seen, { plan }: Remediation): void {
  const looked = checker.looks.get(plan.id) ?? []
  const isClean = looked.length > 0 && looked.every(({ status }) => status !== 'unknown')
  const isLeft = looked.some(({ cause, status }) => cause === plan.cause && FAULTS.includes(status))
  if (!isClean || isLeft) checker.fail('outcome', plan.node, `${plan.id} is verified, and nobody saw the fault gone`)
}

export function checkBounds(checker: Seen, agent: SeenAgent, input: FixInput, effects: readonly Effect[]): void {
  const { state, node } = agent
  const { fixes, cases, usedPermits, usedDecisions } = state
  if (fixes.length > FIXES_MAX || cases.length > CASES_MAX)
    checker.fail('bounded', node, `${fixes.length} fixes and ${cases.length} cases are kept`)
  if (usedPermits.length > USED_MAX || usedDecisions.length > USED_MAX) checker.fail('bounded', node, 'ids pile up')
  if ((checker.counts.get('steps') ?? 0) % ROUND_TRIP_EVERY === 0)
    if (!isDeepStrictEqual(decodeFixState(encodeFixState(state)), state))
      checker.fail('bounded', node, 'the state does not survive the disk')
  for (const effect of effects) {
    if (effect.kind === 'announce' && isNewPlan(input, effect.remediation))
      checkReported(checker, agent, effect.remediation)
  }
}

function isNewPlan({ kind }: FixInput, { phase }: Remediation): boolean {
  return (kind === 'report' || kind === 'inspected') && (phase === 'proposed' || phase === 'awaiting-approval')
}

/** What is proposed is proposed for what was just seen. */
function checkReported(checker: Seen, { node, heard }: SeenAgent, { plan }: Remediation): void {
  const told = heard.get(plan.detector) ?? []
  const seen = told.find(({ reason, cause }) => reason === plan.reason && cause === plan.cause)
  const isUnknown = told.some(({ status }) => status === 'unknown')
  if (isUnknown || seen === undefined || !FAULTS.includes(seen.status) || seen.held !== undefined)
    checker.fail('unknown', node, `${plan.id} is proposed for ${isUnknown ? 'unknown' : (seen?.held ?? 'nothing')}`)
}
