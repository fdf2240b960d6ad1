/**
 * What a detector is. A detector looks at one aspect of its own host: `sample` does all the I/O, `judge` is pure and
 * turns the sample into findings, and the catalogue of reasons says what each finding means to a person. Schedule,
 * timeout, debounce and expiry belong to the engine, so an author returns facts and nothing else.
 */
import type { z } from 'zod'
import type { Duration } from '../common/duration.ts'
import type { Host, Need } from './host/port.ts'

export * from './host/port.ts'

/** The severities of an inspection report, mildest first. */
export const SEVERITIES = ['info', 'warn', 'alarm', 'error'] as const
export type Severity = (typeof SEVERITIES)[number]

/** Reasons that are not for detectors to give: what the engine, the agent and whoever receives a report say themselves. */
export const OWN_REASONS = ['Ok', 'ProbeFailed', 'NotApplicable', 'Expired', 'DetectorsShed', 'Contested'] as const

/** `unknown`: the probe itself broke. It is never counted as healthy and never triggers a fix. */
export type FindingStatus = 'ok' | Severity | 'unknown' | 'not-applicable'

/** One fact behind a finding. `limit` is the value it was held against. */
export interface Measure {
  readonly name: string
  readonly value: number | string
  readonly limit?: number | string
  readonly unit: string
}

/** One detector result about one host. A detector with nothing to report yields a single `ok` finding. */
export interface Finding {
  /** Unique for the whole mesh, stable while the finding lasts: `node/detector/reason/cause#since`. */
  readonly id: string
  readonly node: string
  readonly detector: string
  /** PascalCase, from the detector's catalogue; `Ok`, `ProbeFailed` and `NotApplicable` are the engine's own. */
  readonly reason: string
  /** Tells apart several causes under one reason: a mount point, a sysctl key, a peer. Empty when there is just one. */
  readonly cause: string
  readonly status: FindingStatus
  /** One sentence for a person, with the figures in it. */
  readonly summary: string
  readonly evidence: readonly Measure[]
  /** RFC 3339, UTC, of the host's clock. `since`: when this status began. */
  readonly since: string
  readonly observedAt: string
  /** How long after it was observed it stops counting. Whoever receives it counts on a clock of its own. */
  readonly ttlMs: number
  /**
   * The last look did not see it any more, and it is reported still: `clearing` until it was gone for as long as its reason
   * says, `flapping` for longer since it keeps coming and going. Nothing is to be mended while it is held.
   */
  readonly held?: 'clearing' | 'flapping'
  /** Of the detector that says so. Agents of before it was announced leave it out. */
  readonly version?: string
}

/** What `judge` returns for a fault; the engine makes a `Finding` of it. */
export interface Judgement<R extends string = string> {
  readonly reason: R
  readonly cause?: string
  readonly summary: string
  readonly evidence: readonly Measure[]
}

export interface Reason {
  readonly severity: Severity
  /** One sentence: what this fault does to the node. */
  readonly summary: string
  /** The fault must be seen without a break for this long before it is reported; 0s reports the first sighting. */
  readonly sustain: Duration
  /**
   * It must be gone for this long before it is reported gone, 30m at most; as long as its sustain when not given, since what
   * takes long to be believed takes as long to be over. One that flaps is reported for longer: see engine/flaps.ts.
   */
  readonly clearAfter?: Duration
  /** The page in docs/runbooks/ that says what to do; of a plugin also an address, or what to do in words. */
  readonly runbook: string
  /**
   * The milder reason of the same scale, as 95 % full includes 80 % full. `judge` returns both, so that each has its own
   * sustain and its own beginning; while this one is reported for a cause, the milder one is not.
   */
  readonly supersedes?: string
}

/** All that a detector touches of its host, as people are shown it; the engine refuses it anything else. */
export interface Touches {
  /** Globs of absolute paths: `*` for any part of one name, `**` for any number of folders. Read, listed or measured. */
  readonly paths?: readonly string[]
  /** Globs of absolute paths of which it asks only how full the filesystem is. */
  readonly filesystems?: readonly string[]
  /** Globs of absolute paths of programs that it runs. */
  readonly commands?: readonly string[]
  /** Globs of absolute paths that it may write: of a remediator, or of a program that a manifest describes; no other has any. */
  readonly writes?: readonly string[]
  /** Globs of what it sends requests to: `http://127.0.0.1:*`, `unix:/run/containerd/containerd.sock`. */
  readonly services?: readonly string[]
  /** What the mesh measures between this node and its peers, and what those have in common. */
  readonly peers?: boolean
}

export interface Detector<O = unknown, S = unknown, R extends string = string> {
  /** kebab-case; also the name under which settings configure it. */
  readonly name: string
  /** At most 63 characters. One that ships with Starling leaves it out: it has the version of the program. */
  readonly version?: string
  readonly summary: string
  /** What becomes of it when all detectors together cost more than they may; `usual` when not given. */
  readonly importance?: Importance
  readonly every: Duration
  readonly timeout: Duration
  readonly needs: readonly Need[]
  readonly touches: Touches
  /** Every option has a default, so that `{}` is a valid setting. */
  readonly options: z.ZodType<O>
  readonly reasons: Readonly<Record<R, Reason>>
  /** All the I/O. Throws NotApplicable where the host lacks the thing; any other throw is reported as `unknown`. */
  sample(host: Host, options: O, signal: AbortSignal): Promise<S>
  /** Pure. `past` holds the samples before this one, newest first, at most 10. */
  judge(sample: S, options: O, past: readonly S[]): readonly Judgement<R>[]
}

/** `vital`: never looks more rarely than it is set to. `extra`: the first to do so, before the `usual` ones. */
export type Importance = 'vital' | 'usual' | 'extra'

/** Identity function that infers the sample and the reason names of a detector from its definition. */
export function defineDetector<O, S, const R extends string>(detector: Detector<O, S, R>): Detector<O, S, R> {
  return detector
}
