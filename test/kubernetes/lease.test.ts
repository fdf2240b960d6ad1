/** The Lease in Kubernetes' form and in the simulator's: one behaviour, and what goes over the wire for it. */
import { expect, test } from 'vitest'
import { createLeaseStore, type LeaseClient, type LeaseStore } from '../../aggregator/kubernetes/lease.ts'
import { LeaseServer } from '../../mesh/sim/election/lease-server.ts'
import { conformsToLeaseStore } from './lease-conformance.ts'

type Call = Parameters<LeaseClient['call']>[0]
interface Body {
  readonly metadata: { readonly name?: string; readonly resourceVersion?: string }
  readonly spec: { readonly holderIdentity: string; readonly leaseTransitions: number }
}

class Refused extends Error {
  readonly kind: string
  constructor(kind: string) {
    super(kind)
    this.kind = kind
  }
}

/** An API server's part in it: create once, a merge patch over the version that it names. */
class Leases implements LeaseClient {
  readonly calls: Call[] = []
  object: (Body & { metadata: { labels?: object } }) | undefined
  failing: string | undefined
  #versions = 40

  async call<T>(call: Call): Promise<T> {
    this.calls.push(call)
    if (this.failing !== undefined) throw new Refused(this.failing)
    const { metadata, spec } = (call.body ?? {}) as Body
    if (call.verb === 'create' && this.object !== undefined) throw new Refused('conflict')
    if (call.verb !== 'create' && this.object === undefined) throw new Refused('not-found')
    if (call.verb === 'patch' && metadata.resourceVersion !== this.object?.metadata.resourceVersion) {
      throw new Refused('conflict')
    }
    if (call.verb !== 'get') {
      const resourceVersion = String(++this.#versions)
      this.object = { metadata: { ...this.object?.metadata, resourceVersion }, spec: { ...this.object?.spec, ...spec } }
    }
    return this.object as T
  }
}

function simulated(server: LeaseServer): LeaseStore {
  return { read: async () => server.read(), write: async (claim, over) => server.write(claim, over) }
}

conformsToLeaseStore('the simulated API server', async () => {
  const server = new LeaseServer()
  return [simulated(server), simulated(server)]
})

conformsToLeaseStore('an API server', async () => {
  const leases = new Leases()
  return [createLeaseStore(leases, 'starling'), createLeaseStore(leases, 'starling')]
})

test('the object says what people and other tools expect of a Lease', async () => {
  const leases = new Leases()
  const store = createLeaseStore(leases, 'starling')
  const version = await store.write({ holder: 'aggregator-1_1.1', term: 4 }, undefined)
  await store.write({ holder: 'aggregator-1_1.1', term: 4 }, version)
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  const spec = { holderIdentity: 'aggregator-1_1.1', leaseDurationSeconds: 8, leaseTransitions: 4, renewTime: time }
  const ref = { group: 'coordination.k8s.io', resource: 'leases', namespace: 'starling' }
  expect(leases.calls).toEqual([
    { verb: 'create', ref, body: { metadata: { name: 'starling-aggregator' }, spec: { ...spec, acquireTime: time } } },
    {
      verb: 'patch',
      ref: { ...ref, name: 'starling-aggregator' },
      body: { metadata: { resourceVersion: version }, spec },
      patch: 'merge',
    },
  ])
})

test('an object of somebody else’s making is nobody’s, of term 0', async () => {
  const leases = new Leases()
  leases.object = { metadata: { resourceVersion: '7' } } as never
  expect(await createLeaseStore(leases, 'starling').read()).toEqual({ holder: '', term: 0, version: '7' })
})

test('a Lease that is gone was written by somebody else; whatever else goes wrong is no answer', async () => {
  const leases = new Leases()
  const store = createLeaseStore(leases, 'starling')
  expect(await store.write({ holder: 'x', term: 1 }, '12')).toBeUndefined()
  for (const kind of ['timeout', 'unreachable', 'server', 'throttled', 'forbidden']) {
    leases.failing = kind
    await expect(store.read()).rejects.toThrow(kind)
    await expect(store.write({ holder: 'x', term: 1 }, '12')).rejects.toThrow(kind)
  }
  leases.failing = 'not-found'
  // There is no such namespace.
  await expect(store.write({ holder: 'x', term: 1 }, undefined)).rejects.toThrow('not-found')
})
