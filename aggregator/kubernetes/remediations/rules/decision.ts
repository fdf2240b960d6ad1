/** What a person decides by an object, and whether that counts. Pure. */
import { z } from 'zod'
import type { Remediation } from '../../../../remediators/contract.ts'
import { isSame } from './is-same.ts'
import type { RemediationObject } from './object.ts'
import { type Shown, visible } from './shown.ts'
import { decisionIdOf } from './tokens.ts'

/** As `deploy/kubernetes/remediations.yaml` has it: another definition may be in its place. */
const decisionSchema = z.strictObject({
  action: z.enum(['Approve', 'Reject']),
  proposal: z.string(),
  reason: z.string().max(500).default(''),
})

/** What became of a decision, as reason of the condition `DecisionTaken`. */
export type Refused =
  | 'SwitchedOff'
  | 'Unreadable'
  | 'NoSuchPlan'
  | 'AnotherProposal'
  | 'Altered'
  | 'NotShownWhole'
  | 'TwoPeopleNeeded'
  | 'NotTaken'

export type Judgement =
  | { readonly kind: 'none' }
  /** It is not known yet what nodes say. */
  | { readonly kind: 'later' }
  | { readonly kind: 'take' | 'known'; readonly id: string; readonly action: Action; readonly reason: string }
  | { readonly kind: 'void'; readonly reason: Refused; readonly why: string }

export type Action = 'approve' | 'reject'

export interface JudgeInit {
  /** The plan as its node said it last; undefined when none did. */
  readonly remediation: Remediation | undefined
  readonly shown: Shown | undefined
  /** Settings let objects decide. */
  readonly isOn: boolean
  /** Long enough in office to have heard what nodes say. */
  readonly isSettled: boolean
}

/**
 * An object does not carry its writer's name, and whoever may write it may write all of its spec. So a decision counts only
 * for the very proposal that it names, and only while everything that the object shows is what the leader wrote.
 */
export function judge(object: RemediationObject, { remediation, shown, isOn, isSettled }: JudgeInit): Judgement {
  const said = object.spec?.decision
  if (said === undefined || said === null) return { kind: 'none' }
  if (!isOn) return refused('SwitchedOff', 'settings do not let objects decide (approvals.byObject)')
  const parsed = decisionSchema.safeParse(said)
  if (!parsed.success) return refused('Unreadable', 'it is no decision: action Approve or Reject, proposal, reason')
  const { action, proposal, reason } = parsed.data
  if (remediation === undefined || shown === undefined) {
    return isSettled ? refused('NoSuchPlan', 'no node has such a plan') : { kind: 'later' }
  }
  const { spec, status } = shown
  if (proposal !== spec.proposal) return refused('AnotherProposal', `it names another proposal than ${spec.proposal}`)
  const id = decisionIdOf(object)
  const decision = { id, action: action === 'Approve' ? 'approve' : 'reject', reason: visible(reason) } as const
  // The node has it: who led before took it, and could not say so here any more.
  if (remediation.decisionId === id) return { kind: 'known', ...decision }
  const { decision: _, ...ours } = object.spec ?? {}
  const isAsShown = isSame(ours, spec) && isSame(object.status?.plan, status.plan)
  if (!isAsShown) return refused('Altered', 'the object showed something else than the plan: look again, then decide')
  if (decision.action === 'reject') return { kind: 'take', ...decision }
  if (status.leftOut > 0) return refused('NotShownWhole', 'the plan does not fit into an object: decide on the page')
  if (remediation.plan.risk === 'dangerous') {
    return refused('TwoPeopleNeeded', 'it is dangerous: two known people must approve it, and an object names nobody')
  }
  return { kind: 'take', ...decision }
}

function refused(reason: Refused, why: string): Judgement {
  return { kind: 'void', reason, why }
}
