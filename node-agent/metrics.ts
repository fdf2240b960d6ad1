/** The agent's own metrics; names as in docs/contracts.md. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { MeshNode, Traffic } from '../mesh/libp2p/running-node.ts'
import { countTraffic } from '../mesh/libp2p/traffic-metrics.ts'
import { createDetectorMetrics, type DetectorMetrics } from './detector-metrics.ts'

const HOUR_MS = 3_600_000

export interface AgentMetrics extends DetectorMetrics {
  readonly registry: Registry
  traffic(traffic: Traffic): void
  settings(version: number): void
}

/**
 * Without the percentiles of the event loop's delay, for which it would be woken a hundred times a second: a quarter of a
 * per cent of a core, measured, and a sixth of what an agent takes at all.
 */
function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: HOUR_MS })
  for (const figure of ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99']) {
    registry.removeSingleMetric(`nodejs_eventloop_lag_${figure}_seconds`)
  }
  // Gauges under names of counters: promtool complains of each.
  for (const what of ['handles', 'requests', 'resources']) registry.removeSingleMetric(`nodejs_active_${what}_total`)
}

/** `mesh`: once it runs. Both are read when somebody scrapes. */
export function createAgentMetrics(
  mesh: () => Pick<MeshNode, 'peerClocks' | 'degraded'> | undefined,
  outbox: { readonly bytes: number; readonly lost: number },
): AgentMetrics {
  const registry = new Registry()
  const registers = [registry]
  collectProcessMetrics(registry)
  const version = new Gauge({
    name: 'starling_settings_version_info',
    help: 'Version of the settings in force; 0 before any',
    registers,
  })
  new Gauge({
    name: 'starling_mesh_probe_rtt_seconds',
    help: 'Round trip of the last probe to each subject: mean and worst',
    labelNames: ['of'],
    registers,
    collect() {
      const trips = (mesh()?.peerClocks ?? []).map(({ rttMs }) => rttMs / 1_000)
      if (trips.length === 0) return
      this.set({ of: 'mean' }, trips.reduce((sum, trip) => sum + trip, 0) / trips.length)
      this.set({ of: 'worst' }, Math.max(...trips))
    },
  })
  new Gauge({
    name: 'starling_mesh_local_health',
    help: '0 while this observer is fit to judge others, 1 while it is degraded and abstains',
    registers,
    collect() {
      this.set(mesh()?.degraded === undefined ? 0 : 1)
    },
  })
  new Gauge({
    name: 'starling_outbox_bytes',
    help: 'What this node keeps on disk of what it said, for an aggregator that missed it',
    registers,
    collect() {
      this.set(outbox.bytes)
    },
  })
  new Counter({
    name: 'starling_events_lost_total',
    help: 'Findings and outcomes that the outbox let go before their day was over',
    registers,
    collect() {
      this.reset()
      this.inc(outbox.lost)
    },
  })
  return {
    registry,
    traffic: countTraffic(registry),
    ...createDetectorMetrics(registry, () => performance.now()),
    settings: (current) => version.set(current),
  }
}
