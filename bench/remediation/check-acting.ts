/** What must hold at the moment when a node begins to change its host. */
import type { Deed } from '../../remediators/deeds.ts'
import { BEGIN_WITHIN_MS } from '../../remediators/permits.ts'
import { isOpen } from '../../remediators/policy/windows.ts'
import type { Seen, SeenAgent } from './invariants.ts'
import { keyOf } from './truth.ts'

/** What it takes on its way, beside what counts on the node's own clock. */
const SLACK_MS = 1

export function checkActing(checker: Seen, agent: SeenAgent, deed: Extract<Deed, { kind: 'apply' }>): void {
  const { plan, permit } = deed
  const { world } = checker
  const { node } = agent
  const fail = (invariant: Parameters<Seen['fail']>[0], what: string) => checker.fail(invariant, node, what)
  const other = checker.acting.get(node)
  if (other !== undefined) fail('actor', `${plan.id} begins while ${other} is carried out`)
  if (plan.node !== node) fail('actor', `${plan.id} is of ${plan.node}`)
  if (checker.deeds.get(keyOf(plan))?.touched) fail('ambiguous', `${plan.id} is applied again`)
  const policy = agent.truth.fixes.find(({ remediation }) => remediation.plan.id === plan.id)?.remediation.policy
  const windows = world.policies.get(policy ?? '')?.windows ?? []
  const { wall } = agent.now()
  if (!isOpen(windows, wall)) fail('window', `${plan.id} begins at ${wall}, outside its windows`)
  if (permit === null) {
    checkAlone(checker, agent, deed)
    return
  }
  const granted = checker.permits.get(permit.id)
  if (checker.usedPermits.has(permit.id)) fail('permit', `${permit.id} is used again`)
  if (granted === undefined) fail('permit', `${permit.id} was never granted`)
  else if (granted.planId !== plan.id || granted.planHash !== plan.planHash || granted.node !== node)
    fail('permit', `${permit.id} is for another plan`)
  else if (world.now() - granted.grantedAt > BEGIN_WITHIN_MS + SLACK_MS)
    fail('permit', `${permit.id} was granted too long ago`)
}

function checkAlone(checker: Seen, agent: SeenAgent, { plan }: Extract<Deed, { kind: 'apply' }>): void {
  const { node, truth } = agent
  const { world } = checker
  const remediation = truth.fixes.find((fix) => fix.remediation.plan.id === plan.id)?.remediation
  const why =
    plan.reach !== 'none'
      ? `it reaches ${plan.reach}`
      : remediation?.mode !== 'auto'
        ? `its mode is ${remediation?.mode}`
        : !world.wasCut(node)
          ? 'its node was not cut off'
          : !world.wasItsOwn(node, plan.reason)
            ? 'its neighbours have the fault, or could not tell'
            : undefined
  if (why !== undefined) checker.fail('permit', node, `${plan.id} begins without a permit, and ${why}`)
}
