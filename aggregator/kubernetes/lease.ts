/**
 * The Lease of the election, as the API server keeps it (docs/contracts.md). Its leaseTransitions are the term; its times are
 * for people, since nobody here compares the clocks of two machines.
 */
import type { Claim, Lease } from '../../mesh/election/model.ts'
import { ELECTION_TIMING } from '../../mesh/election/timing.ts'

export const LEASE_NAME = 'starling-aggregator'

/** Where the Lease is kept: who writes says which version is to be written over, and loses if it is another. */
export interface LeaseStore {
  /** Undefined: there is none. Throws when there was no answer. */
  read(): Promise<Lease | undefined>
  /**
   * The new version; undefined when somebody else wrote first. `over` undefined: there must be none yet. Throws when there
   * was no answer, and then it may or may not have been carried out.
   */
  write(claim: Claim, over: string | undefined): Promise<string | undefined>
}

/** What this needs of a client. It throws errors with a `kind`, of which `conflict` and `not-found` are told apart here. */
export interface LeaseClient {
  call<T>(call: {
    readonly verb: 'get' | 'create' | 'patch'
    readonly ref: {
      readonly group: string
      readonly resource: string
      readonly namespace: string
      readonly name?: string
    }
    readonly body?: unknown
    readonly patch?: 'merge'
  }): Promise<T>
}

/** The parts of the object that are read. */
interface LeaseObject {
  readonly metadata: { readonly resourceVersion: string }
  readonly spec?: { readonly holderIdentity?: string | null; readonly leaseTransitions?: number | null }
}

export function createLeaseStore(client: LeaseClient, namespace: string): LeaseStore {
  const leases = { group: 'coordination.k8s.io', resource: 'leases', namespace }
  const ours = { ...leases, name: LEASE_NAME }
  let term: number | undefined

  const specOf = (claim: Claim) => {
    const at = microTime()
    const acquired = claim.term === term ? {} : { acquireTime: at }
    return {
      holderIdentity: claim.holder,
      leaseDurationSeconds: ELECTION_TIMING.leaseMs / 1_000,
      leaseTransitions: claim.term,
      renewTime: at,
      ...acquired,
    }
  }

  /** A merge patch leaves labels and owners of others alone, and is refused unless the version is the one that it names. */
  const put = async (claim: Claim, over: string | undefined): Promise<LeaseObject> => {
    const spec = specOf(claim)
    if (over === undefined) {
      return await client.call({ verb: 'create', ref: leases, body: { metadata: { name: LEASE_NAME }, spec } })
    }
    const body = { metadata: { resourceVersion: over }, spec }
    return await client.call({ verb: 'patch', ref: ours, body, patch: 'merge' })
  }

  return {
    read: async () => {
      try {
        return leaseOf(await client.call<LeaseObject>({ verb: 'get', ref: ours }))
      } catch (error) {
        if (kindOf(error) === 'not-found') return undefined
        throw error
      }
    },
    write: async (claim, over) => {
      try {
        const { metadata } = await put(claim, over)
        term = claim.term
        return metadata.resourceVersion
      } catch (error) {
        const kind = kindOf(error)
        if (kind === 'conflict' || (kind === 'not-found' && over !== undefined)) return undefined
        throw error
      }
    },
  }
}

function leaseOf({ metadata, spec }: LeaseObject): Lease {
  const { holderIdentity, leaseTransitions } = spec ?? {}
  return { holder: holderIdentity ?? '', term: leaseTransitions ?? 0, version: metadata.resourceVersion }
}

function kindOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'kind' in error ? error.kind : undefined
}

/** As Kubernetes reads it: exactly six digits of a second's fraction. */
function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z')
}
