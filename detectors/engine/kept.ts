/**
 * What of a detector outlives the process, and what of it still holds when the next one starts: a restart must neither hide
 * a fault nor make one up. Pure.
 */
import { durationMs } from '../../common/duration.ts'
import type { Moment } from '../../common/moment.ts'
import type { Finding, Reason } from '../contract.ts'
import { type Absence, EMPTY_TRACK, type Track } from './track.ts'

/** One detector as it was after its last look. */
export interface Kept {
  readonly version: string
  /** As they were written in settings, in JSON. */
  readonly options: string
  /** When it looked, on the clock of the host's start. */
  readonly lookedMs: number
  readonly track: Track
  /** Newest first. */
  readonly past: readonly unknown[]
}

export interface KeptState {
  /** False when the host was started anew since: then neither times nor samples of before can be compared with. */
  readonly isSameBoot: boolean
  /** By name. */
  readonly detectors: ReadonlyMap<string, Kept>
}

/** How a detector goes on. */
export interface Resumed {
  readonly track: Track
  readonly past: readonly unknown[]
  /** What it means if the first look does not see a fault of before. */
  readonly absence: Absence
  /** To be said until the first look, for the rest of their time. */
  readonly standing: readonly Finding[]
}

export interface ResumeContext {
  readonly version: string
  readonly options: string
  readonly reasons: Readonly<Record<string, Reason>>
  readonly ttlMs: number
}

export const NOTHING_KEPT: Resumed = { track: EMPTY_TRACK, past: [], absence: 'counts', standing: [] }

/**
 * A host that was started anew must show for as long as any other that a fault stays: much is ill while it starts. What needs no
 * time is the same fault when the first look sees it.
 */
export function resume(kept: Kept, isSameBoot: boolean, now: Moment, context: ResumeContext): Resumed {
  const { track } = kept
  // Of another version of the program there may be reasons that this one does not know.
  const sightings = track.sightings.filter(({ reason }) => Object.hasOwn(context.reasons, reason))
  const ageMs = now.ms - kept.lookedMs
  if (!isSameBoot || ageMs < 0) {
    const lasting = sightings.filter(({ sustained, reason }) => sustained && (isSameBoot || isAtOnce(context, reason)))
    const begun = lasting.map(({ goneMs: _, ...sighting }) => ({ ...sighting, firstMs: now.ms, lastMs: now.ms }))
    return { ...NOTHING_KEPT, track: { sightings: begun, flaps: [], reported: [] }, absence: 'ends' }
  }
  const known = { ...track, sightings }
  const isRecent = ageMs < context.ttlMs
  if (!isRecent || kept.options !== context.options) return { ...NOTHING_KEPT, track: known, absence: 'ends' }
  const past = kept.version === context.version ? kept.past : []
  const standing = track.reported
    .filter(({ reason }) => Object.hasOwn(context.reasons, reason))
    .map((finding) => ({ ...finding, ttlMs: Math.max(0, finding.ttlMs - ageMs) }))
  return { track: known, past, absence: past.length === 0 ? 'says-nothing' : 'counts', standing }
}

function isAtOnce({ reasons }: ResumeContext, reason: string): boolean {
  const sustain = reasons[reason]?.sustain
  return sustain !== undefined && durationMs(sustain) === 0
}
