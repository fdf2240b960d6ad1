/**
 * Whether the settings let a node ask in the mode in which it asks. A node reads its settings by itself: with old or altered
 * ones it could raise itself to `auto`, so the leader reads its own for it. Pure.
 */
import { MODES, type Mode, type Plan } from '../../remediators/contract.ts'
import type { GuardVerdict, PermitRequest } from '../../remediators/permits.ts'
import { type Rules, ruleFor } from '../../remediators/policy/rules.ts'

/** What one version of the settings says for a node. */
export interface SettledRules {
  readonly version: number
  readonly rules: Rules
}

/** A version that is on its way is there within seconds. */
const REST_MS = 60_000

/** How grave it is the node says, and nobody else: with each it might have asked. */
const SEVERITIES = ['warn', 'alarm', 'error'] as const

interface Allowed {
  readonly mode: Mode
  /** How the settings put it, in words. */
  readonly by: string
}

/** `settled`: of the versions that the node may be running; none of a node that is no member. */
export function checkMode(request: PermitRequest, plan: Plan, settled: readonly SettledRules[]): GuardVerdict {
  const guard = 'mode'
  const all = settled.map((one) => allowedBy(one, plan))
  const best = all.toSorted((a, b) => rankOf(b.mode) - rankOf(a.mode))[0]
  const asks = `it asks in mode ${request.mode}`
  if (best !== undefined && rankOf(request.mode) <= rankOf(best.mode)) {
    return { guard, allowed: true, why: `${asks}, and ${best.by}` }
  }
  const known = all.map(({ by }) => by).join('; ') || `no settings are known for ${plan.node}`
  return { guard, allowed: false, why: `${asks}, but ${known}`, restMs: REST_MS }
}

function allowedBy({ version, rules }: SettledRules, { node, reason, remediator }: Plan): Allowed {
  const found = SEVERITIES.flatMap((status) => {
    const rule = ruleFor(rules, { node, reason, status })
    return rule?.ladder.some((rung) => rung.remediator.name === remediator) ? [rule] : []
  })
  const [best] = found.toSorted((a, b) => rankOf(b.mode) - rankOf(a.mode))
  const settings = `settings version ${version}`
  if (best === undefined)
    return { mode: 'observe', by: `${settings} has no rule with ${remediator} for ${reason} there` }
  return { mode: best.mode, by: `${best.policy} of ${settings} is ${best.mode} for ${reason} there` }
}

function rankOf(mode: Mode): number {
  return MODES.indexOf(mode)
}
