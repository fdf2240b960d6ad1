/**
 * From a plan that may be begun to its beginning: in its window, when it is its turn, the leader is asked; its permit is used
 * up before anything is done, and is good for a short time on this node's own clock. Pure.
 */
import type { Moment } from '../common/moment.ts'
import { type Around, whetherAlone } from './alone.ts'
import { recordTry } from './cases.ts'
import { BEGIN_WITHIN_MS, type Permit, type PermitRequest, type Refusal } from './permits.ts'
import type { Rules } from './policy/rules.ts'
import { isOpen, nextOpening } from './policy/windows.ts'
import {
  activeFix,
  alter,
  andThen,
  type Beginning,
  type Effect,
  enterPhase,
  type Fix,
  type FixState,
  findFix,
  inStage,
  nothing,
  type StepResult,
  usePermit,
  type Waiting,
  waitingOf,
} from './state.ts'

/** After a request that nobody answered: doubles from this to the most. A leader that changes is back within seconds. */
const BACK_OFF_MIN_MS = 15_000
const BACK_OFF_MAX_MS = 300_000
/** However soon a refusal lets it, a node does not ask more often for one plan. */
const ASK_AGAIN_MIN_MS = 1_000
/** A fixer that was started in the meantime is found then. */
const HANDLESS_REST_MS = 60_000

export type CollectResult =
  /** There is nobody to collect any. */
  | { readonly kind: 'none' }
  | { readonly kind: 'collected'; readonly where: string }
  | { readonly kind: 'failed'; readonly why: string }

/** Why nothing may begin any more at `now`; undefined while it may. */
export function whyTooLate({ byMs, windows }: Beginning, now: Moment): string | undefined {
  // Written so that it also holds for NaN.
  if (!(now.ms <= byMs)) return `it must begin within ${BEGIN_WITHIN_MS / 1_000} s after it was asked for`
  return isOpen(windows, now.wall) ? undefined : closedUntil({ windows }, now)
}

/** What was asked for or permitted and got no further in time goes back to wait. */
export function giveUpWaits(state: FixState, now: Moment): StepResult {
  const fix = activeFix(state)
  if (fix === undefined) return nothing(state)
  const { stage } = fix
  if (stage.kind === 'asking' && now.ms - stage.askedMs > BEGIN_WITHIN_MS) {
    const unanswered = stage.waiting.unanswered + 1
    const backOffMs = Math.min(BACK_OFF_MIN_MS * 2 ** (unanswered - 1), BACK_OFF_MAX_MS)
    return nothing(alter(state, fix, { stage: { ...stage.waiting, unanswered, notBeforeMs: now.ms + backOffMs } }))
  }
  if (stage.kind !== 'permitted' || now.ms <= stage.beginByMs) return nothing(state)
  return standBack(state, fix, now, 'it was not begun in time')
}

/** Begins what may begin without a leader, or asks for the one whose turn it is. */
export function startNext(rules: Rules, before: FixState, now: Moment, around: Around): StepResult {
  if (activeFix(before) !== undefined) return nothing(before)
  let result = nothing(before)
  for (const { remediation } of readyInTurn(before)) {
    const fix = inStage(result.state, remediation.plan.id, 'waiting')
    if (fix === undefined) continue
    result = andThen(result, (state) => start(rules, state, fix, now, around))
    if (activeFix(result.state) !== undefined) break
  }
  return result
}

/** Whether the leader will be asked at `now`, as far as it is for this node to say. */
export function wantsNonce(state: FixState, now: Moment): boolean {
  if (activeFix(state) !== undefined) return false
  return readyInTurn(state).some((fix) => (waitingOf(fix)?.notBeforeMs ?? 0) <= now.ms && isOpen(fix.windows, now.wall))
}

/** In the order in which they may be asked for. */
function readyInTurn({ fixes }: FixState): readonly Fix[] {
  const dueAt = (fix: Fix) => waitingOf(fix)?.notBeforeMs ?? 0
  return fixes.filter(isReady).toSorted((a, b) => dueAt(a) - dueAt(b))
}

function isReady({ stage, remediation: { mode } }: Fix): boolean {
  return (
    stage.kind === 'waiting' && stage.confirmed && (mode === 'auto' || (mode === 'approve' && stage.approval !== null))
  )
}

function start(
  rules: Rules,
  state: FixState,
  fix: Fix & { readonly stage: Waiting },
  now: Moment,
  around: Around,
): StepResult {
  if (!isOpen(fix.windows, now.wall)) return awaitWindow(state, fix, fix.stage, now)
  const alone = whetherAlone(rules, fix, now, around)
  if (alone === 'begin') {
    const why = 'cut off from the leader: it begins without a permit, since it stops and restarts nothing'
    return permit(state, fix, fix.stage, now, { permit: null, beginByMs: now.ms + BEGIN_WITHIN_MS, why })
  }
  const waiting: Waiting = { ...fix.stage, aloneAtMs: alone }
  if (now.ms >= fix.stage.notBeforeMs) {
    if (around.handless !== undefined) return awaitHands(state, fix, waiting, now, around.handless)
    if (around.nonce !== undefined) return ask(state, fix, waiting, now, around.nonce)
  }
  return nothing(alone === fix.stage.aloneAtMs ? state : alter(state, fix, { stage: waiting }))
}

/** Says once, for as long as it is so, that nothing can be carried out here. */
function awaitHands(state: FixState, fix: Fix, waiting: Waiting, now: Moment, why: string): StepResult {
  const stage: Waiting = { ...waiting, notBeforeMs: now.ms + HANDLESS_REST_MS }
  const { phase, why: said } = fix.remediation
  if (phase === 'refused' && said === why) return nothing(alter(state, fix, { stage }))
  return enterPhase(state, fix, now, { phase: 'refused', why, stage, permitId: undefined })
}

/** Says once that it waits for its window. An approval holds until then. */
function awaitWindow(state: FixState, fix: Fix, waiting: Waiting, now: Moment): StepResult {
  if (fix.stage.kind === 'waiting' && fix.remediation.phase === 'awaiting-window') return nothing(state)
  return enterPhase(state, fix, now, {
    phase: 'awaiting-window',
    why: closedUntil(fix, now),
    stage: { ...waiting, approval: lasting(waiting) },
  })
}

function closedUntil({ windows }: Pick<Fix, 'windows'>, now: Moment): string {
  const next = nextOpening(windows, now.wall)
  return next === undefined ? 'its window never opens again' : `outside its window, which opens next at ${next}`
}

function lasting({ approval }: Waiting): Waiting['approval'] {
  return approval && { ...approval, expiresMs: null }
}

function ask(state: FixState, fix: Fix, waiting: Waiting, now: Moment, nonce: string): StepResult {
  const { plan, mode } = fix.remediation
  const { id: planId, node, planHash, evidenceHash } = plan
  const { decisionId } = waiting.approval ?? {}
  const request: PermitRequest = {
    node,
    planId,
    planHash,
    evidenceHash,
    nonce,
    mode: mode === 'auto' ? 'auto' : 'approve',
    ...(decisionId === undefined ? {} : { decisionId }),
  }
  const stage = { kind: 'asking', waiting: { ...waiting, approval: lasting(waiting) }, nonce, askedMs: now.ms } as const
  const effects: readonly Effect[] = [{ kind: 'ask', request }]
  // What is said from here on is about the answer to this request, and no more about a permit of before.
  const { permitId: _, ...remediation } = fix.remediation
  if (remediation.phase !== 'awaiting-window') return { state: alter(state, fix, { stage, remediation }), effects }
  const why = 'its window is open: it begins once the leader permits it'
  const entered = enterPhase(state, fix, now, { phase: 'proposed', why, stage, permitId: undefined })
  return { state: entered.state, effects: [...entered.effects, ...effects] }
}

/** Uses the permit up, or refuses it and says that nothing was begun with it. */
export function onPermit(state: FixState, now: Moment, answer: Permit): StepResult {
  const fix = findFix(state, answer.planId)
  const why = whyNotPermitted(state, fix, now, answer)
  if (why === undefined && fix?.stage.kind === 'asking') {
    const { waiting, askedMs } = fix.stage
    const used = usePermit(state, answer.id)
    return permit(used, fix, waiting, now, {
      permit: answer,
      beginByMs: askedMs + BEGIN_WITHIN_MS,
      why: 'the leader permits it',
    })
  }
  return {
    state,
    effects: [{ kind: 'refuse', what: 'permit', id: answer.id, why: why ?? '' }, ...sayUnused(fix, now, answer)],
  }
}

function whyNotPermitted(state: FixState, fix: Fix | undefined, now: Moment, answer: Permit): string | undefined {
  if (state.usedPermits.includes(answer.id)) return 'it has been used'
  if (fix === undefined) return 'there is no such plan'
  const { plan, phase } = fix.remediation
  if (answer.node !== plan.node) return `it is for node ${answer.node}`
  if (fix.stage.kind !== 'asking') return `nobody waits for it: the plan is ${phase}`
  if (answer.nonce !== fix.stage.nonce) return 'it answers another request'
  if (answer.planHash !== plan.planHash) return 'it was given for a plan with other content'
  if (answer.evidenceHash !== plan.evidenceHash) return 'it was given on other evidence'
  if (!(now.ms - fix.stage.askedMs <= BEGIN_WITHIN_MS)) return 'it came too late'
  return undefined
}

/** The leader counts a permit as outstanding until its node has said that it will not be used. */
function sayUnused(fix: Fix | undefined, now: Moment, { id, node }: Permit): readonly Effect[] {
  if (fix === undefined || node !== fix.remediation.plan.node || fix.remediation.permitId === id) return []
  if (fix.stage.kind !== 'waiting' && fix.stage.kind !== 'asking') return []
  return [{ kind: 'announce', remediation: { ...fix.remediation, at: now.wall, permitId: id } }]
}

interface Grant {
  readonly permit: Permit | null
  readonly beginByMs: number
  readonly why: string
}

function permit(state: FixState, fix: Fix, waiting: Waiting, now: Moment, grant: Grant): StepResult {
  const answered: Waiting = { ...waiting, unanswered: 0, aloneAtMs: null }
  const entered = enterPhase(state, fix, now, {
    phase: 'permitted',
    why: grant.why,
    stage: { kind: 'permitted', waiting: answered, permit: grant.permit, beginByMs: grant.beginByMs },
    permitId: grant.permit?.id,
  })
  const { plan } = fix.remediation
  if (fix.diagnostics !== null) return andThen(entered, (next) => begin(next, plan.id, now, fix.diagnostics ?? ''))
  return { state: entered.state, effects: [...entered.effects, { kind: 'collect', plan }] }
}

export function onCollected(state: FixState, now: Moment, planId: string, result: CollectResult): StepResult {
  return begin(state, planId, now, inWords(result))
}

function inWords(result: CollectResult): string {
  switch (result.kind) {
    case 'none':
      return ''
    case 'collected':
      return `diagnostics: ${result.where}`
    case 'failed':
      return `diagnostics could not be collected: ${result.why}`
  }
}

/** The last look before the host is changed: the time, and the wall clock, are those of now. */
function begin(state: FixState, planId: string, now: Moment, diagnostics: string): StepResult {
  const fix = inStage(state, planId, 'permitted')
  if (fix === undefined) return nothing(state)
  const { beginByMs, permit, waiting } = fix.stage
  const informed = { ...fix, diagnostics }
  const beginning = { byMs: beginByMs, windows: fix.windows }
  const late = whyTooLate(beginning, now)
  if (late !== undefined) return standBack(state, informed, now, late)
  const { why: permitted } = fix.remediation
  const approved = waiting.approval === null ? '' : `approved by ${waiting.approval.by}; `
  const why = `${approved}${permitted}${diagnostics === '' ? '' : `; ${diagnostics}`}`
  const { plan } = fix.remediation
  const entered = enterPhase(state, informed, now, { phase: 'applying', why, stage: { kind: 'applying', waiting } })
  const { timeoutMs } = fix
  return {
    state: recordTry(entered.state, fix.remediation, now.ms),
    effects: [...entered.effects, { kind: 'apply', plan, permit, beginning, timeoutMs }],
  }
}

/** Nothing was begun, and its permit is void: back to wait, and to ask anew. */
export function standBack(state: FixState, fix: Fix, now: Moment, why: string): StepResult {
  const waiting = waitingOf(fix)
  if (waiting === undefined) return nothing(state)
  const back: Waiting = { ...waiting, notBeforeMs: now.ms + ASK_AGAIN_MIN_MS }
  if (!isOpen(fix.windows, now.wall)) return awaitWindow(state, { ...fix, stage: waiting }, back, now)
  return enterPhase(state, fix, now, { phase: 'proposed', why: `nothing was begun: ${why}`, stage: back })
}

/** The leader's no: the guards are told, and it is asked again later, while the fault lasts. */
export function onRefusal(state: FixState, now: Moment, { planId, nonce, guards, retryAfterMs }: Refusal): StepResult {
  const fix = inStage(state, planId, 'asking')
  if (fix === undefined || nonce !== fix.stage.nonce) {
    return {
      state,
      effects: [{ kind: 'refuse', what: 'refusal', id: nonce, why: 'it answers no request that is open' }],
    }
  }
  const against = guards.filter(({ allowed }) => !allowed)
  const why = `refused by ${against.map(({ guard, why: reason }) => `${guard}: ${reason}`).join('; ')}`
  const notBeforeMs = now.ms + Math.max(retryAfterMs, ASK_AGAIN_MIN_MS)
  const stage: Waiting = { ...fix.stage.waiting, unanswered: 0, aloneAtMs: null, notBeforeMs }
  return enterPhase(state, fix, now, { phase: 'refused', why, stage, guards: against, permitId: undefined })
}
