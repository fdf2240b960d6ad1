/** LIST and WATCH against a server of its own: pages, what it forgets, refuses, cuts short or tells too late. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { connectKubernetes, type KubeClient } from '../../aggregator/kubernetes/client.ts'
import { NodeTable } from '../../aggregator/kubernetes/roster/node-table.ts'
import { WatchedNodes } from '../../aggregator/kubernetes/roster/watched-nodes.ts'
import { PATIENCE } from '../mesh/sockets.ts'
import { nodeObject } from './fake-nodes.ts'

const PARTS = { zone: 'z', addresses: ['10.0.0.1'] }

let folder: string
let server: Server
let client: KubeClient
let source: WatchedNodes
let list: (response: ServerResponse, query: URLSearchParams) => void
let watch: (response: ServerResponse, query: URLSearchParams) => void
const lists: URLSearchParams[] = []
const watches: URLSearchParams[] = []

beforeEach(async () => {
  lists.length = 0
  watches.length = 0
  folder = mkdtempSync(join(tmpdir(), 'starling-nodes-'))
  server = createServer((request: IncomingMessage, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://server')
    if (pathname === '/api') json(response, { versions: ['v1'] })
    else if (searchParams.get('watch') === 'true') {
      watches.push(searchParams)
      watch(response, searchParams)
    } else {
      lists.push(searchParams)
      list(response, searchParams)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const kubeconfig = join(folder, 'config')
  const cluster = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true }
  const contexts = [{ name: 'x', context: { cluster: 'c', user: 'u' } }]
  const config = { clusters: [{ name: 'c', cluster }], users: [{ name: 'u', user: {} }], contexts }
  writeFileSync(kubeconfig, JSON.stringify({ ...config, 'current-context': 'x' }))
  client = await connectKubernetes({ kubeconfig })
  source = new WatchedNodes(client, () => 1)
  list = (response) => listOf(response, 10, ['a', 'b'])
  watch = (response) => void opened(response)
})
afterEach(() => {
  source.stop()
  client.close()
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true })
})

function json(response: ServerResponse, body: object, code = 200): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function listOf(response: ServerResponse, version: number, nodes: readonly string[], more = ''): void {
  const items = nodes.map((name) => nodeObject(name, `uid-${name}`, version, PARTS))
  json(response, { apiVersion: 'v1', metadata: { resourceVersion: String(version), continue: more }, items })
}

function opened(response: ServerResponse, ...events: readonly object[]): ServerResponse {
  response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
  for (const event of events) response.write(`${JSON.stringify(event)}\n`)
  return response
}

function event(type: string, name: string, version: number, zone = 'z'): object {
  return { type, object: nodeObject(name, `uid-${name}`, version, { ...PARTS, zone }) }
}

function forgotten(code: number): object {
  return { type: 'ERROR', object: { kind: 'Status', code, message: 'too old resource version' } }
}

const namesKnown = () => source.nodes?.map(({ name }) => name)

async function eventually(holds: () => void): Promise<void> {
  await vi.waitFor(holds, PATIENCE)
}

test('a list comes in pages and is taken whole; the watch goes on from its version, at the path of the version listed', async () => {
  list = (response, query) => {
    if (query.get('continue') === null) listOf(response, 10, ['a', 'b'], 'page-2')
    else listOf(response, 10, ['c'])
  }
  source.start(() => {})
  await eventually(() => expect(watches).toHaveLength(1))
  expect(namesKnown()).toEqual(['a', 'b', 'c'])
  expect(lists.map((query) => [query.get('limit'), query.get('continue')])).toEqual([
    ['500', null],
    ['500', 'page-2'],
  ])
  expect(watches[0]?.get('resourceVersion')).toBe('10')
  await eventually(() => expect(source.stale).toBeUndefined())
})

test('a list that breaks off after its first page is no list', async () => {
  list = (response, query) => {
    if (query.get('continue') === null) listOf(response, 10, ['a'], 'page-2')
    else json(response, { message: 'the list is too old' }, 410)
  }
  source.start(() => {})
  await eventually(() => expect(source.stale).toContain('the list is too old'))
  expect(source.nodes).toBeUndefined()
})

test.each([
  ['forbidden', (response: ServerResponse) => json(response, { message: 'nodes is forbidden' }, 403), 'is forbidden'],
  ['empty', (response: ServerResponse) => listOf(response, 11, []), 'no Node at all'],
  ['of an earlier state', (response: ServerResponse) => listOf(response, 9, ['a']), 'an earlier state'],
])('a later list that is %s leaves what is known', async (_, later, why) => {
  watch = (response) => {
    list = later
    opened(response, forgotten(410)).end()
  }
  source.start(() => {})
  await eventually(() => expect(source.stale).toContain(why))
  expect(namesKnown()).toEqual(['a', 'b'])
})

test.each([
  ['by an event', (response: ServerResponse) => void opened(response, forgotten(410)).end()],
  ['by its status', (response: ServerResponse) => json(response, { message: 'gone' }, 410)],
])('what the server says it has forgotten %s is listed anew', async (_, refuse) => {
  watch = (response, query) => {
    if (query.get('resourceVersion') !== '10') return void opened(response)
    list = (again) => listOf(again, 20, ['a', 'c'])
    refuse(response)
  }
  const told: (readonly string[] | undefined)[] = []
  source.start(() => told.push(namesKnown()))
  await eventually(() => expect(told.at(-1)).toEqual(['a', 'c']))
  await eventually(() => expect(watches.at(-1)?.get('resourceVersion')).toBe('20'))
  expect(lists).toHaveLength(2)
})

test('a watch that ends is taken up after the last that it told, without a list', async () => {
  watch = (response, query) => {
    if (query.get('resourceVersion') === '10') {
      opened(response, event('ADDED', 'c', 12), {
        type: 'BOOKMARK',
        object: { metadata: { resourceVersion: '15' } },
      }).end()
    } else opened(response, event('DELETED', 'a', 16))
  }
  source.start(() => {})
  await eventually(() => expect(namesKnown()).toEqual(['b', 'c']))
  expect([lists.length, watches.map((query) => query.get('resourceVersion'))]).toEqual([1, ['10', '15']])
})

test('a line that breaks is told, and taken up when there is one again', async () => {
  let isBroken = true
  watch = (response) => {
    if (isBroken) response.destroy()
    else opened(response)
  }
  source.start(() => {})
  await eventually(() => expect(source.stale).toContain('cannot be watched'))
  expect(namesKnown()).toEqual(['a', 'b'])
  isBroken = false
  await eventually(() => expect(source.stale).toBeUndefined())
  expect(lists).toHaveLength(1)
})

test('a heartbeat of a node is no change', async () => {
  let calls = 0
  let line: ServerResponse | undefined
  watch = (response) => {
    line = opened(response)
  }
  source.start(() => calls++)
  await eventually(() => expect(source.stale).toBeUndefined())
  const before = calls
  line?.write(`${JSON.stringify(event('MODIFIED', 'a', 11))}\n`)
  line?.write(`${JSON.stringify(event('MODIFIED', 'b', 12, 'other'))}\n`)
  await eventually(() => expect(source.nodes?.[1]?.zone).toBe('other'))
  expect(calls).toBe(before + 1)
})

test('nothing older than what is known is taken, whoever tells it', () => {
  const table = new NodeTable()
  const object = (name: string, version: number, zone = 'z') =>
    nodeObject(name, `uid-${name}`, version, { ...PARTS, zone })
  expect(table.event('ADDED', object('early', 5))).toBe(false)
  table.list('100', [object('a', 7)])
  expect(table.event('DELETED', object('a', 99))).toBe(false)
  expect(table.event('DELETED', object('a', 101))).toBe(true)
  expect(table.event('MODIFIED', object('a', 100))).toBe(false)
  expect(table.nodes).toEqual([])
  expect(() => table.list('100', [object('a', 7)])).toThrow('an earlier state')
  // As numbers, not as text.
  expect(table.event('ADDED', object('b', 1_000))).toBe(true)
  const nameless = { metadata: { name: '', resourceVersion: '1' } }
  expect(() => table.list('2000', [object('a', 7), nameless])).toThrow('without a name')
  expect(table.nodes?.map(({ name }) => name)).toEqual(['b'])
})
