/** The client and the adapter on replies of servers that cannot be run here: what is new is read past, and survives our writes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { connectKubernetes, type KubeClient } from '../../aggregator/kubernetes/client.ts'
import { type Cluster, createCluster } from '../../aggregator/kubernetes/cluster.ts'
import { desiredMarks, nothingDesired } from '../../aggregator/kubernetes/marking/desired.ts'
import { OWN_TAINT, statusChanges, taintsAfter } from '../../aggregator/kubernetes/marking/node-marks.ts'
import type { NodeObject } from '../../aggregator/kubernetes/marking/objects.ts'
import { markOf, mayUndo, podsToMark, undoOf } from '../../aggregator/kubernetes/marking/pod-marks.ts'
import { WatchedNodes } from '../../aggregator/kubernetes/roster/watched-nodes.ts'
import { readMarking } from '../../settings/marking.ts'
import { PATIENCE } from '../mesh/sockets.ts'
import { verdict, WRITING } from './cases.ts'
import { merged } from './fake-cluster.ts'
import * as shapes from './newer-shapes.ts'
import { BEATEN_AT } from './objects.ts'

interface Written {
  readonly path: string
  readonly type: string | undefined
  readonly body: unknown
}

const NODES = '/api/v1/nodes'
const PODS = '/api/v1/namespaces/shop/pods'
/** A list of one, of which there is no more. */
const listOf = (item: { metadata: { resourceVersion: string } }) => {
  const { resourceVersion } = item.metadata
  return { kind: 'List', apiVersion: 'v1', metadata: { resourceVersion, remainingItemCount: 0 }, items: [item] }
}

let folder: string
let server: Server
let client: KubeClient
let cluster: Cluster
/** What it answers, by path. */
let replies: Record<string, { code?: number; headers?: Record<string, string>; body: unknown }>
let events: readonly object[]
const written: Written[] = []
const watched: (string | null)[] = []
const accepted = new Set<string | undefined>()

beforeEach(async () => {
  for (const list of [written, watched]) list.length = 0
  events = []
  replies = {
    '/api': { body: shapes.CORE_VERSIONS },
    '/apis/coordination.k8s.io': { body: shapes.LEASE_GROUP },
    [NODES]: { body: listOf(shapes.NODE) },
    [`${NODES}/a`]: { body: shapes.NODE },
    [`${NODES}/a/status`]: { body: shapes.NODE },
    '/api/v1/pods': { body: listOf(shapes.POD) },
    [`${PODS}/web-0`]: { body: shapes.POD },
    [`${PODS}/web-0/status`]: { body: shapes.POD },
    '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/a': { body: shapes.LEASE },
  }
  server = createServer(async (request, response) => {
    const { pathname: path, searchParams } = new URL(request.url ?? '', 'http://server')
    const said = await text(request)
    accepted.add(request.headers.accept)
    if (said !== '') written.push({ path, type: request.headers['content-type'], body: JSON.parse(said) })
    if (searchParams.get('watch') === 'true') {
      watched.push(searchParams.get('resourceVersion'))
      response.writeHead(200, { 'content-type': 'application/json', ...shapes.FAIRNESS_HEADERS })
      for (const event of events) response.write(`${JSON.stringify(event)}\n`)
      response.end()
      return
    }
    const { code = 200, headers = {}, body } = replies[path] ?? { code: 404, body: shapes.statusOf(404, 'NotFound') }
    const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json'
    response.writeHead(code, { 'content-type': type, ...shapes.FAIRNESS_HEADERS, ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  folder = mkdtempSync(join(tmpdir(), 'starling-newer-'))
  const kubeconfig = join(folder, 'config')
  const clusters = [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }]
  const contexts = [{ name: 'x', context: { cluster: 'c', user: 'u' } }]
  const config = { clusters, users: [{ name: 'u', user: {} }], contexts, 'current-context': 'x' }
  writeFileSync(kubeconfig, JSON.stringify(config))
  client = await connectKubernetes({ kubeconfig })
  cluster = createCluster(client)
})
afterEach(() => {
  client.close()
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true })
})

test('a Node is marked and undone by what is ours alone', async () => {
  const node = await cluster.node('a')
  if (node === undefined) throw new Error('no node')
  const { resourceVersion } = shapes.NODE.metadata
  const marked = { metadata: { resourceVersion }, status: { conditions: statusChanges(node, DESIRED, WRITING) } }
  await cluster.patchNodeStatus('a', marked)
  const after = merged(node, marked)
  expect(after).toEqual({ ...shapes.NODE, status: { ...shapes.NODE.status, conditions: expect.anything() } })
  const others = (object: NodeObject) => object.status?.conditions?.filter(({ type }) => !OURS.includes(type))
  expect(others(after)).toEqual(others(node))
  const undone = statusChanges(after, nothingDesired('ready'), WRITING)
  expect(merged(after, { status: { conditions: undone } }).status?.conditions?.length).toBe(3)
  expect(marked.status.conditions.map(({ type }) => type)).toEqual(OURS)
  expect(written).toEqual([{ path: `${NODES}/a/status`, type: STRATEGIC, body: marked }])
})

test('taints of others are written back as they were read, with what is new in them', async () => {
  const [node] = await cluster.nodes()
  if (node === undefined) throw new Error('no node')
  const taints = taintsAfter(node, DESIRED, WRITING)
  await cluster.setTaints('a', node.metadata.resourceVersion, taints ?? [])
  const own = { key: OWN_TAINT, value: 'NodeDown', effect: 'NoSchedule', timeAdded: WRITING.times.now }
  const { resourceVersion } = shapes.NODE.metadata
  const body = { metadata: { resourceVersion }, spec: { taints: [...shapes.NODE.spec.taints, own] } }
  expect(written).toEqual([{ path: `${NODES}/a`, type: 'application/merge-patch+json', body }])
})

test('a pod is marked and undone by its Ready alone', async () => {
  const pods = podsToMark(await cluster.podsOf('a'))
  expect(pods.map(({ metadata }) => metadata.name)).toEqual(['web-0'])
  for (const pod of pods) {
    const mark = markOf(pod, 'down', BEATEN_AT)
    await cluster.patchPodStatus(pod, mark)
    const marked = merged(pod, mark)
    expect(mayUndo(marked)).toBe(true)
    expect(merged(marked, undoOf(marked, BEATEN_AT))).toEqual(shapes.POD)
  }
  const change = { type: 'Ready', status: 'False', reason: 'StarlingNodeDown', message: 'down' }
  const { resourceVersion } = shapes.POD.metadata
  const body = { metadata: { resourceVersion }, status: { conditions: [{ ...change, lastTransitionTime: BEATEN_AT }] } }
  expect(written).toEqual([{ path: `${PODS}/web-0/status`, type: STRATEGIC, body }])
})

test("versions are those that discovery prefers, a kubelet's Lease is read, and JSON is asked for", async () => {
  expect((await cluster.heartbeatOf('a'))?.spec?.leaseDurationSeconds).toBe(40)
  expect(accepted).toEqual(new Set(['application/json']))
})

test.each([
  ['a full queue', 429, { 'retry-after': '1' }, shapes.TOO_MANY, { kind: 'throttled', retryAfterMs: 1_000 }],
  ['a time-out', 504, {}, shapes.statusOf(504, 'Timeout'), { kind: 'server' }],
  ['an end', 503, { 'retry-after': '5' }, 'apiserver is shutting down', { kind: 'throttled', retryAfterMs: 5_000 }],
  ['an overtaking', 409, {}, shapes.statusOf(409, 'Conflict', { name: 'a' }), { kind: 'conflict' }],
  ['a policy', 422, {}, shapes.statusOf(422, 'Invalid', { causes: [] }), { kind: 'refused' }],
])('is told of %s', async (_, code, headers, body, told) => {
  replies[`${NODES}/a`] = { code, headers, body }
  await expect(cluster.node('a')).rejects.toMatchObject({ ...told, code })
})

test('a watch goes on from a bookmark that is nothing but a version, and lists anew what has expired', async () => {
  const nodes = new WatchedNodes(client, () => 1)
  events = [{ type: 'MODIFIED', object: shapes.NODE }, shapes.BOOKMARK]
  nodes.start(() => {})
  const soon = (holds: () => void) => vi.waitFor(holds, PATIENCE)
  await soon(() => expect(watched).toContain(shapes.BOOKMARK.object.metadata.resourceVersion))
  expect(nodes.nodes).toMatchObject([{ name: 'a', zone: 'z', hosts: ['10.0.0.7', 'fd00::7'], kubeletPort: 10_250 }])
  const later = { ...shapes.NODE, metadata: { ...shapes.NODE.metadata, resourceVersion: '922337203685477581000' } }
  replies[NODES] = { body: listOf(later) }
  events = [shapes.EXPIRED]
  await soon(() => expect(watched).toContain('922337203685477581000'))
  nodes.stop()
})

const STRATEGIC = 'application/strategic-merge-patch+json'
const OURS = ['Ready', 'StarlingHealthy']
const DESIRED = desiredMarks(verdict(), 'ready', readMarking({ taints: { NodeDown: 'NoSchedule' } }))
