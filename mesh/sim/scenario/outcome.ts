/** Whether what happened is what the scenario requires: each reason why not is one sentence. */
import type { Certificate, VerdictKind } from '../../core/model.ts'
import type { Record } from '../world.ts'
import { type Detection, History, seconds, UNDER_WAY_MS } from './history.ts'
import type { Fault, Outcome, Scenario } from './schema.ts'
import { type Episode, KILLS, type Staging } from './staging.ts'
import { P99_SAMPLES_MIN, quantile } from './statistics.ts'

export interface Judged {
  readonly reasons: readonly string[]
  readonly detections: readonly Detection[]
  /** Verdicts about nodes that must not be marked. */
  readonly falseVerdicts: readonly string[]
}

interface Requirement {
  readonly who: string
  readonly as: VerdictKind
  readonly within: number
  readonly atMost: number
  readonly recovered?: number | undefined
  readonly oneBatch?: boolean
}

/** Faults that a verdict may follow from. */
const MARKABLE: readonly Fault['fault'][] = ['host', 'hostPause', 'loss', 'cut']

export function requirementsOf({ outcome, kills }: Scenario): readonly Requirement[] {
  const ofKills = kills && { who: KILLS, as: 'NodeDown' as const, within: kills.within, atMost: kills.atMost }
  return [...outcome.marked, ...(ofKills === undefined ? [] : [ofKills])]
}

export function judge(scenario: Scenario, staging: Staging, records: readonly Record[], endedAt: number): Judged {
  const history = new History(records)
  const requirements = requirementsOf(scenario)
  const reasons: string[] = []
  const detections: Detection[] = []
  for (const requirement of requirements) {
    const due = staging.episodes.filter((episode) => isCase(episode, requirement, endedAt))
    const found = due.flatMap((episode) => {
      const detection = history.detection(episode, requirement.as)
      // Too few who are fit to vote: no verdict is owed, an alarm is.
      const isExcused = detection.tookMs === undefined && history.isBlindTo(episode, requirement.atMost)
      return isExcused ? [] : [detection]
    })
    detections.push(...found)
    reasons.push(...detectionFaults(requirement, found))
    if (requirement.recovered !== undefined) {
      reasons.push(...due.flatMap((episode) => history.recoveryFault(episode, requirement.recovered ?? 0, endedAt)))
    }
    if (requirement.oneBatch === true) reasons.push(...history.batchFaults(due, requirement.as))
  }
  const falseVerdicts = history.commits
    .filter(({ at, certificate }) => !isAllowed(certificate, at, requirements, scenario.outcome, staging))
    .map(({ certificate: { kind, subject } }) => `${kind} of ${subject}`)
  if (falseVerdicts.length > 0) reasons.push(`must not be marked: ${summary(falseVerdicts)}`)
  const { mayBeMarked, reported, freeze, without } = scenario.outcome
  for (const { who, as, undone, once } of mayBeMarked) {
    const members = staging.membersOf(who)
    if (undone !== undefined) reasons.push(...history.notUndone(members, as, undone, endedAt))
    if (once) reasons.push(...history.markedAgain(members, as))
  }
  for (const report of reported) reasons.push(...reportFaults(report, staging, history, endedAt))
  const frozen = history.notices.filter(({ notice }) => notice.kind === 'brake' && notice.change.kind === 'frozen')
  if (freeze === 'must' && frozen.length === 0) reasons.push('the brake should have stopped all verdicts')
  if (freeze === 'never' && frozen.length > 0) reasons.push('the brake should not have stopped verdicts')
  for (const kind of without) {
    const count = history.notices.filter(({ notice }) => notice.kind === kind).length
    if (count > 0) reasons.push(`there should be no ${kind}, there were ${count}`)
  }
  return { reasons, detections, falseVerdicts }
}

/** A fault after which the verdict is owed, and that lasted long enough for it within the run. */
export function isCase(
  { group, state, fault, from, until }: Episode,
  requirement: Requirement,
  endedAt: number,
): boolean {
  if (group !== requirement.who || !MARKABLE.includes(fault)) return false
  if (fault === 'host' && state === 'agentDown') return false
  return Math.min(until, endedAt) - from >= requirement.atMost
}

function detectionFaults({ who, as, within, atMost }: Requirement, found: readonly Detection[]): readonly string[] {
  const took = found.flatMap(({ tookMs }) => (tookMs === undefined ? [] : [tookMs]))
  const missed = found.filter(({ tookMs }) => tookMs === undefined).map(({ node }) => node)
  const reasons: string[] = []
  if (found.length === 0) reasons.push(`no fault on ${who} lasted long enough to be judged`)
  if (missed.length > 0) reasons.push(`not marked ${as}: ${summary(missed)}`)
  const [share, word] = took.length >= P99_SAMPLES_MIN ? [0.99, '99th percentile'] : [0.5, 'median']
  const typical = quantile(took, share)
  if (typical > within) reasons.push(`${as} of ${who} took ${seconds(typical)} (${word}), not ${seconds(within)}`)
  const worst = Math.max(...took)
  if (worst > atMost) reasons.push(`${as} of ${who} took ${seconds(worst)} at worst, not ${seconds(atMost)}`)
  return reasons
}

function isAllowed(
  { subject, kind }: Certificate,
  at: number,
  requirements: readonly Requirement[],
  { mayBeMarked }: Outcome,
  staging: Staging,
): boolean {
  if (mayBeMarked.some(({ who, as }) => as === kind && staging.membersOf(who).has(subject))) return true
  // Of a host that is back for less than the time that a verdict is under way, the verdict is late, not false.
  return requirements.some(({ who, as }) => {
    if (as !== kind) return false
    return staging.episodes.some(({ node, group, from, until }) => {
      return group === who && node === subject && at >= from && at <= until + UNDER_WAY_MS
    })
  })
}

function reportFaults(
  { who, as, within, only, stable, afterEach }: Outcome['reported'][number],
  staging: Staging,
  history: History,
  endedAt: number,
): readonly string[] {
  const members = staging.membersOf(who)
  const opened = history.reportsOf(as)
  const reasons: string[] = []
  for (const node of members) {
    const own = staging.episodes.filter((episode) => episode.group === who && episode.node === node)
    const cases = afterEach === undefined ? own.slice(0, 1) : own.filter(({ state }) => state === afterEach)
    const seen = opened.filter(({ subject }) => subject === node)
    const due = cases.filter((episode) => episode.from + within <= endedAt && !history.isBlindTo(episode, within))
    for (const { from } of due) {
      if (seen.some(({ at }) => at >= from && at - from <= within)) continue
      reasons.push(`${node} was not reported for ${as} within ${seconds(within)}`)
    }
    if (stable && seen.length > 1) reasons.push(`${as} of ${node} began ${seen.length} times`)
  }
  const strangers = opened.filter(({ subject }) => !members.has(subject)).map(({ subject }) => subject)
  if (only && strangers.length > 0) reasons.push(`also reported for ${as}: ${summary(strangers)}`)
  return reasons
}

function summary(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ')
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown
}
