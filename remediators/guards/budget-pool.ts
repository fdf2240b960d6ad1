/** How many nodes of one pool may be disrupted at once. */
import { BUDGET_OF_NONE, judgeBudget } from './budget.ts'
import { allow, type Guard, ofMember } from './guard.ts'
import { smaller } from './wording.ts'

export const budgetPool: Guard = {
  name: 'budget-pool',
  refuses: 'more disrupted nodes at once than the pool of the node bears',
  reachNone: BUDGET_OF_NONE,
  limits: ({ budgets }) => `${smaller(budgets.pool)}; of reach none ${smaller(budgets.reachNone)}`,
  judge: ofMember(({ pool }, view, settings) =>
    pool === undefined
      ? allow('the node is in no pool')
      : judgeBudget(view, settings, {
          name: `pool ${pool}`,
          has: (facts) => facts?.pool === pool,
          share: settings.budgets.pool,
        }),
  ),
}
