/** Views for the tests of guards: a small fleet in which nothing is wrong but one fault, with what a test says otherwise. */
import type { Plan, Reach } from '../../../remediators/contract.ts'
import type { Guard, Judgement } from '../../../remediators/guards/guard.ts'
import { type GuardsSettings, guardsPart, readGuards } from '../../../remediators/guards/settings.ts'
import type {
  EndedFix,
  GuardView,
  NodeFacts,
  OutstandingPermit,
  StandingFault,
} from '../../../remediators/guards/view.ts'
import type { Decision } from '../../../remediators/permits.ts'

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
/** Late enough that a whole day lies before it. */
export const NOW_MS = 100 * HOUR_MS
export const NODE = 'node-1'

const HASH = 'a'.repeat(64)

export const planOf = (parts: Partial<Plan> = {}): Plan => ({
  id: 'fix-1',
  node: NODE,
  remediator: 'restart-unit',
  detector: 'kubelet-process',
  reason: 'KubeletDown',
  cause: '',
  findingId: `${NODE}/kubelet-process/KubeletDown/#t`,
  changes: [],
  reach: 'process',
  risk: 'low',
  planHash: HASH,
  evidenceHash: HASH,
  createdAt: '2026-01-01T00:00:00Z',
  ...parts,
})

export const nodeOf = (parts: Partial<NodeFacts> = {}): NodeFacts => ({
  isMember: true,
  zone: 'a',
  pool: 'main',
  roles: ['worker'],
  isDown: false,
  takenBy: undefined,
  blockingPods: [],
  etcd: undefined,
  ...parts,
})

/** `count` nodes, node-1 first, all alike but for what `facts` says by name. */
export function fleetOf(
  count: number,
  facts: Readonly<Record<string, Partial<NodeFacts>>> = {},
): ReadonlyMap<string, NodeFacts> {
  return new Map(Array.from({ length: count }, (_, index) => [`node-${index + 1}`, nodeOf(facts[`node-${index + 1}`])]))
}

export const permitOf = (node: string, parts: Partial<OutstandingPermit> = {}): OutstandingPermit => ({
  permitId: `permit-${node}`,
  node,
  planId: `fix-of-${node}`,
  remediator: 'restart-unit',
  reason: 'RuntimeDown',
  reach: 'process',
  ...parts,
})

export const endedOf = (parts: Partial<EndedFix> = {}): EndedFix => ({
  node: NODE,
  pool: 'main',
  planId: 'fix-0',
  remediator: 'restart-unit',
  reason: 'KubeletDown',
  cause: '',
  phase: 'verified',
  atMs: NOW_MS - HOUR_MS,
  ...parts,
})

export const faultOf = (node: string, parts: Partial<StandingFault> = {}): StandingFault => ({
  node,
  reason: 'KubeletDown',
  cause: '',
  severity: 'alarm',
  sinceMs: NOW_MS - MINUTE_MS,
  held: undefined,
  ...parts,
})

export const decisionOf = (parts: Partial<Decision> = {}): Decision => ({
  id: 'decision-1',
  planId: 'fix-1',
  planHash: HASH,
  evidenceHash: HASH,
  node: NODE,
  action: 'approve',
  by: 'page',
  via: 'page',
  reason: '',
  at: '2026-01-01T00:00:00Z',
  ttlMs: 30_000,
  ...parts,
})

/** A request in mode auto for `plan`, of ten healthy nodes unless told. */
export function viewOf(parts: Partial<GuardView> = {}): GuardView {
  const plan = parts.plan ?? planOf()
  const { node, planHash, evidenceHash } = plan
  return {
    nowMs: NOW_MS,
    request: { node, planId: plan.id, planHash, evidenceHash, nonce: '0'.repeat(32), mode: 'auto' },
    plan,
    nodes: fleetOf(10),
    outstanding: [],
    ended: [],
    faults: [faultOf(node, { reason: plan.reason, cause: plan.cause })],
    requests: [{ node, planId: plan.id, atMs: NOW_MS }],
    restrained: undefined,
    stale: undefined,
    pauses: [],
    releases: [],
    blockingAlerts: [],
    approvals: [],
    ...parts,
  }
}

export const reaching = (reach: Reach) => planOf({ reach })

/** What `guard` says of such a view, under such settings. */
export function ask(guard: Guard, parts: Partial<GuardView> = {}, settings: GuardsSettings = {}): Judgement {
  return guard.judge(viewOf(parts), readGuards(guardsPart.parse(settings)))
}
