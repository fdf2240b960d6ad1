/**
 * What is known of one detector over time. Each run's result is folded into a track, which decides what is reported:
 * a fault once it has been seen without a break for its sustain, under the same id until it has been gone for as long as
 * its reason says, or longer when it keeps coming and going (flaps.ts); `Ok` when there is none; `ProbeFailed` when the
 * detector could not look. Pure: time is passed in.
 */
import { durationMs, formatDuration } from '../../common/duration.ts'
import type { Moment } from '../../common/moment.ts'
import type { Finding, Judgement, Reason } from '../contract.ts'
import { worstFirst } from './bounds.ts'
import { type Flaps, isFlapping, quietMs, WINDOW_MS, wentTimes, withGone } from './flaps.ts'

/** What one run of a detector came to. */
export type RunResult =
  | { readonly kind: 'judged'; readonly judgements: readonly Judgement[] }
  /** The host has no such thing: an answer, which ends every fault. */
  | { readonly kind: 'not-applicable'; readonly why: string }
  /** The probe broke: no answer. It neither ends a reported fault nor helps to sustain one that is not reported yet. */
  | { readonly kind: 'failed'; readonly why: string }

export interface TrackContext {
  readonly node: string
  readonly detector: string
  readonly version: string
  readonly reasons: Readonly<Record<string, Reason>>
  /** How long a finding counts after it was observed. Two sightings further apart than this are not one streak. */
  readonly ttlMs: number
}

/**
 * What it means that a look does not see a fault. `counts`: it is gone, and reported gone once it was so for long enough.
 * `ends`: it is reported gone at once, since somebody mended it or wants something else now. `says-nothing`: the detector
 * had no samples of before to compare with, so the fault may be one that it cannot see yet.
 */
export type Absence = 'counts' | 'ends' | 'says-nothing'

/** A fault that is seen, or was and is not reported gone yet. */
export interface Sighting {
  readonly reason: string
  readonly cause: string
  readonly firstMs: number
  readonly lastMs: number
  readonly since: string
  /** It has been sustained once; from then on it is reported until it is seen gone. */
  readonly sustained: boolean
  /** The first look that did not see it any more; not there while it is seen. */
  readonly goneMs?: number
  /** As it was last judged. */
  readonly summary: string
  readonly evidence: Finding['evidence']
}

export interface Track {
  /** At most `SIGHTINGS_MAX`. */
  readonly sightings: readonly Sighting[]
  /** Which faults came and went lately. */
  readonly flaps: readonly Flaps[]
  /** What was reported last; never empty after the first run. */
  readonly reported: readonly Finding[]
}

export const EMPTY_TRACK: Track = { sightings: [], flaps: [], reported: [] }

/** Of a detector with more causes than this the mildest are not tracked; no report has room for them. */
const SIGHTINGS_MAX = 256

export interface TrackStep {
  readonly track: Track
  /** Everything this run saw, sustained or not: the answer to "is it gone now?". */
  readonly seen: readonly Finding[]
  /** Whether `track.reported` says something else than before. New figures for the same findings do not count. */
  readonly changed: boolean
}

export function stepTrack(
  context: TrackContext,
  before: Track,
  now: Moment,
  result: RunResult,
  absence: Absence = 'counts',
): TrackStep {
  const step =
    result.kind === 'judged'
      ? judged(context, before, now, result.judgements, absence)
      : unjudged(context, before, now, result)
  const ids = (findings: readonly Finding[]) => findings.map((finding) => finding.id).join('\n')
  return { ...step, changed: ids(step.track.reported) !== ids(before.reported) }
}

/** Throws when a reason is not in the catalogue; callers check that with `unknownReason` before. */
function judged(
  context: TrackContext,
  before: Track,
  now: Moment,
  judgements: readonly Judgement[],
  absence: Absence,
): Omit<TrackStep, 'changed'> {
  const seen = new Map<string, Sighting>()
  for (const judgement of judgements) {
    const key = keyOf(judgement.reason, judgement.cause ?? '')
    if (!seen.has(key)) seen.set(key, sight(context, before, now, judgement))
  }
  const unseen = absence === 'ends' ? [] : before.sightings.filter((each) => each.sustained && !seen.has(keyIn(each)))
  const goes = absence === 'says-nothing' ? [] : unseen.filter(({ goneMs }) => goneMs === undefined)
  const flaps = absence === 'ends' ? [] : withGone(before.flaps, now.ms, goes.map(keyIn))
  const held = unseen
    .map((each) => (goes.includes(each) ? { ...each, goneMs: now.ms } : each))
    .filter((each) => each.goneMs === undefined || now.ms - each.goneMs < quietOf(context, flaps, each))
  const worst = worstFirst(
    [...seen.values(), ...held].map((each) => ({ ...each, status: reasonOf(context, each.reason).severity })),
    SIGHTINGS_MAX,
  )
  const sightings = worst.map(({ status: _, ...sighting }): Sighting => sighting)
  const findings = (shown: readonly Sighting[]) => {
    const named = shown.map((sighting) => faultFinding(context, now, sighting, flaps))
    const list = worstFirst(withoutSuperseded(context, named))
    return list.length > 0 ? list : [ownFinding(context, before, now, 'Ok', 'ok', 'nothing to report')]
  }
  return {
    track: { sightings, flaps, reported: findings(sightings.filter(({ sustained }) => sustained)) },
    seen: findings([...seen.values()]),
  }
}

function sight(context: TrackContext, before: Track, now: Moment, judgement: Judgement): Sighting {
  const { reason, cause = '', summary, evidence } = judgement
  const last = before.sightings.find((sighting) => sighting.reason === reason && sighting.cause === cause)
  const unbroken = last !== undefined && (last.sustained || now.ms - last.lastMs <= context.ttlMs)
  const first = unbroken ? last : { firstMs: now.ms, since: now.wall, sustained: false }
  const sustainMs = durationMs(reasonOf(context, reason).sustain)
  return {
    reason,
    cause,
    firstMs: first.firstMs,
    lastMs: now.ms,
    since: first.since,
    sustained: first.sustained || now.ms - first.firstMs >= sustainMs,
    summary,
    evidence,
  }
}

/** How long it must be gone before it is reported gone. */
function quietOf(context: TrackContext, flaps: readonly Flaps[], sighting: Sighting): number {
  const { sustain, clearAfter = sustain } = reasonOf(context, sighting.reason)
  return quietMs(wentTimes(flaps, keyIn(sighting)), durationMs(clearAfter), context.ttlMs)
}

function unjudged(context: TrackContext, before: Track, now: Moment, result: Exclude<RunResult, { kind: 'judged' }>) {
  const failed = result.kind === 'failed'
  const reported = [
    failed
      ? ownFinding(context, before, now, 'ProbeFailed', 'unknown', result.why)
      : ownFinding(context, before, now, 'NotApplicable', 'not-applicable', result.why),
  ]
  const sightings = failed ? before.sightings.filter((sighting) => sighting.sustained) : []
  return { track: { sightings, flaps: before.flaps, reported }, seen: reported }
}

function withoutSuperseded(context: TrackContext, findings: readonly Finding[]): readonly Finding[] {
  const superseded = new Set(
    findings.map(({ reason, cause }) => keyOf(reasonOf(context, reason).supersedes ?? '', cause)),
  )
  return findings.filter(({ reason, cause }) => !superseded.has(keyOf(reason, cause)))
}

function faultFinding(context: TrackContext, now: Moment, sighting: Sighting, flaps: readonly Flaps[]): Finding {
  const { reason, cause, since, goneMs, summary, evidence } = sighting
  const status = reasonOf(context, reason).severity
  const times = wentTimes(flaps, keyIn(sighting))
  const asides = [
    ...(isFlapping(times) ? [`flapping: gone ${times} times within ${formatDuration(WINDOW_MS)}`] : []),
    ...(goneMs === undefined ? [] : [`not seen for ${formatDuration(now.ms - goneMs)}`]),
  ]
  const said = asides.length === 0 ? summary : `${summary} (${asides.join('; ')})`
  const found = finding(context, now, { reason, cause, since, status }, said, evidence)
  return goneMs === undefined ? found : { ...found, held: isFlapping(times) ? 'flapping' : 'clearing' }
}

/** One of the engine's own findings. It began when the detector last had something else to say. */
function ownFinding(
  context: TrackContext,
  before: Track,
  now: Moment,
  reason: 'Ok' | 'ProbeFailed' | 'NotApplicable',
  status: Finding['status'],
  why: string,
): Finding {
  const since = before.reported.find((last) => last.reason === reason)?.since ?? now.wall
  return finding(context, now, { reason, cause: '', since, status }, why, [])
}

function finding(
  { node, detector, version, ttlMs }: TrackContext,
  now: Moment,
  { reason, cause, since, status }: Pick<Finding, 'reason' | 'cause' | 'since' | 'status'>,
  summary: string,
  evidence: Finding['evidence'],
): Finding {
  const id = `${node}/${detector}/${reason}/${cause}#${since}`
  return { id, node, detector, reason, cause, status, summary, evidence, since, observedAt: now.wall, ttlMs, version }
}

/** The first reason among `judgements` that the catalogue does not have. */
export function unknownReason(reasons: TrackContext['reasons'], judgements: readonly Judgement[]): string | undefined {
  return judgements.map((judgement) => judgement.reason).find((reason) => !Object.hasOwn(reasons, reason))
}

function reasonOf({ reasons, detector }: TrackContext, name: string): Reason {
  const reason = reasons[name]
  if (reason === undefined) throw new Error(`${detector} has no reason ${name}`)
  return reason
}

const keyOf = (reason: string, cause: string) => `${reason}\n${cause}`
const keyIn = ({ reason, cause }: Sighting) => keyOf(reason, cause)
