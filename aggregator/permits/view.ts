/** What the leader knows, as guards look at it. */
import type { Finding, FindingStatus, Severity } from '../../detectors/contract.ts'
import type { Member, Standing } from '../../mesh/core/model.ts'
import type { Plan } from '../../remediators/contract.ts'
import type { Approval, GuardView, NodeFacts, Pause, StandingFault } from '../../remediators/guards/view.ts'
import type { PermitRequest } from '../../remediators/permits.ts'
import type { Book } from './book.ts'
import type { NodeNow, Outlook } from './outside.ts'

const FAULTS: ReadonlySet<FindingStatus> = new Set(['info', 'warn', 'alarm', 'error'])
const SEVERE: ReadonlySet<FindingStatus> = new Set(['alarm', 'error', 'unknown'])
/** Of a pause that has no end: looked at anew with each request. */
const FOR_NOW_MS = 86_400_000
/** The detector that says how a member of etcd is. */
const ETCD = 'etcd-health'

/** The mesh at one moment. */
export interface MeshNow {
  readonly members: readonly Member[]
  readonly standing: ReadonlyMap<string, Pick<Standing, 'kind'>>
  hasLeft(node: string): boolean
  /** Of all members; what was not renewed in time is unknown. */
  readonly findings: readonly Finding[]
  readonly restrained: string | undefined
}

export interface ViewInit {
  readonly nowMs: number
  /** Wall clock ms: what is on record carries such times. */
  readonly wallMs: number
  readonly request: PermitRequest
  readonly plan: Plan
  readonly mesh: MeshNow
  readonly book: Book
  readonly outlook: Outlook
  readonly requests: GuardView['requests']
  readonly approvals: readonly Approval[]
}

export function guardView(init: ViewInit): GuardView {
  const { nowMs, wallMs, request, plan, mesh, book, outlook, requests, approvals } = init
  const monotonic = (wall: string) => nowMs - Math.max(0, wallMs - Date.parse(wall))
  const etcd = etcdOf(mesh.findings)
  return {
    nowMs,
    request,
    plan,
    nodes: factsOfAll(mesh, outlook, etcd),
    outstanding: book.grants.map(({ permit, plan: { remediator, reason, reach } }) => {
      return { permitId: permit.id, node: permit.node, planId: permit.planId, remediator, reason, reach }
    }),
    ended: book.ended.map(({ pool, at, plannedAt: _, ...rest }) => ({ ...rest, pool, atMs: monotonic(at) })),
    faults: mesh.findings.flatMap((finding) => faultOf(finding, monotonic)),
    requests,
    restrained: mesh.restrained,
    stale: outlook.stale,
    pauses: [
      ...book.pauses.map(({ scope, by, reason, until }) => {
        return { scope, by, reason, until, untilMs: nowMs + Date.parse(until) - wallMs }
      }),
      ...[...outlook.nodes].flatMap(([node, now]) => annotatedPause(node, now, nowMs, wallMs)),
    ],
    releases: book.releases.map(({ scope, by, at }) => ({ scope, by, atMs: monotonic(at) })),
    blockingAlerts: outlook.alerts,
    approvals,
  }
}

/** Of members the mesh is asked as well; Nodes without an agent are as their cluster shows them. */
function factsOfAll(mesh: MeshNow, { nodes }: Outlook, etcd: Etcd): ReadonlyMap<string, NodeFacts> {
  const members = new Map(
    mesh.members.map((member) => {
      const { node } = member
      const isDown = mesh.standing.has(node) || mesh.hasLeft(node)
      return [node, factsOf(node, member, nodes.get(node), isDown, etcd)] as const
    }),
  )
  const others = [...nodes].filter(([node]) => !members.has(node))
  const strangers = others.map(([node, now]) => {
    return [node, { ...factsOf(node, now, now, false, etcd), isMember: false }] as const
  })
  return new Map([...members, ...strangers])
}

/** `now`: undefined without a cluster, and for a member that has no Node: then the mesh alone says how it is. */
function factsOf(
  node: string,
  { zone, pool, roles }: Pick<Member, 'zone' | 'pool' | 'roles'>,
  now: NodeNow | undefined,
  isDown: boolean,
  etcd: Etcd,
): NodeFacts {
  return {
    isMember: true,
    zone,
    pool,
    roles,
    isDown: isDown || now?.isReady === false,
    takenBy: now?.takenBy,
    blockingPods: now?.blockingPods ?? [],
    // One whose etcd says nothing of itself is not well.
    etcd: etcd.get(node) ?? (roles.includes('etcd') ? 'unwell' : undefined),
  }
}

type Etcd = ReadonlyMap<string, NodeFacts['etcd']>

function etcdOf(findings: readonly Finding[]): Etcd {
  const states = new Map<string, NodeFacts['etcd']>()
  for (const { node, detector, status } of findings) {
    if (detector !== ETCD || status === 'not-applicable') continue
    states.set(node, SEVERE.has(status) || states.get(node) === 'unwell' ? 'unwell' : 'well')
  }
  return states
}

function faultOf(finding: Finding, monotonic: (wall: string) => number): readonly StandingFault[] {
  const { node, reason, cause, status, since, held } = finding
  return FAULTS.has(status)
    ? [{ node, reason, cause, severity: status as Severity, sinceMs: monotonic(since), held }]
    : []
}

function annotatedPause(node: string, { paused }: NodeNow, nowMs: number, wallMs: number): readonly Pause[] {
  if (paused === undefined) return []
  const { by, reason, until } = paused
  const untilMs = nowMs + (until === undefined ? FOR_NOW_MS : Date.parse(until) - wallMs)
  return [{ scope: { kind: 'node', name: node }, by, reason, until: until ?? 'it is taken off', untilMs }]
}
