/** What should show on a node and its pods, by what is known of it and by policy. */
import type { Finding } from '../../../detectors/contract.ts'
import type { Standing, VerdictKind } from '../../../mesh/core/model.ts'
import type { Marking, MarkingMode } from '../../../settings/marking.ts'
import { MESH } from './diagnosis.ts'

/** A kubelet renews its Lease at a quarter of its duration of 40 s; a hung one must have missed one and a half renewals. */
const RENEWALS_MISSED = 1.5
const RENEWALS_PER_LEASE = 4

export interface StandingVerdict {
  readonly standing: Standing
  /** How long it has stood, and how long the node had been silent in all, ms. */
  readonly stoodMs: number
  readonly silentMs: number
  /** For people: as "8 of 10 observers agree". */
  readonly says: string
}

/** What is known of one node. */
export interface NodeCase {
  readonly verdict?: StandingVerdict
  readonly findings: readonly Finding[]
  /** Of the node's own Lease; the kubelet's default when it has none. */
  readonly leaseSeconds: number
}

export type ReadyReason = 'StarlingNodeDown' | 'StarlingHostHung'

export interface Desired {
  readonly mode: MarkingMode
  /** Reason of Ready=False; undefined: Ready is not ours to write. */
  readonly ready: ReadyReason | undefined
  readonly pods: boolean
  /** Of our own condition, False. */
  readonly condition: { readonly reason: string; readonly says: string; readonly cause: Cause } | undefined
  /** Value of our own taint. */
  readonly taint: string | undefined
  /** When a hold ends and more is wanted than now, ms from now. */
  readonly againInMs: number | undefined
}

/** What stands behind our condition, to be found in its message. */
export type Cause =
  | { readonly kind: 'verdict'; readonly standing: Standing }
  | { readonly kind: 'finding'; readonly id: string }
  /** The mesh's own finding. */
  | { readonly kind: 'diagnosis'; readonly id: string; readonly reason: string }

const READY_REASONS: Readonly<Partial<Record<VerdictKind, ReadyReason>>> = {
  NodeDown: 'StarlingNodeDown',
  HostHung: 'StarlingHostHung',
}

/** Findings that our condition has a word for (docs/contracts.md). Of others it says how bad they are, and its message which. */
const CONDITION_REASONS: readonly string[] = ['KubeletDown']

/** For how long a Lease must have stayed as it is before its kubelet is taken for hung. */
export function missedRenewalsMs(leaseSeconds: number): number {
  return (RENEWALS_MISSED * leaseSeconds * 1_000) / RENEWALS_PER_LEASE
}

/** Nothing of ours. */
export function nothingDesired(mode: MarkingMode): Desired {
  return { mode, ready: undefined, pods: false, condition: undefined, taint: undefined, againInMs: undefined }
}

export function isNothing({ ready, pods, condition, taint }: Desired): boolean {
  return ready === undefined && !pods && condition === undefined && taint === undefined
}

/** `mode`: of the node's pool. In `observe` this is what would be written if it were `ready`. */
export function desiredMarks(known: NodeCase, mode: MarkingMode, marking: Marking): Desired {
  const { verdict, leaseSeconds } = known
  const byFindings = ofFindings(known.findings, mode, marking)
  return verdict === undefined ? byFindings : ofVerdict(verdict, leaseSeconds, byFindings, marking)
}

/** `byFindings`: what the node would show without the verdict, which takes nothing of that away but its own words for it. */
function ofVerdict(verdict: StandingVerdict, leaseSeconds: number, byFindings: Desired, marking: Marking): Desired {
  const { mode } = byFindings
  const { standing, stoodMs, silentMs, says } = verdict
  const { holds } = marking
  const hungMs = Math.max(holds.hungMs, missedRenewalsMs(leaseSeconds))
  const hungInMs = standing.kind === 'HostHung' ? hungMs - silentMs : 0
  const readyInMs = Math.max(hungInMs, holds.nodeReadyMs - stoodMs)
  const podsInMs = Math.max(hungInMs, holds.endpointsMs - stoodMs)
  const reason = mode === 'condition' ? undefined : READY_REASONS[standing.kind]
  const waits = reason === undefined ? [hungInMs] : [hungInMs, readyInMs, podsInMs]
  const later = waits.filter((ms) => ms > 0)
  // A hung host has no hard evidence against it until then: nothing is written of it.
  if (hungInMs > 0) return { ...byFindings, againInMs: hungInMs }
  const policy = marking.policyOf(standing.kind)
  // That Ready is ours must be on the Node whatever the policy says: a later leader undoes by it.
  const hasCondition = policy !== 'none' || reason !== undefined
  return {
    mode,
    ready: readyInMs > 0 ? undefined : reason,
    pods: reason !== undefined && podsInMs <= 0,
    condition: hasCondition
      ? { reason: standing.kind, says: `${standing.kind}: ${says}`, cause: { kind: 'verdict', standing } }
      : byFindings.condition,
    taint: policy === 'NoSchedule' ? standing.kind : byFindings.taint,
    againInMs: later.length === 0 ? undefined : Math.min(...later),
  }
}

/** What is worse than a warning, by policy; the worst of it is named. `unknown` is no finding. */
function ofFindings(findings: readonly Finding[], mode: MarkingMode, marking: Marking): Desired {
  const shown = findings
    .filter(({ status, reason }) => {
      return (status === 'alarm' || status === 'error') && marking.policyOf(reason) !== 'none'
    })
    .toSorted((a, b) => rank(b, marking) - rank(a, marking) || (a.id < b.id ? -1 : 1))
  const [worst] = shown
  if (worst === undefined) return nothingDesired(mode)
  const others = new Set(shown.slice(1).map(({ reason }) => reason)).size
  const says = `${worst.reason}: ${worst.summary}${others === 0 ? '' : ` (and ${others} more)`}`
  return {
    ...nothingDesired(mode),
    condition: { reason: reasonOf(worst), says, cause: causeOf(worst) },
    taint: marking.policyOf(worst.reason) === 'NoSchedule' ? worst.reason : undefined,
  }
}

function reasonOf({ reason, status }: Finding): string {
  if (CONDITION_REASONS.includes(reason)) return reason
  return status === 'error' ? 'FindingError' : 'FindingAlarm'
}

function causeOf({ id, detector, reason }: Finding): Cause {
  return detector === MESH ? { kind: 'diagnosis', id, reason } : { kind: 'finding', id }
}

function rank({ status, reason }: Finding, marking: Marking): number {
  return (marking.policyOf(reason) === 'NoSchedule' ? 2 : 0) + (status === 'error' ? 1 : 0)
}
