/**
 * What was tried for each fault of this node, and with what success: which rung of the ladder is next, what rests, and when
 * a person is needed. Pure. All times are on the clock of the state, so a day is a day that the agent ran.
 */

import { withMended } from './contested.ts'
import type { Mode, Plan, Remediation, Remediator } from './contract.ts'
import type { LadderRung, Rule } from './policy/rules.ts'
import { whyNotAuto } from './settings.ts'
import { type Case, type Contest, type Fault, type FixState, isSameFault, type Try } from './state.ts'

/** Attempts of this time count. */
const COUNTED_MS = 86_400_000
/** No policy has a longer one (policy/schema.ts). */
const COOL_DOWN_MAX_MS = 7 * 86_400_000
/** Faults at a time. Those forgotten were touched longest ago, and a person has long been told of them. */
const CASES_MAX = 200

export function caseOf(state: FixState, fault: Fault): Case | undefined {
  return state.cases.find((one) => isSameFault(one, fault))
}

/** Settings refuse auto where it must not be; a plugin here may be another version than they were checked with. */
export function effectiveMode(mode: Mode, remediator: Remediator): Mode {
  return mode === 'auto' && whyNotAuto(remediator) !== undefined ? 'approve' : mode
}

export interface Choice {
  /** Of the ladder, from 0. */
  readonly index: number
  readonly rung: LadderRung
  readonly attempt: number
}

/** The first rung, from `from` on, that is not used up; undefined when none is left. */
export function chooseRung(rule: Rule, known: Case | undefined, nowMs: number, from = 0): Choice | undefined {
  for (const [index, rung] of rule.ladder.entries()) {
    if (index < from) continue
    const tries = triesWithin(known, nowMs).filter(({ remediator }) => remediator === rung.remediator.name)
    if (tries.some(({ outcome }) => outcome === 'no-effect')) continue
    // What a person approves each time, and what helped, may come as often as it is wanted.
    const isAuto = effectiveMode(rule.mode, rung.remediator) === 'auto'
    const counted = isAuto ? tries : tries.filter(({ outcome }) => outcome !== 'helped')
    if (counted.length < rung.attempts) return { index, rung, attempt: tries.length + 1 }
  }
  return undefined
}

export function triesWithin(known: Case | undefined, nowMs: number): readonly Try[] {
  return known?.tries.filter(({ atMs }) => nowMs - atMs < COUNTED_MS) ?? []
}

/** Whether the cool-down keeps this plan, or with null any plan, from being made. */
export function isResting(
  known: Case | undefined,
  { coolDownMs }: Rule,
  planId: string | null,
  nowMs: number,
): boolean {
  const rest = known?.rest ?? null
  return rest !== null && nowMs - rest.sinceMs < coolDownMs && (rest.planId === null || rest.planId === planId)
}

/** An attempt begins. */
export function recordTry(state: FixState, last: Remediation, nowMs: number): FixState {
  const known = caseOf(state, last.plan)
  const open: Try = { remediator: last.plan.remediator, atMs: nowMs, cameMs: cameOf(known), outcome: 'open' }
  return putCase(state, last, { tries: [...triesWithin(known, nowMs), open] })
}

/** It was not begun after all: it does not count. */
export function dropTry(state: FixState, last: Remediation): FixState {
  const tries = caseOf(state, last.plan)?.tries.filter(({ outcome }) => outcome !== 'open') ?? []
  return putCase(state, last, { tries })
}

/** The attempt ended. */
export function closeTry(
  state: FixState,
  last: Remediation,
  outcome: Exclude<Try['outcome'], 'open'>,
  nowMs: number,
): FixState {
  const tries = caseOf(state, last.plan)?.tries.map((one) => (one.outcome === 'open' ? { ...one, outcome } : one)) ?? []
  // What mended a fault under the eyes of a person may do so again at once.
  const rests = outcome !== 'helped' || last.mode === 'auto'
  return putCase(state, last, { tries, rest: rests ? { sinceMs: nowMs, planId: null } : null })
}

/** It mended the fault, which is gone from now on; when it comes back, somebody may have set the value back. */
export function recordMended(state: FixState, last: Remediation, nowMs: number): FixState {
  const open = caseOf(state, last.plan)?.tries.find(({ outcome }) => outcome === 'open')
  const mended = withMended(state.mended, last.plan, open?.cameMs ?? null, nowMs)
  const closed = closeTry({ ...state, mended }, last, 'helped', nowMs)
  return putCase(closed, last, { fault: 'gone' })
}

/** When the fault came; null while it is gone, and where nobody saw it come. */
export function cameOf(known: Case | undefined): number | null {
  return typeof known?.fault === 'object' ? known.fault.cameMs : null
}

/** This very plan is not to come up again for a while. */
export function restPlan(state: FixState, last: Remediation, nowMs: number): FixState {
  const tries =
    caseOf(state, last.plan)?.tries.map((one) =>
      one.outcome === 'open' ? { ...one, outcome: 'failed' as const } : one,
    ) ?? []
  return putCase(state, last, { tries, rest: { sinceMs: nowMs, planId: last.plan.id } })
}

export function markEscalated(state: FixState, last: Remediation): FixState {
  return putCase(state, last, { escalated: true })
}

export function markContested(state: FixState, fault: Fault, contest: Contest): FixState {
  return { ...state, cases: state.cases.map((one) => (isSameFault(one, fault) ? { ...one, contest } : one)) }
}

/** What is left alone since somebody else sets it back, each value once. */
export function contestsIn({ cases }: FixState): readonly Contest[] {
  const contests = cases.flatMap(({ contest }) => (contest === null ? [] : [contest]))
  return [...new Map(contests.map((contest) => [contest.what, contest])).values()]
}

/**
 * After a report of `detector`: what it does not see any more has cleared, and what is long past is forgotten. `seen` and
 * `held`: whether it sees a fault, or holds what it saw before; a fault that is neither is gone.
 */
export function clearCases(
  state: FixState,
  detector: string,
  { seen, held }: Readonly<Record<'seen' | 'held', (fault: Fault) => boolean>>,
  nowMs: number,
): FixState {
  const cases = state.cases.flatMap((one) => {
    if (one.detector !== detector || held(one)) return [one]
    if (seen(one)) return [one.fault === 'gone' ? { ...one, fault: { cameMs: nowMs } } : one]
    const isOld =
      triesWithin(one, nowMs).length === 0 && (one.rest === null || nowMs - one.rest.sinceMs >= COOL_DOWN_MAX_MS)
    if (isOld) return []
    const isClear = one.fault === 'gone' && one.contest === null && !one.escalated
    return [isClear ? one : { ...one, fault: 'gone' as const, contest: null, escalated: false }]
  })
  const isSame = cases.length === state.cases.length && cases.every((one, index) => one === state.cases[index])
  return isSame ? state : { ...state, cases }
}

function putCase(state: FixState, last: Remediation, parts: Partial<Case>): FixState {
  const { detector, reason, cause } = last.plan satisfies Plan
  const fresh = { fault: 'there', contest: null, tries: [], rest: null, escalated: false } as const
  const before = caseOf(state, last.plan) ?? { detector, reason, cause, ...fresh, last }
  const others = state.cases.filter((one) => one !== before)
  return { ...state, cases: [...others, { ...before, ...parts, last }].slice(-CASES_MAX) }
}
