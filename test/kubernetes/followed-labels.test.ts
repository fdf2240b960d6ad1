/** Labels of pods against a server of its own: what is asked for, what is kept, and what is said while it is not known. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FollowedLabels } from '../../aggregator/kubernetes/labels/followed-labels.ts'
import type { PodMetadata } from '../../aggregator/kubernetes/labels/pod-metadata.ts'
import { WatchedPods } from '../../aggregator/kubernetes/watched-pods.ts'
import type { PodLabel } from '../../aggregator/measures/source.ts'
import { PATIENCE } from '../mesh/sockets.ts'
import { bookmark, type FakeServer, forgotten, json, opened, startFakeServer } from './fake-server.ts'

const SHOP = { key: 'app', value: 'shop' }
const ANY = { key: 'app' }

let server: FakeServer
let labels: FollowedLabels
let world: { leads: boolean; nowMs: number }

const start = (podsMax?: number) => {
  labels = new FollowedLabels({
    open: (selector) => new WatchedPods<PodMetadata>(server.client, { selector, metadataOnly: true }),
    leads: () => world.leads,
    now: () => world.nowMs,
    ...(podsMax === undefined ? {} : { podsMax }),
  })
}

beforeEach(async () => {
  server = await startFakeServer()
  server.list = (response) => json(response, { apiVersion: 'v1', items: [] })
  world = { leads: true, nowMs: 0 }
  start()
})
afterEach(() => {
  labels.stop()
  server.close()
})

const event = (type: string, name: string, version: number, app = 'shop') => {
  const ownerReferences = [{ kind: 'ReplicaSet', name: 'front-5dd5756b68', controller: true }]
  const own = { app, 'pod-template-hash': '5dd5756b68', secret: 'x' }
  const metadata = { name, namespace: 'web', resourceVersion: String(version), labels: own, ownerReferences }
  return { type, object: { kind: 'PartialObjectMetadata', metadata } }
}
const eventually = (holds: () => void) => vi.waitFor(holds, PATIENCE)
const whyNot = (label: PodLabel = SHOP) => labels.want(label)
const known = (label: PodLabel = SHOP) => eventually(() => expect(whyNot(label)).toBeUndefined())

test('nothing is asked of the server before a label is wanted; then for the metadata of pods that have it', async () => {
  const accepts: unknown[] = []
  server.watch = (response) => {
    accepts.push(response.req.headers.accept)
    opened(response, event('ADDED', 'a', 3), event('ADDED', 'b', 4), bookmark(9), event('DELETED', 'b', 10))
  }
  expect([server.lists.length, server.watches.length]).toEqual([0, 0])
  expect(whyNot()).toContain('has not told all of them yet')
  await known()
  await eventually(() => expect(labels.podWith(SHOP, 'web', 'b')).toBeUndefined())
  expect(labels.podWith(SHOP, 'web', 'a')).toEqual({ value: 'shop', workload: 'front' })
  expect(labels.podWith(SHOP, 'other', 'a')).toBeUndefined()
  expect(labels.podWith(ANY, 'web', 'a')).toBeUndefined()
  const [watched] = server.watches
  expect([watched?.get('labelSelector'), watched?.get('resourceVersion')]).toEqual(['app=shop', '0'])
  expect(accepts).toEqual(['application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'])
  expect(server.watches).toHaveLength(1)
})

test('until all were told nothing is known of any pod, also when the server forgot and tells them anew', async () => {
  const replies = [[event('ADDED', 'a', 3), bookmark(9)], [forgotten()], [event('ADDED', 'b', 20)]]
  server.watch = (response) => {
    const reply = replies.shift()
    if (reply === undefined) return
    opened(response, ...reply)
    if (replies.length > 0) response.end()
  }
  whyNot()
  await known()
  await eventually(() => expect(server.watches.map((query) => query.get('resourceVersion'))).toEqual(['0', '9', '0']))
  await eventually(() => expect(whyNot()).toContain('has not told all of them yet'))
  expect(labels.podWith(SHOP, 'web', 'a')).toBeUndefined()
})

test('what the server refuses is said, with the right that is missing, until it is given', async () => {
  server.list = (response) => json(response, { message: 'pods is forbidden: User "x" cannot list' }, 403)
  whyNot()
  await eventually(() => expect(whyNot()).toContain('the right to list and watch pods is missing: '))
  expect(whyNot()).toContain('cannot list')
  server.list = (response) => json(response, { apiVersion: 'v1', items: [] })
  server.watch = (response) => void opened(response, event('ADDED', 'a', 3), bookmark(9))
  await known()
})

test('a server that goes away makes it unknown, and one that comes back known, from where it was', async () => {
  server.watch = (response) => void opened(response, event('ADDED', 'a', 3), bookmark(9)).end()
  whyNot()
  await known()
  server.watch = (response) => json(response, {}, 500)
  await eventually(() => expect(whyNot()).toContain('answers 500'))
  expect(labels.podWith(SHOP, 'web', 'a')).toBeUndefined()
  server.watch = (response) => void opened(response)
  await known()
  expect(labels.podWith(SHOP, 'web', 'a')).toBeDefined()
})

test('it is followed while it is wanted and this aggregator leads', async () => {
  let open = 0
  server.watch = (response) => {
    open++
    response.on('close', () => open--)
    opened(response, bookmark(9))
  }
  whyNot()
  await known()
  world.nowMs += 600_000
  labels.look()
  expect(whyNot()).toBeUndefined()
  world.nowMs += 600_001
  labels.look()
  await eventually(() => expect(open).toBe(0))
  expect(whyNot()).toContain('has not told all of them yet')
  await known()
  world.leads = false
  labels.look()
  await eventually(() => expect(open).toBe(0))
})

test('of more pods than are kept nothing is known, and it is tried again after ten minutes', async () => {
  labels.stop()
  start(2)
  const events = ['a', 'b', 'c'].map((name, index) => event('ADDED', name, index + 1))
  server.watch = (response) => void opened(response, ...events, bookmark(9))
  whyNot()
  await eventually(() => expect(whyNot()).toBe('too many pods have it'))
  expect(labels.podWith(SHOP, 'web', 'a')).toBeUndefined()
  world.nowMs += 300_000
  expect(whyNot()).toBe('too many pods have it')
  world.nowMs += 300_001
  labels.look()
  server.watch = (response) => void opened(response, ...events.slice(1), bookmark(9))
  whyNot()
  await known()
  expect(labels.podWith(SHOP, 'web', 'c')).toBeDefined()
})

test('what no pod can have is asked of nobody, and questions leave room for the rules', () => {
  expect(whyNot({ key: 'app', value: 'shop;x' })).toContain('no label of this form')
  for (let index = 0; index < 4; index++) expect(whyNot({ key: `k${index}` })).toContain('not told all')
  expect(whyNot({ key: 'k4' })).toContain('4 others')
  for (let index = 0; index < 28; index++) expect(whyNot({ key: 'app', value: `v${index}` })).toContain('not told all')
  expect(whyNot({ key: 'app', value: 'v28' })).toContain('28 others')
})
