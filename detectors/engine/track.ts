/**
 * What is known of one detector over time. Each run's result is folded into a track, which decides what is reported:
 * a fault once it has been seen without a break for its sustain, under the same id until it is seen gone; `Ok` when
 * there is none; `ProbeFailed` when the detector could not look. Pure: time is passed in.
 */
import { durationMs } from '../../common/duration.ts'
import type { Moment } from '../../common/moment.ts'
import type { Finding, Judgement, Reason } from '../contract.ts'
import { worstFirst } from './bounds.ts'

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

/** A fault that has been seen and has not been seen gone since. */
interface Sighting {
  readonly reason: string
  readonly cause: string
  readonly firstMs: number
  readonly lastMs: number
  readonly since: string
  /** It has been sustained once; from then on it is reported until it is seen gone. */
  readonly sustained: boolean
}

export interface Track {
  readonly sightings: readonly Sighting[]
  /** What was reported last; never empty after the first run. */
  readonly reported: readonly Finding[]
}

export const EMPTY_TRACK: Track = { sightings: [], reported: [] }

export interface TrackStep {
  readonly track: Track
  /** Everything this run saw, sustained or not: the answer to "is it gone now?". */
  readonly seen: readonly Finding[]
  /** Whether `track.reported` says something else than before. New figures for the same findings do not count. */
  readonly changed: boolean
}

export function stepTrack(context: TrackContext, before: Track, now: Moment, result: RunResult): TrackStep {
  const step =
    result.kind === 'judged' ? judged(context, before, now, result.judgements) : unjudged(context, before, now, result)
  const ids = (findings: readonly Finding[]) => findings.map((finding) => finding.id).join('\n')
  return { ...step, changed: ids(step.track.reported) !== ids(before.reported) }
}

/** Throws when a reason is not in the catalogue; callers check that with `unknownReason` before. */
function judged(context: TrackContext, before: Track, now: Moment, judgements: readonly Judgement[]) {
  const sightings = new Map<string, Sighting>()
  const faults: { sighting: Sighting; judgement: Judgement }[] = []
  for (const judgement of judgements) {
    const key = keyOf(judgement.reason, judgement.cause ?? '')
    if (sightings.has(key)) continue
    const sighting = sight(context, before, now, judgement)
    sightings.set(key, sighting)
    faults.push({ sighting, judgement })
  }
  const findings = (shown: typeof faults) => {
    const named = shown.map(({ sighting, judgement }) => faultFinding(context, now, sighting, judgement))
    const list = worstFirst(withoutSuperseded(context, named))
    return list.length > 0 ? list : [ownFinding(context, before, now, 'Ok', 'ok', 'nothing to report')]
  }
  return {
    track: { sightings: [...sightings.values()], reported: findings(faults.filter((f) => f.sighting.sustained)) },
    seen: findings(faults),
  }
}

function sight(context: TrackContext, before: Track, now: Moment, judgement: Judgement): Sighting {
  const { reason, cause = '' } = judgement
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
  }
}

function unjudged(context: TrackContext, before: Track, now: Moment, result: Exclude<RunResult, { kind: 'judged' }>) {
  const failed = result.kind === 'failed'
  const reported = [
    failed
      ? ownFinding(context, before, now, 'ProbeFailed', 'unknown', result.why)
      : ownFinding(context, before, now, 'NotApplicable', 'not-applicable', result.why),
  ]
  const sightings = failed ? before.sightings.filter((sighting) => sighting.sustained) : []
  return { track: { sightings, reported }, seen: reported }
}

function withoutSuperseded(context: TrackContext, findings: readonly Finding[]): readonly Finding[] {
  const superseded = new Set(
    findings.map(({ reason, cause }) => keyOf(reasonOf(context, reason).supersedes ?? '', cause)),
  )
  return findings.filter(({ reason, cause }) => !superseded.has(keyOf(reason, cause)))
}

function faultFinding(context: TrackContext, now: Moment, sighting: Sighting, judgement: Judgement): Finding {
  const { reason, cause, since } = sighting
  const status = reasonOf(context, reason).severity
  return finding(context, now, { reason, cause, since, status }, judgement.summary, judgement.evidence)
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
