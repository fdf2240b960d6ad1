/** The `marking` part of the settings: what a verdict or a finding may do to a Node, by pool and by reason. */
import { z } from 'zod'
import { durationMs, isDuration } from '../common/duration.ts'

/**
 * `observe`: nothing is written, the events say what would have been. `condition`: own condition and own taint.
 * `ready`: also the node's and its pods' Ready.
 */
export const MARKING_MODES = ['observe', 'condition', 'ready'] as const
export type MarkingMode = (typeof MARKING_MODES)[number]

/** What a reason may do beside Ready; each includes the one before it. */
export const TAINT_POLICIES = ['none', 'condition', 'NoSchedule'] as const
export type TaintPolicy = (typeof TAINT_POLICIES)[number]

const HOLD_MS_MAX = 3_600_000

const hold = z
  .string()
  .refine(isDuration, 'must be a duration, as in 10s')
  .refine((text) => !isDuration(text) || durationMs(text) <= HOLD_MS_MAX, 'must be at most 1h')

const mode = z.enum(MARKING_MODES)

/** Without defaults, as the document that it is part of. */
export const markingPart = z.strictObject({
  /** Of every pool that is not named; `observe` when it is not given. */
  mode: mode.exactOptional(),
  /** By pool, as the node's label names it (docs/kubernetes.md). */
  pools: z.record(z.string().min(1).max(63), z.strictObject({ mode })).exactOptional(),
  /** How long a verdict must have stood, and for `hung` how long the silence must have lasted, before it is written. */
  holds: z
    .strictObject({ endpoints: hold.exactOptional(), nodeReady: hold.exactOptional(), hung: hold.exactOptional() })
    .exactOptional(),
  /** By reason of a verdict or a finding. */
  taints: z
    .record(z.string().regex(/^[A-Z][A-Za-z0-9]{0,62}$/, 'reasons are written as NodeDown'), z.enum(TAINT_POLICIES))
    .exactOptional(),
})

export type MarkingSettings = z.infer<typeof markingPart>

/** The part with its defaults, as the marker asks it. */
export interface Marking {
  /** `pool`: undefined for a node that belongs to none. */
  modeOf(pool: string | undefined): MarkingMode
  readonly holds: { readonly endpointsMs: number; readonly nodeReadyMs: number; readonly hungMs: number }
  policyOf(reason: string): TaintPolicy
}

/**
 * What is not listed shows as a condition. The kubelet taints for pressure on disk and memory itself, and the controller
 * for a node that is not Ready; new pods must not come to a node that cannot run them.
 */
const DEFAULT_POLICIES: Readonly<Record<string, TaintPolicy>> = {
  Isolated: 'NoSchedule',
  KubeletDown: 'NoSchedule',
  KubeletUnhealthy: 'NoSchedule',
  RuntimeDown: 'NoSchedule',
  ReadOnlyFilesystem: 'NoSchedule',
  PidsExhausted: 'NoSchedule',
  FilesExhausted: 'NoSchedule',
  CniUnhealthy: 'NoSchedule',
  GpuLost: 'NoSchedule',
  ConntrackAlmostFull: 'NoSchedule',
  ClockUnusable: 'NoSchedule',
  DiskAlmostFull: 'none',
  InodesAlmostGone: 'none',
  MemoryAlmostFull: 'none',
}

export function readMarking(settings: MarkingSettings = {}): Marking {
  const { pools, holds, taints } = settings
  return {
    modeOf: (pool) => (pool === undefined ? undefined : pools?.[pool]?.mode) ?? settings.mode ?? 'observe',
    holds: {
      endpointsMs: durationMs(holds?.endpoints ?? '0s'),
      nodeReadyMs: durationMs(holds?.nodeReady ?? '0s'),
      hungMs: durationMs(holds?.hung ?? '10s'),
    },
    policyOf: (reason) => taints?.[reason] ?? DEFAULT_POLICIES[reason] ?? 'condition',
  }
}
