/** What of an aggregator needs a cluster. Only here is anything of Kubernetes loaded: without one it is never needed. */
import type { Log } from '../common/log.ts'
import type { MeshNode } from '../mesh/libp2p/running-node.ts'
import type { AggregatorConfig } from './config.ts'
import type { RunningLabels } from './kubernetes/labels/run.ts'
import type { PermitsCluster } from './kubernetes/permits/run.ts'
import type { RemediationDeskSide } from './kubernetes/remediations/desk.ts'
import type { RunningRemediations } from './kubernetes/remediations/run.ts'
import type { RosterInit } from './kubernetes/roster/run.ts'
import type { RosterSync } from './kubernetes/roster/sync.ts'
import type { Kubernetes, KubernetesInit } from './kubernetes/run.ts'
import type { AggregatorMetrics } from './metrics.ts'
import type { AggregatorService } from './service.ts'

/** Marks and election; undefined without a cluster. */
export async function connectCluster(
  { kubernetes: access }: AggregatorConfig,
  init: Omit<KubernetesInit, 'access'>,
): Promise<Kubernetes | undefined> {
  if (access === undefined) return undefined
  const { connectMarking } = await import('./kubernetes/run.ts')
  return await connectMarking({ ...init, access })
}

/** Where all aggregators keep the record of permits, and see the cluster; undefined without one. */
export async function connectRecord(
  { kubernetes: access }: AggregatorConfig,
  metrics: AggregatorMetrics,
): Promise<PermitsCluster | undefined> {
  if (access === undefined) return undefined
  const { connectPermits } = await import('./kubernetes/permits/run.ts')
  return await connectPermits(access, metrics)
}

/** Labels of pods are read from now on, when they are wanted; undefined without a cluster. */
export async function connectPodLabels(
  { kubernetes: access }: AggregatorConfig,
  leads: () => boolean,
): Promise<RunningLabels | undefined> {
  if (access === undefined) return undefined
  const { connectLabels } = await import('./kubernetes/labels/run.ts')
  return await connectLabels(access, leads)
}

/** Remediations are objects of the cluster, too, from now on; undefined without one. */
export async function showObjects(
  { kubernetes: access }: AggregatorConfig,
  metrics: AggregatorMetrics,
  log: Log,
  side: RemediationDeskSide,
): Promise<RunningRemediations | undefined> {
  if (access === undefined) return undefined
  const { showRemediations } = await import('./kubernetes/remediations/run.ts')
  return await showRemediations(access, { metrics, log }, side)
}

/** The roster is as the cluster is from now on, while this aggregator leads. */
export async function followCluster(
  { kubernetes: access }: AggregatorConfig,
  kubernetes: Kubernetes | undefined,
  mesh: MeshNode,
  service: AggregatorService,
  init: Omit<RosterInit, 'access' | 'authority' | 'story'>,
): Promise<RosterSync | undefined> {
  if (access === undefined || kubernetes === undefined) return undefined
  const { followNodes } = await import('./kubernetes/roster/run.ts')
  const { authority } = kubernetes
  const sync = await followNodes(
    { ...init, access, authority, story: service.rosterDesk.story },
    {
      get roster() {
        return mesh.roster
      },
      live: () => service.live(),
      advance: mesh.advance,
    },
  )
  service.rosterDesk.follow(sync)
  return sync
}
