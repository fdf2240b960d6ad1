/**
 * From a detector's report to plans, one a fault: of the rung of the ladder that is next. And back when the fault is gone, or
 * to a person when no rung is left. Pure.
 */
import type { Moment } from '../common/moment.ts'
import type { Finding, FindingStatus } from '../detectors/contract.ts'
import {
  type Choice,
  cameOf,
  caseOf,
  chooseRung,
  clearCases,
  effectiveMode,
  isResting,
  markContested,
  markEscalated,
  triesWithin,
} from './cases.ts'
import { contested } from './contested.ts'
import { MODES, type Mode, type Plan, type Remediation, type Remediator } from './contract.ts'
import { earlierOf } from './earlier.ts'
import { hashEvidence, makePlan } from './plan.ts'
import { type Rule, type Rules, ruleFor } from './policy/rules.ts'
import { isOpen } from './policy/windows.ts'
import { whyNotAuto } from './settings.ts'
import {
  alter,
  andThen,
  type Contest,
  enterPhase,
  type Fault,
  type Fix,
  type FixState,
  findFix,
  isSameFault,
  nothing,
  type StepResult,
  type Waiting,
  waitingOf,
} from './state.ts'

/** More would be read by nobody; what is left out is proposed when others are decided. */
const WAITING_MAX = 50
/** Those left out are looked into at a later report. */
const INSPECTIONS_MAX = 50
const FAULTS: ReadonlySet<FindingStatus> = new Set(['warn', 'alarm', 'error'])

const GONE = 'the fault is gone'
const CHANGED = 'the host or the settings changed, and the plan no longer fits'

/** Nothing more is done by it. */
const ENDED = { stage: { kind: 'ended' }, windows: [], timeoutMs: 0, diagnostics: null } as const

export type InspectResult =
  | { readonly kind: 'seen'; readonly seen: unknown }
  /** There is nothing for this remediator to mend. */
  | { readonly kind: 'not-applicable' }
  /** Nothing can be planned now. */
  | { readonly kind: 'failed'; readonly why: string }

/** `findings` is everything that `detector` says about this node now. */
export function onReport(
  rules: Rules,
  before: FixState,
  now: Moment,
  detector: string,
  findings: readonly Finding[],
): StepResult {
  // The detector could not look: no reason to propose anything, not by an earlier look either, and none to take anything back.
  if (findings.some(({ status }) => status === 'unknown')) return nothing(forgetInspections(before, detector, []))
  // Held is what is not seen just now but may be back: it is no fault to mend, nor has it cleared.
  const lasting = findings.filter(({ status }) => FAULTS.has(status))
  const seen = lasting.filter(({ held }) => held === undefined)
  const isIn = (some: readonly Finding[]) => (fault: Fault) => some.some((one) => isSameFault(one, fault))
  const standing = { seen: isIn(seen), held: isIn(lasting.filter((one) => !seen.includes(one))) }
  const state = forgetInspections(clearCases(before, detector, standing, now.ms), detector, seen)
  const withdrawn = withdraw(state, now, ({ detector: of, ...fault }) => {
    return of === detector && !seen.some((one) => isSameFault(one, { detector, ...fault })) ? GONE : undefined
  })
  return seen.reduce((result, finding) => andThen(result, (next) => consider(rules, next, now, finding)), withdrawn)
}

/** What `remediator` saw of the host for `finding`, which must still be wanted. */
export function onInspected(
  rules: Rules,
  before: FixState,
  now: Moment,
  remediator: string,
  finding: Finding,
  result: InspectResult,
): StepResult {
  const inspection = before.inspections.find((one) => one.remediator === remediator && isSameFault(one, finding))
  if (inspection === undefined) return nothing(before)
  const state = { ...before, inspections: before.inspections.filter((one) => one !== inspection) }
  const rule = ruleFor(rules, finding)
  const choice = rule && chooseRung(rule, caseOf(state, finding), now.ms)
  if (rule === undefined || result.kind === 'failed') return nothing(state)
  const index = rule.ladder.findIndex((rung) => rung.remediator.name === remediator)
  if (choice === undefined || index < choice.index) return nothing(state)
  if (result.kind === 'not-applicable') return nextRung(rules, state, now, finding, index)
  const chosen = chooseRung(rule, caseOf(state, finding), now.ms, index)
  if (chosen?.index !== index) return nothing(state)
  return plan(rules, state, now, finding, rule, chosen, result.seen)
}

/** The rules are others: what waits is not begun before a report has shown what they make of it. */
export function onReconfigured(before: FixState): FixState {
  return before.fixes.reduce((state, fix) => {
    const waiting = fix.stage.kind === 'permitted' ? undefined : waitingOf(fix)
    if (waiting === undefined) return state
    return alter(state, fix, { stage: { ...waiting, confirmed: false } })
  }, before)
}

function forgetInspections(state: FixState, detector: string, seen: readonly Finding[]): FixState {
  const inspections = state.inspections.filter(
    (one) => one.detector !== detector || seen.some((finding) => isSameFault(finding, one)),
  )
  return inspections.length === state.inspections.length ? state : { ...state, inspections }
}

/** Ends those of the fixes that nothing was begun for and that there is a reason for. */
function withdraw(before: FixState, now: Moment, whyOf: (plan: Plan) => string | undefined): StepResult {
  return before.fixes.reduce((result, fix) => {
    const why = waitingOf(fix) && whyOf(fix.remediation.plan)
    if (why === undefined) return result
    return andThen(result, (state) =>
      enterPhase(state, fix, now, { phase: 'withdrawn', why, stage: { kind: 'ended' } }),
    )
  }, nothing(before))
}

/** Plans for one fault, by the rung that is next, counted from `from`. */
function consider(rules: Rules, state: FixState, now: Moment, finding: Finding, from = 0): StepResult {
  const known = caseOf(state, finding)
  const fix = state.fixes.find(
    ({ stage, remediation }) => stage.kind !== 'ended' && isSameFault(remediation.plan, finding),
  )
  // Half done, the host looks different from before and after: a plan made of that would be of no use.
  if (known?.escalated || (known?.contest ?? null) !== null) return nothing(state)
  if (fix !== undefined && isUnderWay(fix)) return nothing(state)
  const rule = ruleFor(rules, finding)
  if (rule === undefined) return withdrawOf(state, now, finding)
  const choice = chooseRung(rule, known, now.ms, from)
  if (choice === undefined) return andThen(withdrawOf(state, now, finding), (next) => giveUp(next, now, finding))
  const { remediator, options } = choice.rung
  if (remediator.inspect === undefined) return plan(rules, state, now, finding, rule, choice, undefined)
  const isKnown = fix?.remediation.plan.remediator === remediator.name && waitingOf(fix)?.confirmed
  const isAsked = state.inspections.some((one) => one.remediator === remediator.name && isSameFault(one, finding))
  if (state.inspections.length >= INSPECTIONS_MAX) return nothing(state)
  if (isKnown || isAsked || isResting(known, rule, null, now.ms)) return nothing(state)
  const { detector, reason, cause } = finding
  const inspection = { detector, reason, cause, remediator: remediator.name }
  return {
    state: { ...state, inspections: [...state.inspections, inspection] },
    effects: [{ kind: 'inspect', remediator: remediator.name, options, finding }],
  }
}

/** The rung at `index` can do nothing about it. */
function nextRung(rules: Rules, state: FixState, now: Moment, finding: Finding, index: number): StepResult {
  return andThen(withdrawOf(state, now, finding), (next) => consider(rules, next, now, finding, index + 1))
}

function isUnderWay({ stage }: Fix): boolean {
  return stage.kind !== 'waiting' && stage.kind !== 'asking'
}

function withdrawOf(state: FixState, now: Moment, fault: Fault): StepResult {
  return withdraw(state, now, (of) => (isSameFault(of, fault) ? CHANGED : undefined))
}

/** Tells a person, once, that what was tried did not help and nothing is left. Of a fault that nothing was tried for: nothing. */
function giveUp(state: FixState, now: Moment, finding: Finding): StepResult {
  const known = caseOf(state, finding)
  const tries = triesWithin(known, now.ms)
  if (known === undefined || tries.length === 0) return nothing(state)
  const { plan: made } = known.last
  // No plan is made any more that would tell: the same evidence says that the values are those of then.
  const isAsThen = made.evidenceHash === hashEvidence(finding.evidence)
  const contest = isAsThen ? contested(state.mended, made, cameOf(known), now.wall) : null
  if (contest !== null) {
    const earlier = earlierOf(findFix(state, made.id)?.remediation)
    const anew = { ...known.last, plan: { ...made, findingId: finding.id, createdAt: now.wall }, earlier }
    return leaveAlone(state, now, { ...ENDED, remediation: anew }, contest)
  }
  const what = [...new Set(tries.map(({ remediator }) => remediator))].join(', ')
  const times = tries.length === 1 ? 'once' : `${tries.length} times`
  const why = `the fault is there, and no rung is left: tried ${times} within a day (${what}). A person is needed`
  return escalate(state, now, known.last, why)
}

/** Ends the ladder of a fault: a person is needed. */
export function escalate(state: FixState, now: Moment, last: Remediation, why: string): StepResult {
  const known = findFix(state, last.plan.id)
  const { createdAt } = last.plan
  const isLast = known?.remediation.plan.createdAt === createdAt && isSameFault(known.remediation.plan, last.plan)
  // The same change for another fault is under way: a person is told after that.
  if (known !== undefined && !isLast && known.stage.kind !== 'ended') return nothing(state)
  const earlier = earlierOf(known?.remediation).filter(({ plannedAt }) => plannedAt !== createdAt)
  const fix = isLast ? known : { ...ENDED, remediation: { ...last, earlier } }
  const entered = enterPhase(state, fix, now, {
    phase: 'escalated',
    why,
    stage: ENDED.stage,
    // Said in place of a later word on the same plan, it is about whatever permit that asked for.
    ...(isLast ? {} : { permitId: undefined }),
  })
  return { ...entered, state: markEscalated(entered.state, last) }
}

function plan(
  rules: Rules,
  state: FixState,
  now: Moment,
  finding: Finding,
  rule: Rule,
  choice: Choice,
  seen: unknown,
): StepResult {
  const { remediator, options, timeoutMs } = choice.rung
  const changes = remediator.plan(finding, options, seen)
  if (changes === null || changes.length === 0) return nextRung(rules, state, now, finding, choice.index)
  const made = makePlan(remediator, finding, changes, now.wall)
  const mode = effectiveMode(rule.mode, remediator)
  const fields = { policy: rule.policy, mode, rung: choice.index + 1, attempt: choice.attempt }
  const known = findFix(state, made.id)
  const waiting = known && waitingOf(known)
  if (known !== undefined && waiting !== undefined && isSameFault(known.remediation.plan, made)) {
    return confirm(
      state,
      now,
      known,
      waiting,
      fields,
      { windows: rule.windows, timeoutMs },
      whyWaiting(rule, mode, remediator),
    )
  }
  const readiness = readinessOf(mode, isOpen(rule.windows, now.wall))
  const room = andThen(withdrawOf(state, now, finding), (next) =>
    isResting(caseOf(next, made), rule, made.id, now.ms) ? nothing(next) : makeWay(next, now, made, readiness),
  )
  return andThen(room, (next) => {
    if (!mayPropose(next, now, rule, made)) return nothing(next)
    const earlier = earlierOf(findFix(next, made.id)?.remediation)
    const before = earlier.length === 0 ? {} : { earlier }
    const remediation: Remediation = { plan: made, phase: 'proposed', why: '', at: now.wall, ...fields, ...before }
    const fresh: Waiting = {
      kind: 'waiting',
      approval: null,
      confirmed: true,
      notBeforeMs: now.ms,
      unanswered: 0,
      aloneAtMs: null,
    }
    const fix: Fix = { remediation, stage: fresh, windows: rule.windows, timeoutMs, diagnostics: null }
    const contest = contested(next.mended, made, cameOf(caseOf(next, made)), now.wall)
    if (contest !== null) return leaveAlone(next, now, fix, contest)
    return enterPhase(next, fix, now, { phase: phaseOf(mode), why: whyWaiting(rule, mode, remediator), stage: fresh })
  })
}

/** Says once, while the fault lasts, that this is not done again. */
function leaveAlone(state: FixState, now: Moment, fix: Fix, contest: Contest): StepResult {
  const { why } = contest
  // It is about no permit and no decision of before.
  const about = { permitId: undefined, decisionId: undefined }
  const entered = enterPhase(state, fix, now, { phase: 'refused', why, stage: ENDED.stage, ...about })
  return { ...entered, state: markContested(entered.state, fix.remediation.plan, contest) }
}

/** The plan is still the one to make. */
function confirm(
  state: FixState,
  now: Moment,
  fix: Fix,
  waiting: Waiting,
  fields: Pick<Remediation, 'policy' | 'mode' | 'rung' | 'attempt'>,
  rest: Pick<Fix, 'windows' | 'timeoutMs'>,
  why: string,
): StepResult {
  const { policy, mode, rung, phase, guards } = fix.remediation
  const isSame = policy === fields.policy && mode === fields.mode && rung === fields.rung
  if (isSame && waiting.confirmed) return nothing(state)
  const stage: Waiting = { ...waiting, confirmed: true }
  if (isSame) return nothing(alter(state, fix, { ...rest, stage }))
  const afresh = { ...fix, ...rest, remediation: { ...fix.remediation, ...fields } }
  if (mode === fields.mode) return enterPhase(state, afresh, now, { phase, why: fix.remediation.why, stage, guards })
  // What was said under another mode counts no more.
  return enterPhase(state, afresh, now, {
    phase: phaseOf(fields.mode),
    why,
    stage: { ...stage, approval: null },
    decisionId: undefined,
  })
}

/**
 * The same changes, asked for by two faults, are one plan (plan.ts): its id is taken while it waits for the other fault. That one
 * gives way to a rule that goes further, else what is only recorded for one would keep the other from being mended.
 */
function makeWay(state: FixState, now: Moment, { id, reason }: Plan, readiness: number): StepResult {
  const known = findFix(state, id)
  if (known === undefined || known.stage.kind === 'ended' || isUnderWay(known)) return nothing(state)
  const { mode, phase } = known.remediation
  if (readiness <= readinessOf(mode, phase !== 'awaiting-window')) return nothing(state)
  const why = `the same change is made for ${reason}, whose rule goes further`
  return enterPhase(state, known, now, { phase: 'withdrawn', why, stage: { kind: 'ended' } })
}

function readinessOf(mode: Mode, isOpen: boolean): number {
  return 2 * MODES.indexOf(mode) + (isOpen ? 1 : 0)
}

function mayPropose(state: FixState, now: Moment, rule: Rule, made: Plan): boolean {
  if (isResting(caseOf(state, made), rule, made.id, now.ms)) return false
  const known = findFix(state, made.id)
  if (known !== undefined) return known.stage.kind === 'ended'
  return state.fixes.filter(({ stage }) => stage.kind === 'waiting').length < WAITING_MAX
}

function phaseOf(mode: Mode): 'proposed' | 'awaiting-approval' {
  return mode === 'approve' ? 'awaiting-approval' : 'proposed'
}

function whyWaiting({ mode: wanted }: Rule, mode: Mode, remediator: Remediator): string {
  switch (mode) {
    case 'observe':
      return 'recorded only: its rule is in mode observe'
    case 'suggest':
      return 'a suggestion: its rule is not set to accept approvals'
    case 'approve':
      return wanted === 'auto'
        ? `waiting for approval: its rule says auto, but ${whyNotAuto(remediator)}`
        : 'waiting for approval'
    case 'auto':
      return 'automatic: it begins once the leader permits it'
  }
}
