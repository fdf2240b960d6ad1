/**
 * The Lease as a witness: a kubelet that renewed it since its node fell silent is alive, whoever else cannot reach it. Told
 * by resourceVersions, never by another machine's clock. A Lease that is merely old proves nothing.
 */
import type { Renewals } from './authority.ts'
import type { Cluster } from './cluster.ts'
import { missedRenewalsMs } from './marking/desired.ts'
import type { LeaseObject } from './marking/objects.ts'

/** What the kubelet sets unless it is told otherwise. */
const LEASE_SECONDS = 40

export class Witness {
  readonly #cluster: Pick<Cluster, 'heartbeatOf'>
  readonly #renewals: Renewals
  readonly #now: () => number
  /** Each silent node's Lease as it was first read in this silence, on this process's monotonic clock. */
  readonly #first = new Map<string, { readonly version: string; readonly atMs: number }>()

  constructor(cluster: Pick<Cluster, 'heartbeatOf'>, renewals: Renewals, now: () => number) {
    this.#cluster = cluster
    this.#renewals = renewals
    this.#now = now
  }

  /**
   * Whether its kubelet renewed the Lease after `sinceMs` (monotonic). Undefined: there is no Lease, or no version of that
   * time to hold it against. Reads once. Throws ApiError.
   */
  async hasRenewed(node: string, sinceMs: number): Promise<boolean | undefined> {
    const lease = await this.#cluster.heartbeatOf(node)
    if (lease === undefined) return undefined
    const version = lease.metadata.resourceVersion
    const known = this.#first.get(node)
    const first = known !== undefined && known.atMs >= sinceMs ? known : { version, atMs: this.#now() }
    this.#first.set(node, first)
    if (first.version !== version) return true
    const own = this.#renewals.firstSince(sinceMs)
    if (own !== undefined) return isLater(version, own)
    // Seen unchanged for longer than a living kubelet would leave it.
    return this.#now() - first.atMs >= missedRenewalsMs(leaseSecondsOf(lease)) ? false : undefined
  }

  /**
   * Whether the Lease has stayed as it is for longer than a living kubelet would leave it. Undefined: there is no Lease, or
   * this process has led since `leadsSinceMs` (monotonic) only, and not for so long. Reads once. Throws ApiError.
   */
  async hasLapsed(node: string, leadsSinceMs: number): Promise<boolean | undefined> {
    const lease = await this.#cluster.heartbeatOf(node)
    const sinceMs = this.#now() - missedRenewalsMs(leaseSecondsOf(lease))
    const own = sinceMs < leadsSinceMs ? undefined : this.#renewals.firstSince(sinceMs)
    return lease === undefined || own === undefined ? undefined : !isLater(lease.metadata.resourceVersion, own)
  }
}

export function leaseSecondsOf(lease: LeaseObject | undefined): number {
  return lease?.spec?.leaseDurationSeconds ?? LEASE_SECONDS
}

/** Of one etcd; versions are numbers there, however long. */
function isLater(version: string, than: string): boolean {
  return BigInt(version) > BigInt(than)
}
