/** The roster's sync, put together for an aggregator that has a cluster. */
import type { Log } from '../../../common/log.ts'
import { enrolledFolder, type LoadedIdentity } from '../../../mesh/identity/identity-dir.ts'
import { signRoster } from '../../../mesh/identity/signed-roster.ts'
import type { AggregatorMetrics } from '../../metrics.ts'
import type { Journal } from '../../model.ts'
import type { Authority } from '../authority.ts'
import { type ClusterAccess, connectKubernetes } from '../client.ts'
import { Enrolments } from './enrolments.ts'
import { createEpochStore } from './epoch-record.ts'
import { RosterMemory } from './memory.ts'
import { type MeshOfRoster, RosterSync, type RosterSyncInit } from './sync.ts'
import { WatchedNodes } from './watched-nodes.ts'

export interface RosterInit {
  readonly access: ClusterAccess & { readonly namespace: string; readonly agentPort: number }
  readonly stateDir: string
  readonly identity: Pick<LoadedIdentity, 'keys' | 'certificate' | 'caKey'>
  readonly authority: Authority
  readonly store: Journal
  readonly story: RosterSyncInit['story']
  readonly metrics: Pick<AggregatorMetrics, 'apiWrite'>
  readonly log: Log
}

/** Follows the cluster from now on. Throws UsageError when it cannot be found; one that does not answer is no error. */
export async function followNodes(init: RosterInit, mesh: MeshOfRoster): Promise<RosterSync> {
  const { access, stateDir, identity, store, log, metrics } = init
  const client = await connectKubernetes(access, metrics.apiWrite)
  const { mesh: id, epoch } = mesh.roster
  const { caKey, keys, certificate } = identity
  const parts: RosterSyncInit = {
    ...init,
    nodes: new WatchedNodes(client),
    enrolments: new Enrolments({ folder: enrolledFolder(stateDir), caKey, mesh: id, log }),
    record: createEpochStore(client, access.namespace),
    memory: new RosterMemory(store, epoch, performance.now(), Date.now()),
    agentPort: access.agentPort,
    sign: (roster) => signRoster(keys, certificate, roster),
    now: () => performance.now(),
    wallNow: Date.now,
    close: () => client.close(),
  }
  return new RosterSync(parts, mesh)
}
