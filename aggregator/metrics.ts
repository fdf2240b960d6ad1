/** The aggregator's metrics; names as in docs/contracts.md. No node, peer or message is a label: their number has no bound. */
import { Counter, Gauge, Registry } from 'prom-client'
import type { Notice } from '../mesh/core/message.ts'
import type { Traffic } from '../mesh/libp2p/running-node.ts'
import { countTraffic } from '../mesh/libp2p/traffic-metrics.ts'
import type { WriteResult } from './kubernetes/client.ts'
import type { EventKind, MemberState, Snapshot } from './model.ts'

export interface AggregatorMetrics {
  readonly registry: Registry
  traffic(traffic: Traffic): void
  notice(notice: Notice): void
  /** One was put on record. */
  event(kind: EventKind): void
  verdict(kind: string): void
  /** `effect`: ready, pods, condition or taint; `result`: written, undone, withheld, would, or what failed. */
  mark(effect: string, result: string, count?: number): void
  apiWrite(write: WriteResult): void
  /** How much of the budgets of remediation is used: of the cluster, and of the zone and pool where it is most. */
  budgets(used: { readonly cluster: number; readonly zone: number; readonly pool: number }): void
  /** A guard refused a fix. */
  refusal(guard: string): void
  /** A fix came to an end. */
  outcome(remediator: string, outcome: string): void
}

const STATES: readonly MemberState[] = [
  'alive',
  'suspected',
  'NodeDown',
  'HostHung',
  'Isolated',
  'AgentDown',
  'left',
  'unseen',
]

/** Beyond as many names as could ship with a few plugins, which a node could make up, all are one. */
const REMEDIATORS_MAX = 64

/** `read` is asked once when somebody scrapes; while this aggregator stands by there is none, and nothing of the mesh is said. */
export function createAggregatorMetrics(read: () => Snapshot | undefined): AggregatorMetrics {
  const snapshot = oncePerTurn(read)
  const registry = new Registry()
  const registers = [registry]
  new Gauge({
    name: 'starling_mesh_members',
    help: 'Members of the mesh by state',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset()
      const { members } = snapshot() ?? {}
      if (members === undefined) return
      for (const state of STATES) this.set({ state }, members.filter((member) => member.state === state).length)
    },
  })
  new Gauge({
    name: 'starling_findings',
    help: 'Findings by role of the node and status',
    labelNames: ['role', 'severity'],
    registers,
    collect() {
      this.reset()
      const { findings = [], members = [] } = snapshot() ?? {}
      const rolesOf = new Map(members.map(({ node, roles }) => [node, roles]))
      for (const { node, status } of findings) {
        for (const role of rolesOf.get(node) ?? []) this.inc({ role, severity: status })
      }
    },
  })
  new Gauge({
    name: 'starling_mesh_disputes',
    help: 'Members with a fault between them and their peers, by kind',
    labelNames: ['kind'],
    registers,
    collect() {
      this.reset()
      const { members } = snapshot() ?? {}
      if (members === undefined) return
      for (const kind of ['LinkFault', 'ObserverFault'] as const) {
        this.set({ kind }, members.filter(({ flags }) => flags.includes(kind)).length)
      }
    },
  })
  new Gauge({
    name: 'starling_brake_active',
    help: '1 while nobody is marked, by what holds it: frozen, or roll-calls that reach too few',
    labelNames: ['brake'],
    registers,
    collect() {
      this.reset()
      const { mesh } = snapshot() ?? {}
      if (mesh === undefined) return
      this.set({ brake: 'frozen' }, mesh.frozen === null ? 0 : 1)
      this.set({ brake: 'no-quorum' }, mesh.hasQuorum ? 0 : 1)
    },
  })
  new Gauge({
    name: 'starling_mesh_blind',
    help: '1 while so few observers vote that a death might not be found',
    registers,
    collect() {
      this.set((snapshot()?.mesh.blind ?? null) === null ? 0 : 1)
    },
  })
  new Gauge({
    name: 'starling_mesh_blind_subjects',
    help: 'Members of which more than half of the observers do not vote',
    registers,
    collect() {
      this.set(snapshot()?.mesh.blind?.subjects.length ?? 0)
    },
  })
  new Gauge({
    name: 'starling_leader',
    help: '1 while this aggregator leads',
    registers,
    collect() {
      this.set(snapshot() === undefined ? 0 : 1)
    },
  })
  new Gauge({
    name: 'starling_single_copy',
    help: '1 while events have waited longer than a second for their second copy',
    registers,
    collect() {
      this.set(snapshot()?.copies?.isSingle === true ? 1 : 0)
    },
  })
  new Gauge({
    name: 'starling_copies_behind',
    help: 'Events that have no second copy yet; 0 where none is to be expected',
    registers,
    collect() {
      this.set(snapshot()?.copies?.behind ?? 0)
    },
  })
  new Gauge({
    name: 'starling_settings_version_info',
    help: 'Version of the settings in force',
    registers,
    collect() {
      this.reset()
      const { settings } = snapshot() ?? {}
      if (settings !== undefined) this.set(settings.version)
    },
  })
  new Gauge({
    name: 'starling_settings_refused_nodes',
    help: 'Nodes that do not take over a version of the settings',
    registers,
    collect() {
      this.set(Object.keys(snapshot()?.settings.refused ?? {}).length)
    },
  })
  const events = new Counter({
    name: 'starling_events_total',
    help: 'Events put on record by this aggregator, by kind',
    labelNames: ['kind'],
    registers,
  })
  // Those that rules ask for are there before the first of them, or its increase would not be seen.
  for (const kind of ['undelivered', 'single-copy', 'settings'] as const) events.inc({ kind }, 0)
  const verdicts = new Counter({
    name: 'starling_mesh_verdicts_total',
    help: 'Verdicts by kind',
    labelNames: ['kind'],
    registers,
  })
  const suspicions = new Counter({
    name: 'starling_mesh_suspicions_total',
    help: 'Times that a first observer missed a member',
    registers,
  })
  const marks = new Counter({
    name: 'starling_marks_total',
    help: 'Marks in Kubernetes by what they are on and what became of them',
    labelNames: ['effect', 'result'],
    registers,
  })
  const apiWrites = new Counter({
    name: 'starling_api_writes_total',
    help: 'Writes to the API server by resource, verb and status, or how they failed',
    labelNames: ['resource', 'verb', 'code'],
    registers,
  })
  const refusals = new Counter({
    name: 'starling_guard_refusals_total',
    help: 'Fixes that were not permitted, by the guards that said no',
    labelNames: ['guard'],
    registers,
  })
  const remediations = new Counter({
    name: 'starling_remediations_total',
    help: 'Fixes that came to an end, by remediator and outcome',
    labelNames: ['remediator', 'outcome'],
    registers,
  })
  const budget = new Gauge({
    name: 'starling_budget_used',
    help: 'Disrupted nodes as a share of those that may be, at the last request for a permit; the most of all zones and pools',
    labelNames: ['scope'],
    registers,
  })
  const remediators = new Set<string>()
  return {
    registry,
    traffic: countTraffic(registry),
    notice(notice) {
      if (notice.kind === 'suspected') suspicions.inc()
    },
    event: (kind) => events.inc({ kind }),
    verdict: (kind) => verdicts.inc({ kind }),
    mark: (effect, result, count = 1) => marks.inc({ effect, result }, count),
    budgets: (used) => {
      for (const scope of ['cluster', 'zone', 'pool'] as const) budget.set({ scope }, used[scope])
    },
    refusal: (guard) => refusals.inc({ guard }),
    outcome: (name, outcome) => {
      if (remediators.size < REMEDIATORS_MAX) remediators.add(name)
      remediations.inc({ remediator: remediators.has(name) ? name : 'other', outcome })
    },
    apiWrite: ({ resource, verb, code }) => apiWrites.inc({ resource, verb, code }),
  }
}

/** Many figures of one scrape are read from it, all in one turn of the event loop: what is costly to make is made once. */
function oncePerTurn<T>(read: () => T): () => T {
  let held: { readonly value: T } | undefined
  return () => {
    if (held === undefined) {
      held = { value: read() }
      queueMicrotask(() => {
        held = undefined
      })
    }
    return held.value
  }
}
