/** What was decided on is what is begun, for a fault that the leader sees itself and that stands still. */
import { ALIKE, allow, type Guard, HARD, refuse } from './guard.ts'
import type { GuardView } from './view.ts'

const REST_MS = 60_000

export const evidence: Guard = {
  name: 'evidence',
  refuses: 'a plan that is not the one the leader knows, or whose fault is gone, held, or unknown',
  reachNone: ALIKE,
  limits: () => HARD,
  judge(view) {
    const { plan, faults } = view
    const differs = difference(view)
    if (differs !== undefined)
      return refuse(`the request is not for the plan that the leader knows: ${differs} differs`, REST_MS)
    const fault = `${plan.reason}${plan.cause === '' ? '' : ` (${plan.cause})`}`
    const same = faults.filter(
      ({ node, reason, cause }) => node === plan.node && reason === plan.reason && cause === plan.cause,
    )
    if (same.length === 0) return refuse(`${plan.node} does not report ${fault} any more`, REST_MS)
    const held = same.find((one) => one.held !== undefined)?.held
    if (held !== undefined) return refuse(`${fault} of ${plan.node} does not count now: ${held}`, REST_MS)
    return allow(`${plan.node} reports ${fault}`)
  },
}

function difference({ request, plan }: GuardView): string | undefined {
  if (request.planId !== plan.id) return 'the id'
  if (request.node !== plan.node) return 'the node'
  if (request.planHash !== plan.planHash) return 'the plan'
  return request.evidenceHash === plan.evidenceHash ? undefined : 'the evidence'
}
