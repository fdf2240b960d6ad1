/** What a simulated host does with the deeds of an engine: mostly what was asked, sometimes half of it, nothing, or a lie. */
import { whyTooLate } from '../../remediators/begin.ts'
import type { ApplyResult } from '../../remediators/carry-out.ts'
import type { Plan } from '../../remediators/contract.ts'
import type { Deed } from '../../remediators/deeds.ts'
import type { FixInput } from '../../remediators/engine.ts'
import type { InspectResult } from '../../remediators/propose.ts'
import type { Checker } from './checker.ts'
import type { Dice } from './dice.ts'
import type { SimHost } from './host.ts'
import type { SeenAgent } from './invariants.ts'

export interface Doer extends SeenAgent {
  readonly init: {
    readonly host: SimHost
    readonly dice: Dice
    readonly checker: Checker
    reboot(node: string): void
  }
  take(input: FixInput): void
  /** Within `ms`, unless the process has ended by then. */
  soon(ms: number, run: () => void): void
}

/** One disk in so many takes longer to save than a permit is good for. */
const SLOW_SHARE = 0.01
const SLOW_MS = 45_000

export function begin(agent: Doer, deed: Deed): void {
  const { host, dice, checker } = agent.init
  switch (deed.kind) {
    case 'inspect':
      agent.soon(5_000, () => {
        const result = inspected(dice.unit())
        const { remediator, finding } = deed
        agent.take({ kind: 'inspected', remediator, finding, result })
      })
      return
    case 'collect':
      agent.soon(dice.chance(0.1) ? 30_000 : 3_000, () => {
        agent.take({ kind: 'collected', planId: deed.plan.id, result: { kind: 'none' } })
      })
      return
    case 'apply':
      agent.soon(dice.chance(SLOW_SHARE) ? SLOW_MS : 50, () => apply(agent, deed))
      return
    case 'verify':
      agent.soon(5_000, () => {
        const { id, detector } = deed.plan
        const findings = dice.chance(0.03) ? [] : host.look(detector, agent.now().wall)
        checker.looked(agent, deed.plan, findings)
        agent.take({ kind: 'verified', planId: id, findings })
      })
      return
    case 'revert':
      checker.reverts(agent, deed.plan)
      agent.soon(5_000, () => {
        const failure = dice.chance(0.05) ? 'EIO' : null
        if (failure === null) host.putBack(deed.plan)
        agent.take({ kind: 'reverted', planId: deed.plan.id, failure })
      })
  }
}

function inspected(luck: number): InspectResult {
  if (luck < 0.1) return { kind: 'failed', why: 'EIO' }
  return luck < 0.2 ? { kind: 'not-applicable' } : { kind: 'seen', seen: null }
}

function apply(agent: Doer, deed: Extract<Deed, { kind: 'apply' }>): void {
  const { host, dice, checker, reboot } = agent.init
  const { plan } = deed
  const end = (result: ApplyResult) => agent.take({ kind: 'applied', planId: plan.id, result })
  const late = whyTooLate(deed.beginning, agent.now())
  if (late !== undefined) {
    end({ kind: 'not-begun', why: late })
    return
  }
  checker.applies(agent, deed)
  if (!host.fits(plan)) {
    agent.soon(1_000, () => end({ kind: 'stale', why: 'it was changed' }))
    return
  }
  checker.touches(agent, plan)
  if (plan.reach === 'machine' && dice.chance(0.8)) {
    host.change(plan)
    reboot(host.node)
    return
  }
  const [result, isDone, withinMs] = outcome(agent, plan, deed.timeoutMs)
  // Half of what a crash interrupts has been done by then.
  if (isDone && dice.chance(0.5)) host.change(plan)
  agent.soon(withinMs, () => {
    if (isDone) host.change(plan)
    end(result)
  })
}

function outcome({ init: { dice } }: Doer, { id }: Plan, timeoutMs: number): [ApplyResult, boolean, number] {
  const luck = dice.unit()
  if (luck < 0.08) return [{ kind: 'failed', why: `${id}: EIO` }, dice.chance(0.5), 5_000]
  if (luck < 0.12) return [{ kind: 'failed', why: 'it did not end in time' }, dice.chance(0.5), timeoutMs]
  // It says that it did what it did not.
  if (luck < 0.17) return [{ kind: 'ok' }, false, 1_000]
  return [{ kind: 'ok' }, true, 10_000]
}
