/** The objects of remediations, put together for an aggregator that has a cluster. */
import type { Log } from '../../../common/log.ts'
import type { AggregatorMetrics } from '../../metrics.ts'
import { type ClusterAccess, connectKubernetes } from '../client.ts'
import { RemediationDesk, type RemediationDeskSide } from './desk.ts'
import { WatchedObjects } from './watched-objects.ts'

export interface RunningRemediations {
  /** Something may have changed. */
  look(): void
  stop(): void
}

/** Shows and hears from now on. Throws UsageError when the cluster cannot be found; one that does not answer is no error. */
export async function showRemediations(
  access: ClusterAccess,
  { metrics, log }: { readonly metrics: Pick<AggregatorMetrics, 'apiWrite'>; readonly log: Log },
  side: RemediationDeskSide,
): Promise<RunningRemediations> {
  // Lines of its own: neither marks nor permits wait behind it.
  const client = await connectKubernetes(access, metrics.apiWrite)
  const desk = new RemediationDesk(
    { store: new WatchedObjects(client, log), log, now: () => performance.now(), wallNow: Date.now },
    side,
  )
  return {
    look: () => desk.look(),
    stop: () => {
      desk.stop()
      client.close()
    },
  }
}
