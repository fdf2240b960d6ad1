/** Who is disrupted now, by anyone: what the budgets, the zones and the control plane are counted by. */
import type { Reach } from '../contract.ts'
import type { GuardView, OutstandingPermit } from './view.ts'

/** Whether a fix of this reach disturbs what runs on its node. */
export function disturbs({ reach }: { readonly reach: Reach }): boolean {
  return reach !== 'none'
}

/** But for the plan's own: a node that asks anew did not hear the answer, and what it was granted before is void. */
export function otherPermits({ outstanding, plan }: GuardView): readonly OutstandingPermit[] {
  return outstanding.filter(({ planId }) => planId !== plan.id)
}

/** What is wrong with each disrupted node, by name and in words: each node once, for whatever reasons. */
export function disrupted(view: GuardView): ReadonlyMap<string, string> {
  const why = new Map<string, string>()
  for (const { node, reach, remediator } of otherPermits(view)) {
    if (disturbs({ reach })) why.set(node, `in the hands of ${remediator}`)
  }
  for (const [node, { isDown, takenBy }] of view.nodes) {
    if (takenBy !== undefined) why.set(node, takenBy)
    if (isDown) why.set(node, 'down')
  }
  return why
}
