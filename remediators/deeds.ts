/** What the engine wants done to the host or looked up there: each deed ends, within its time, in what the engine is told next. */
import { messageOf } from '../common/errors.ts'
import type { Log } from '../common/log.ts'
import type { Moment } from '../common/moment.ts'
import type { Finding, Host } from '../detectors/contract.ts'
import { guardedHost } from '../detectors/host/guarded.ts'
import { whyTooLate } from './begin.ts'
import type { Plan, Remediator } from './contract.ts'
import type { FixInput } from './engine.ts'
import { type Hands, within } from './hands.ts'
import type { InspectResult } from './propose.ts'
import type { Effect } from './state.ts'

export type Deed = Extract<Effect, { kind: 'inspect' | 'collect' | 'apply' | 'verify' | 'revert' }>

export interface Means {
  readonly host: Host
  readonly remediators: readonly Remediator[]
  readonly hands: Hands
  readonly verify: (detector: string) => Promise<readonly Finding[]>
  readonly collect?: (plan: Plan) => Promise<string>
  readonly now: () => Moment
  readonly log: Log
}

/** It looks at files and asks a service or two. */
const INSPECT_WITHIN_MS = 30_000
/** A permit is good for 30 s after it was asked for: what is not collected by then would make it void. */
const COLLECT_WITHIN_MS = 15_000
/** More than any detector's own timeout. */
const VERIFY_WITHIN_MS = 60_000

/** Never rejects. */
export async function carryOut(means: Means, deed: Deed): Promise<FixInput> {
  switch (deed.kind) {
    case 'inspect': {
      const { remediator, finding } = deed
      return { kind: 'inspected', remediator, finding, result: await inspect(means, deed) }
    }
    case 'collect':
      return { kind: 'collected', planId: deed.plan.id, result: await collect(means, deed.plan) }
    case 'apply':
      return { kind: 'applied', planId: deed.plan.id, result: await apply(means, deed) }
    case 'verify':
      return { kind: 'verified', planId: deed.plan.id, findings: await verify(means, deed.plan) }
    case 'revert':
      return { kind: 'reverted', planId: deed.plan.id, failure: await revert(means, deed) }
  }
}

async function inspect(
  { host, remediators }: Means,
  { remediator: name, options, finding }: Extract<Deed, { kind: 'inspect' }>,
): Promise<InspectResult> {
  const remediator = remediators.find((one) => one.name === name)
  if (remediator?.inspect === undefined) return { kind: 'not-applicable' }
  const guarded = guardedHost(host, remediator.touches)
  try {
    const seen = await within(INSPECT_WITHIN_MS, async (signal) =>
      remediator.inspect?.(guarded, finding, options, signal),
    )
    return { kind: 'seen', seen }
  } catch (error) {
    return isNamed(error, 'NotApplicable') ? { kind: 'not-applicable' } : { kind: 'failed', why: messageOf(error) }
  }
}

async function collect(
  { collect: gather }: Means,
  plan: Plan,
): Promise<Extract<FixInput, { kind: 'collected' }>['result']> {
  if (gather === undefined) return { kind: 'none' }
  try {
    return { kind: 'collected', where: await within(COLLECT_WITHIN_MS, () => gather(plan)) }
  } catch (error) {
    return { kind: 'failed', why: messageOf(error) }
  }
}

async function apply(
  { hands, now }: Means,
  { plan, permit, beginning, timeoutMs }: Extract<Deed, { kind: 'apply' }>,
): Promise<Extract<FixInput, { kind: 'applied' }>['result']> {
  // That it begins had to be saved first, which takes as long as the disk takes.
  const late = whyTooLate(beginning, now())
  if (late !== undefined) return { kind: 'not-begun', why: late }
  try {
    await hands.apply(plan, permit, timeoutMs)
    return { kind: 'ok' }
  } catch (error) {
    const kind = isNamed(error, 'StalePlan') ? 'stale' : isNamed(error, 'Unclear') ? 'unclear' : 'failed'
    return { kind, why: messageOf(error) }
  }
}

/** No findings when there was no report: then the fix is not verified. */
async function verify({ verify: look, log }: Means, { id, detector }: Plan): Promise<readonly Finding[]> {
  try {
    return await within(VERIFY_WITHIN_MS, () => look(detector))
  } catch (error) {
    log.warn({ plan: id, detector, err: messageOf(error) }, 'a fix could not be verified')
    return []
  }
}

async function revert(
  { hands }: Means,
  { plan, timeoutMs }: Extract<Deed, { kind: 'revert' }>,
): Promise<string | null> {
  try {
    await hands.revert(plan, timeoutMs)
    return null
  } catch (error) {
    return messageOf(error)
  }
}

/** By name, since a plugin can bring a copy of the class of its own. */
function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name
}
