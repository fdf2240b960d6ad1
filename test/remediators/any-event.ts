/** Anything that can reach an agent about its fixes, at any time: for tests of what must hold in whatever order. */
import fc from 'fast-check'
import type { Finding } from '../../detectors/contract.ts'
import type { Around } from '../../remediators/alone.ts'
import type { FixInput } from '../../remediators/engine.ts'
import type { Permit } from '../../remediators/permits.ts'
import { absent, autoRules, decisionFor, differs, ok, rulesFor, second, unknown } from './parts.ts'
import { planOf } from './steps.ts'

/** Open in the first half of each hour. */
const windows = [{ cron: '0 * * * *', duration: '30m', timeZone: 'UTC' }] as const
const ladder = [
  { remediator: 'sysctl', attempts: 2 },
  { remediator: 'second', attempts: 1 },
]
export const RULES = [
  rulesFor(),
  autoRules({ ladder, coolDown: '20s' }, second),
  autoRules({ mode: 'approve', windows, coolDown: '20s' }),
  autoRules({ windows, coolDown: '20s' }),
]

const swappiness = differs()
const drifted = differs('vm.swappiness', '30', '10')
const dirty = differs('vm.dirty_ratio', '20', '15')
const plans = [swappiness, drifted, dirty].map(planOf)

const findings: fc.Arbitrary<readonly Finding[]> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom([swappiness, dirty], [swappiness], [drifted, dirty]) },
  { weight: 1, arbitrary: fc.constantFrom([ok], [unknown], [absent], [swappiness, unknown], []) },
)

const decision = fc
  .record({
    plan: fc.constantFrom(...plans),
    id: fc.nat(9).map((index) => `d${index}`),
    action: fc.constantFrom('approve' as const, 'approve' as const, 'reject' as const),
    ttlMs: fc.constantFrom(0, 5_000, 1_000_000),
    forged: fc.constantFrom({}, {}, {}, { planHash: 'x' }, { evidenceHash: 'x' }, { node: 'node-8' }),
  })
  .map(({ plan, id, action, ttlMs, forged }) => decisionFor(plan, { id, action, ttlMs, ...forged }))

/** What reaches the agent, but for what it has to be aimed at what the agent waits for just then. */
export type Event =
  | { readonly kind: 'input'; readonly input: FixInput }
  | { readonly kind: 'rules'; readonly index: number }
  /** Nobody answers for a quarter of an hour. */
  | { readonly kind: 'silence'; readonly around: Partial<Around> }
  | { readonly kind: 'tick'; readonly around: Partial<Around> }
  /** `to`: the request just asked, one before it, or none. `forged`: what is changed of it. */
  | {
      readonly kind: 'permit'
      readonly id: string
      readonly to: 'last' | 'older' | 'none'
      readonly forged: Partial<Permit>
    }
  | { readonly kind: 'refusal'; readonly to: 'last' | 'older' }
  | {
      readonly kind: 'done'
      readonly findings: readonly Finding[]
      readonly how: 'ok' | 'stale' | 'failed' | 'unclear' | 'not-begun'
    }

const around = fc.record({
  chance: fc.constantFrom(0, 0.01, 0.9),
  isLed: fc.boolean(),
  neighbours: fc.constantFrom(undefined, new Map<string, number>(), new Map([['KernelParamDiffers', 3]])),
})

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 4,
    arbitrary: findings.map((found): Event => {
      return { kind: 'input', input: { kind: 'report', detector: 'kernel-params', findings: found } }
    }),
  },
  {
    weight: 3,
    arbitrary: decision.map((given): Event => ({ kind: 'input', input: { kind: 'decision', decision: given } })),
  },
  { weight: 1, arbitrary: fc.nat(RULES.length - 1).map((index): Event => ({ kind: 'rules', index })) },
  { weight: 8, arbitrary: around.map((given): Event => ({ kind: 'tick', around: given })) },
  { weight: 2, arbitrary: around.map((given): Event => ({ kind: 'silence', around: given })) },
  {
    weight: 8,
    arbitrary: fc
      .record({
        id: fc.nat(99).map((index) => `permit-${index}`),
        to: fc.constantFrom('last' as const, 'last' as const, 'last' as const, 'older' as const, 'none' as const),
        forged: fc.constantFrom(
          {},
          {},
          {},
          {},
          { planHash: 'x' },
          { evidenceHash: 'x' },
          { node: 'node-8' },
          { planId: 'x' },
        ),
      })
      .map((given): Event => ({ kind: 'permit', ...given })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('last' as const, 'older' as const).map((to): Event => ({ kind: 'refusal', to })),
  },
  {
    weight: 8,
    arbitrary: fc
      .record({
        findings,
        how: fc.constantFrom(
          'ok' as const,
          'ok' as const,
          'stale' as const,
          'failed' as const,
          'unclear' as const,
          'not-begun' as const,
        ),
      })
      .map((given): Event => ({ kind: 'done', ...given })),
  },
)

export interface Moved {
  readonly event: Event
  readonly waitMs: number
  /** The wall clock is set by this much. */
  readonly jumpMs: number
  /** Killed after this many effects of what comes of the event, if that many do. */
  readonly killAfter: number | undefined
}

export const moved: fc.Arbitrary<Moved> = fc.record({
  event,
  waitMs: fc.oneof(
    { weight: 30, arbitrary: fc.nat(2_000) },
    { weight: 5, arbitrary: fc.nat(40_000) },
    { weight: 1, arbitrary: fc.nat(3_000_000) },
  ),
  jumpMs: fc.oneof(
    { weight: 19, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: -3_600_000, max: 3_600_000 }) },
  ),
  killAfter: fc.oneof({ weight: 7, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat(4) }),
})
