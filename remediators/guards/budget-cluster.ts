/** How many nodes of the whole fleet may be disrupted at once. */
import { BUDGET_OF_NONE, judgeBudget } from './budget.ts'
import { type Guard, refuse } from './guard.ts'
import { smaller } from './wording.ts'

/** As long as there is no second node. */
const ONLY_NODE_REST_MS = 600_000

export const budgetCluster: Guard = {
  name: 'budget-cluster',
  refuses: 'more disrupted nodes at once than the cluster bears; on the only node anything beyond its processes',
  reachNone: BUDGET_OF_NONE,
  limits: ({ budgets }) => `${smaller(budgets.cluster)}; of reach none ${smaller(budgets.reachNone)}`,
  judge(view, settings) {
    const { reach, node } = view.plan
    if (view.nodes.size === 1 && reach !== 'none' && reach !== 'process')
      return refuse(`${node} is the only node, and the fix reaches further than a process: ${reach}`, ONLY_NODE_REST_MS)
    return judgeBudget(view, settings, { name: 'the cluster', has: () => true, share: settings.budgets.cluster })
  },
}
