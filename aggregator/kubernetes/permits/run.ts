/** The record of permits and the view of the cluster, for an aggregator that has one. */
import type { AggregatorMetrics } from '../../metrics.ts'
import type { BookStore } from '../../permits/book-store.ts'
import type { ClusterNow } from '../../permits/outside.ts'
import { type ClusterAccess, connectKubernetes } from '../client.ts'
import { createBookObject } from './book-object.ts'
import { createClusterNow } from './cluster-now.ts'
import type { KuredPlace } from './kured.ts'

/** A page of Nodes is larger than what else is asked for, and a fix can wait longer than a mark. */
const LIST_TIMEOUT_MS = 5_000

export interface PermitsCluster {
  readonly store: BookStore
  readonly cluster: ClusterNow
  close(): void
}

/** Throws UsageError when the cluster cannot be found; one that does not answer is no error. */
export async function connectPermits(
  access: ClusterAccess & { readonly namespace: string; readonly kured?: KuredPlace | 'off' },
  { apiWrite }: Pick<AggregatorMetrics, 'apiWrite'>,
): Promise<PermitsCluster> {
  const ofBook = await connectKubernetes(access, apiWrite)
  const ofNodes = await connectKubernetes({ ...access, timeoutMs: LIST_TIMEOUT_MS }, apiWrite)
  return {
    store: createBookObject(ofBook, access.namespace),
    cluster: createClusterNow(ofNodes, access.kured === 'off' ? undefined : access.kured),
    close: () => {
      ofBook.close()
      ofNodes.close()
    },
  }
}
