/** How much of the budgets is used, whoever uses it, for those who want to see it coming. Pure. */
import { limitOf } from '../../remediators/guards/budget.ts'
import { disrupted } from '../../remediators/guards/disruption.ts'
import type { GuardSettings } from '../../remediators/guards/settings.ts'
import type { GuardView, NodeFacts } from '../../remediators/guards/view.ts'

/** Disrupted nodes as a share of those that may be; of zones and pools the one where it is most. 1: nothing is left. */
export interface BudgetUse {
  readonly cluster: number
  readonly zone: number
  readonly pool: number
}

export function budgetUse(view: GuardView, { budgets }: Pick<GuardSettings, 'budgets'>): BudgetUse {
  const taken = disrupted(view)
  const most = (share: GuardSettings['budgets']['zone'], groupOf: (facts: NodeFacts) => string | undefined) => {
    const groups = new Map<string, { size: number; used: number }>()
    for (const [node, facts] of view.nodes) {
      const name = groupOf(facts)
      if (name === undefined) continue
      const { size, used } = groups.get(name) ?? { size: 0, used: 0 }
      groups.set(name, { size: size + 1, used: used + (taken.has(node) ? 1 : 0) })
    }
    return Math.max(0, ...[...groups.values()].map(({ size, used }) => used / limitOf(share, size)))
  }
  return {
    cluster: most(budgets.cluster, () => ''),
    zone: most(budgets.zone, ({ zone }) => zone),
    pool: most(budgets.pool, ({ pool }) => pool),
  }
}
