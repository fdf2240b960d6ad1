/** What guards ask of others than the mesh, read anew for each request: the cluster, and Alertmanager. */
import { messageOf } from '../../common/errors.ts'
import type { GuardSettings } from '../../remediators/guards/settings.ts'
import type { AlertSource } from './alerts.ts'

/** A node as its cluster shows it. */
export interface NodeNow {
  /** By its labels. */
  readonly zone: string
  readonly pool: string | undefined
  readonly roles: readonly string[]
  readonly isReady: boolean
  /** Why somebody else has it in hand; undefined when nobody has. */
  readonly takenBy: string | undefined
  /** Why its own annotations forbid a fix, and until when, RFC 3339; undefined: for good. */
  readonly paused: { readonly by: string; readonly reason: string; readonly until: string | undefined } | undefined
  /** Pods on it that the selectors fit, as `namespace/name`. */
  readonly blockingPods: readonly string[]
}

export interface ClusterNow {
  /** All nodes by name, no older than the call. `podSelectors`: label selectors. Rejects when any of it cannot be read. */
  read(podSelectors: readonly string[]): Promise<ReadonlyMap<string, NodeNow>>
}

/** All that was read at one moment. */
export interface Outlook {
  /** Of the cluster; none of them without one. */
  readonly nodes: ReadonlyMap<string, NodeNow>
  /** Why the cluster could not be read; undefined when it could, or there is none. */
  readonly stale: string | undefined
  /** Undefined when they could not be asked for. */
  readonly alerts: readonly string[] | undefined
}

export interface OutsideInit {
  /** Undefined without a cluster. */
  readonly cluster: ClusterNow | undefined
  /** Undefined when the aggregator's configuration names no Alertmanager. */
  readonly alerts: AlertSource | undefined
}

/** Never rejects: what cannot be read is told, and is for the guards to judge. */
export async function readOutside(
  { cluster, alerts }: OutsideInit,
  { blockingAlerts, blockingPods }: Pick<GuardSettings, 'blockingAlerts' | 'blockingPods'>,
): Promise<Outlook> {
  const [nodes, firing] = await Promise.all([
    cluster === undefined ? new Map<string, NodeNow>() : cluster.read(blockingPods).catch(messageOf),
    // What settings forbid during an alert stays forbidden when nobody can say whether it fires.
    blockingAlerts.length === 0 ? [] : alerts?.firing(blockingAlerts).catch(() => undefined),
  ])
  const isRead = typeof nodes !== 'string'
  return {
    nodes: isRead ? nodes : new Map(),
    stale: isRead ? undefined : nodes,
    alerts: firing,
  }
}
