/** Remediation objects of a server of its own: listed once, followed from there, and looked for where there are none. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { RemediationObject } from '../../aggregator/kubernetes/remediations/rules/object.ts'
import { WatchedObjects } from '../../aggregator/kubernetes/remediations/watched-objects.ts'
import { silentLog } from '../../common/log.ts'
import { PATIENCE } from '../mesh/sockets.ts'
import { type FakeServer, forgotten, json, opened, startFakeServer } from './fake-server.ts'
import { AT } from './sample-remediation.ts'

let server: FakeServer
let store: WatchedObjects
let listed: RemediationObject[]

beforeEach(async () => {
  server = await startFakeServer()
  store = new WatchedObjects(server.client, silentLog)
  listed = []
  server.list = (response, query, path) => {
    if (path === '/apis/starling.mesh') return json(response, { preferredVersion: { version: 'v1alpha1' } })
    const rest = listed.slice(Number(query.get('continue') ?? 0))
    const more = rest.length > 1 ? { continue: String(listed.length - rest.length + 1) } : {}
    const metadata = { resourceVersion: '20', ...more }
    json(response, { apiVersion: 'starling.mesh/v1alpha1', metadata, items: rest.slice(0, 1) })
  }
})
afterEach(() => {
  store.stop()
  server.close()
})

const object = (name: string, version: number): RemediationObject => ({
  metadata: { name, uid: name, resourceVersion: String(version), generation: 1, creationTimestamp: AT },
})
const event = (type: string, name: string, version: number) => ({ type, object: object(name, version) })
const versions = () => [...(store.objects?.values() ?? [])].map(({ metadata }) => Number(metadata.resourceVersion))
const eventually = (holds: () => void) => vi.waitFor(holds, PATIENCE)

test('lists all pages, goes on from there, and takes no event that is older than what it knows', async () => {
  listed = [object('a', 9), object('b', 8)]
  server.watch = (response) => {
    opened(response, event('MODIFIED', 'a', 7), event('DELETED', 'b', 21), event('ADDED', 'c', 22))
  }
  store.start(() => {})
  expect(store.objects).toBeUndefined()
  await eventually(() => expect(versions()).toEqual([9, 22]))
  expect(server.watches.map((query) => query.get('resourceVersion'))).toEqual(['20'])
})

test('lists anew what the server has forgotten', async () => {
  listed = [object('a', 9)]
  server.watch = (response) => {
    listed = [object('a', 30)]
    const isFirst = server.watches.length === 1
    if (isFirst) opened(response, forgotten()).end()
    else opened(response)
  }
  store.start(() => {})
  await eventually(() => expect(versions()).toEqual([30]))
})

test('asks once where the definition is not installed, and knows nothing of objects; begun anew it asks again', async () => {
  const whenInstalled = server.list
  server.list = (response) => json(response, { message: 'not found' }, 404)
  store.start(() => {})
  await eventually(() => expect(server.lists).toHaveLength(1))
  store.stop()
  server.list = whenInstalled
  listed = [object('a', 9)]
  store.start(() => {})
  await eventually(() => expect(versions()).toEqual([9]))
  store.stop()
  expect(store.objects).toBeUndefined()
})
