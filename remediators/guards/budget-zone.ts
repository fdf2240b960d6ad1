/** How many nodes of one zone may be disrupted at once. */
import { BUDGET_OF_NONE, judgeBudget } from './budget.ts'
import { type Guard, ofMember } from './guard.ts'
import { smaller } from './wording.ts'

export const budgetZone: Guard = {
  name: 'budget-zone',
  refuses: 'more disrupted nodes at once than the zone of the node bears',
  reachNone: BUDGET_OF_NONE,
  limits: ({ budgets }) => `${smaller(budgets.zone)}; of reach none ${smaller(budgets.reachNone)}`,
  judge: ofMember(({ zone }, view, settings) =>
    judgeBudget(view, settings, {
      name: `zone ${zone}`,
      has: (facts) => facts?.zone === zone,
      share: settings.budgets.zone,
    }),
  ),
}
