/** What each rule did and would have done, by the courses of its plans. Pure. */
import type { Course } from './course.ts'
import { OUTCOMES, type OutcomeCounts, type RuleReport } from './model.ts'

/** What a course does not tell. */
export interface Around {
  /** Pool of a node now; empty for none. */
  poolOf(node: string): string
  /** When this finding was over; undefined while it lasts. */
  clearedAt(findingId: string): string | undefined
}

export function ruleReports(courses: readonly Course[], around: Around): readonly RuleReport[] {
  const byRule = Map.groupBy(courses, ({ policy, mode, plan: { remediator, reason, node } }) =>
    JSON.stringify([policy, mode, remediator, reason, around.poolOf(node)]),
  )
  const begunFor = new Set(courses.filter(({ isBegun }) => isBegun).map(({ plan }) => plan.findingId))
  return [...byRule.values()]
    .map((of) => reportOf(of, begunFor, around))
    .toSorted((a, b) => b.faults - a.faults || (nameOf(a) < nameOf(b) ? -1 : 1))
}

function reportOf(of: readonly Course[], begunFor: ReadonlySet<string>, around: Around): RuleReport {
  const [first] = of
  if (first === undefined) throw new RangeError('a rule without a course')
  const { policy, mode, plan } = first
  // Of several plans for one fault the first counts: the fault lasted from then on.
  const faults = new Map(of.toReversed().map((course) => [course.plan.findingId, course.at]))
  const lasted = [...faults].flatMap(([findingId, at]) => {
    const cleared = begunFor.has(findingId) ? undefined : around.clearedAt(findingId)
    return cleared === undefined ? [] : [Math.max(0, Date.parse(cleared) - Date.parse(at))]
  })
  return {
    policy,
    mode,
    remediator: plan.remediator,
    reason: plan.reason,
    pool: around.poolOf(plan.node),
    faults: faults.size,
    plans: of.length,
    wentAway: lasted.length,
    wentAwayMedianMs: median(lasted),
    begun: of.filter(({ isBegun }) => isBegun).length,
    refusedBy: refusals(of),
    outcomes: outcomesOf(of),
  }
}

export function outcomesOf(courses: readonly Course[]): OutcomeCounts {
  const count = (outcome: string) => courses.filter((course) => course.outcome === outcome).length
  return Object.fromEntries(OUTCOMES.map((outcome) => [outcome, count(outcome)])) as OutcomeCounts
}

/** The guard that refused most plans first. */
function refusals(courses: readonly Course[]): RuleReport['refusedBy'] {
  const byGuard = Map.groupBy(
    courses.flatMap(({ refusedBy }) => [...refusedBy]),
    (guard) => guard,
  )
  return [...byGuard]
    .map(([guard, of]) => ({ guard, plans: of.length }))
    .toSorted((a, b) => b.plans - a.plans || (a.guard < b.guard ? -1 : 1))
}

/** Of an even number the lower of the two in the middle: a length that was. */
function median(lengths: readonly number[]): number | null {
  return lengths.toSorted((a, b) => a - b)[Math.ceil(lengths.length / 2) - 1] ?? null
}

function nameOf({ policy, remediator, reason, pool }: RuleReport): string {
  return [policy, remediator, reason, pool].join('\n')
}
