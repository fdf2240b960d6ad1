/**
 * After a start: what was begun is looked at, what was only asked for or permitted was not begun, and all times of the clock
 * before go over to the new one. Pure.
 */
import type { Moment } from '../common/moment.ts'
import { standBack } from './begin.ts'
import { verify } from './carry-out.ts'
import { voidApproval } from './decide.ts'
import { isOutcome } from './earlier.ts'
import {
  activeFix,
  alter,
  andThen,
  type Effect,
  type Fix,
  type FixState,
  nothing,
  type Stage,
  type StepResult,
  type Waiting,
  waitingOf,
} from './state.ts'

/** The process has started with `before` from disk. */
export function onResume(before: FixState, now: Moment): StepResult {
  const moved = onNewClock(before, now.ms - before.clockMs)
  const active = activeFix(moved)
  const gone = active === undefined ? nothing(moved) : goOn(moved, active, now)
  const { state, effects } = andThen(gone, (next) => voidUnused(next, now))
  // What is said again and what is new need not both be said.
  const said = effects.filter(({ kind }) => kind !== 'announce')
  return { state, effects: [...sayAgain(before, state), ...said] }
}

/**
 * As old as they were when they were saved: what counts from them may take longer than it was meant to, never shorter.
 */
function onNewClock(before: FixState, byMs: number): FixState {
  return {
    ...before,
    inspections: [],
    fixes: before.fixes.map((fix) => ({ ...fix, stage: afresh(fix.stage, byMs) })),
    mended: before.mended.map((one) => ({ ...one, verifiedMs: one.verifiedMs + byMs })),
    cases: before.cases.map((one) => ({
      ...one,
      // What comes back over a restart nobody sees come.
      fault: typeof one.fault === 'object' ? { cameMs: one.fault.cameMs + byMs } : 'there',
      tries: one.tries.map((each) => ({
        ...each,
        atMs: each.atMs + byMs,
        cameMs: each.cameMs === null ? null : each.cameMs + byMs,
      })),
      rest: one.rest && { ...one.rest, sinceMs: one.rest.sinceMs + byMs },
    })),
  }
}

function afresh(stage: Stage, byMs: number): Stage {
  switch (stage.kind) {
    case 'waiting':
      return waitAnew(stage, byMs)
    case 'asking':
    case 'permitted':
    case 'applying':
      return { ...stage, waiting: waitAnew(stage.waiting, byMs) }
    default:
      return stage
  }
}

function waitAnew(waiting: Waiting, byMs: number): Waiting {
  return { ...waiting, confirmed: false, unanswered: 0, aloneAtMs: null, notBeforeMs: waiting.notBeforeMs + byMs }
}

function goOn(state: FixState, active: Fix, now: Moment): StepResult {
  const { remediation, stage, timeoutMs } = active
  switch (stage.kind) {
    case 'asking':
      return nothing(alter(state, active, { stage: stage.waiting }))
    case 'permitted':
      return standBack(state, active, now, 'the agent restarted')
    case 'reverting':
      return { state, effects: [{ kind: 'revert', plan: remediation.plan, timeoutMs }] }
    default:
      // Applied, half applied or not at all: nobody knows. The detector does, and it is not applied again.
      return verify(state, active, now, 'the agent restarted during the fix: looking whether the fault is gone')
  }
}

/** Of a person who meant now; one that was given for a window holds until it opens. */
function voidUnused(before: FixState, now: Moment): StepResult {
  return before.fixes.reduce((result, fix) => {
    const waiting = waitingOf(fix)
    if (waiting === undefined || waiting.approval === null || fix.remediation.phase === 'awaiting-window') return result
    const why = `the approval by ${waiting.approval.by} was not used before the agent restarted and is void`
    return andThen(result, (state) => voidApproval(state, fix, waiting, now, why))
  }, nothing(before))
}

/** Outcomes that are said again: more do not come about while a node is cut off. */
const SAID_AGAIN_MAX = 16

/**
 * What is open, and what nobody else may have heard. That is what was recorded last, since a record is saved before it is
 * announced; and what came of the last fixes, since a node that was cut off told it to nobody.
 */
function sayAgain(before: FixState, { fixes }: FixState): readonly Effect[] {
  // By their order: the wall clock may have been set since.
  const lastAt = before.fixes.at(-1)?.remediation.at
  const outcomes = new Set(fixes.filter(({ remediation }) => isOutcome(remediation)).slice(-SAID_AGAIN_MAX))
  return fixes
    .filter((fix) => fix.stage.kind !== 'ended' || fix.remediation.at === lastAt || outcomes.has(fix))
    .map(({ remediation }) => ({ kind: 'announce', remediation }))
}
