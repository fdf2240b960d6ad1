/** One WATCH of opted-in pods against a server of its own: where it begins, where it goes on, and when all are known. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type OptedPods, watchOptedPods } from '../../aggregator/kubernetes/gates/opted-pods.ts'
import { GATE } from '../../aggregator/kubernetes/marking/gates.ts'
import { messageOf } from '../../common/errors.ts'
import { PATIENCE } from '../mesh/sockets.ts'
import { bookmark, type FakeServer, forgotten, json, opened, startFakeServer } from './fake-server.ts'
import { pod } from './objects.ts'

let server: FakeServer
let source: OptedPods
let told: string[]

beforeEach(async () => {
  server = await startFakeServer()
  source = watchOptedPods(server.client)
  told = []
  server.list = (response) => json(response, { apiVersion: 'v1', items: [] })
})
afterEach(() => {
  source.stop()
  server.close()
})

const event = (type: string, name: string, version: number) => {
  const made = pod(name, 'a', { labels: { [GATE]: 'web' } })
  return { type, object: { ...made, metadata: { ...made.metadata, resourceVersion: String(version) } } }
}
const start = () =>
  source.start(
    (news) => void told.push('pod' in news ? `${news.kind} ${news.pod.metadata.name}` : news.kind),
    (error) => void told.push(messageOf(error)),
  )
const eventually = (holds: () => void) => vi.waitFor(holds, PATIENCE)
const asked = () => server.watches.map((query) => query.get('resourceVersion'))

test('begins with all that the server has in its cache, by label, and knows at the first bookmark that it has them', async () => {
  server.watch = (response) => void opened(response, event('ADDED', 'x', 9), event('ADDED', 'y', 4), bookmark(20))
  start()
  await eventually(() => expect(told).toEqual(['anew', 'pod x', 'pod y', 'whole']))
  expect(asked()).toEqual(['0'])
  expect(server.watches[0]?.get('labelSelector')).toBe(GATE)
  // The one LIST is asked for its form alone.
  expect(server.lists.map((query) => query.get('limit'))).toEqual(['1'])
})

test('goes on where it ended once it had them all, and begins anew where it had not, or where that is forgotten', async () => {
  const replies = [
    [event('ADDED', 'x', 9)],
    [event('ADDED', 'x', 9), bookmark(20), event('DELETED', 'x', 22)],
    [forgotten()],
    [event('ADDED', 'y', 30)],
  ]
  server.watch = (response) => {
    const reply = replies.shift()
    if (reply === undefined) opened(response)
    else opened(response, ...reply).end()
  }
  start()
  await eventually(() => expect(asked().length).toBeGreaterThanOrEqual(4))
  expect(asked().slice(0, 4)).toEqual(['0', '0', '22', '0'])
  await eventually(() => expect(told).toContain('pod y'))
  expect(told).toEqual(['anew', 'pod x', 'anew', 'pod x', 'whole', 'gone x', 'anew', 'pod y'])
})

test('says what the server refuses, and what is no event', async () => {
  server.watch = (response) => json(response, {}, 403)
  start()
  await eventually(() => expect(told).toContain('the API server answers 403 to a watch'))
  server.watch = (response) => void response.writeHead(200).write('neither JSON\n')
  await eventually(() => expect(told.at(-1)).toContain('it cannot be watched'))
})
