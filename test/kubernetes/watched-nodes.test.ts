/** LIST and WATCH against a server of its own: pages, what it forgets, refuses, cuts short or tells too late. */
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { NodeTable } from '../../aggregator/kubernetes/roster/node-table.ts'
import { WatchedNodes } from '../../aggregator/kubernetes/roster/watched-nodes.ts'
import { PATIENCE } from '../mesh/sockets.ts'
import { nodeObject } from './fake-nodes.ts'
import { bookmark, type FakeServer, forgotten, json, opened, startFakeServer } from './fake-server.ts'

const PARTS = { zone: 'z', addresses: ['10.0.0.1'] }

let server: FakeServer
let source: WatchedNodes

beforeEach(async () => {
  server = await startFakeServer()
  source = new WatchedNodes(server.client, () => 1)
  server.list = (response) => listOf(response, 10, ['a', 'b'])
})
afterEach(() => {
  source.stop()
  server.close()
})

function listOf(response: ServerResponse, version: number, nodes: readonly string[], more = ''): void {
  const items = nodes.map((name) => nodeObject(name, `uid-${name}`, version, PARTS))
  json(response, { apiVersion: 'v1', metadata: { resourceVersion: String(version), continue: more }, items })
}

function event(type: string, name: string, version: number, zone = 'z'): object {
  return { type, object: nodeObject(name, `uid-${name}`, version, { ...PARTS, zone }) }
}

const namesKnown = () => source.nodes?.map(({ name }) => name)

async function eventually(holds: () => void): Promise<void> {
  await vi.waitFor(holds, PATIENCE)
}

test('a list comes in pages and is taken whole; the watch goes on from its version, at the path of the version listed', async () => {
  server.list = (response, query) => {
    if (query.get('continue') === null) listOf(response, 10, ['a', 'b'], 'page-2')
    else listOf(response, 10, ['c'])
  }
  source.start(() => {})
  await eventually(() => expect(server.watches).toHaveLength(1))
  expect(namesKnown()).toEqual(['a', 'b', 'c'])
  expect(server.lists.map((query) => [query.get('limit'), query.get('continue')])).toEqual([
    ['500', null],
    ['500', 'page-2'],
  ])
  expect(server.watches[0]?.get('resourceVersion')).toBe('10')
  await eventually(() => expect(source.stale).toBeUndefined())
})

test('a list that breaks off after its first page is no list', async () => {
  server.list = (response, query) => {
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
  server.watch = (response) => {
    server.list = later
    opened(response, forgotten()).end()
  }
  source.start(() => {})
  await eventually(() => expect(source.stale).toContain(why))
  expect(namesKnown()).toEqual(['a', 'b'])
})

test.each([
  ['by an event', (response: ServerResponse) => void opened(response, forgotten()).end()],
  ['by its status', (response: ServerResponse) => json(response, { message: 'gone' }, 410)],
])('what the server says it has forgotten %s is listed anew', async (_, refuse) => {
  server.watch = (response, query) => {
    if (query.get('resourceVersion') !== '10') return void opened(response)
    server.list = (again) => listOf(again, 20, ['a', 'c'])
    refuse(response)
  }
  const told: (readonly string[] | undefined)[] = []
  source.start(() => told.push(namesKnown()))
  await eventually(() => expect(told.at(-1)).toEqual(['a', 'c']))
  await eventually(() => expect(server.watches.at(-1)?.get('resourceVersion')).toBe('20'))
  expect(server.lists).toHaveLength(2)
})

test('a watch that ends is taken up after the last that it told, without a list', async () => {
  server.watch = (response, query) => {
    if (query.get('resourceVersion') === '10') {
      opened(response, event('ADDED', 'c', 12), bookmark(15)).end()
    } else opened(response, event('DELETED', 'a', 16))
  }
  source.start(() => {})
  await eventually(() => expect(namesKnown()).toEqual(['b', 'c']))
  expect([server.lists.length, server.watches.map((query) => query.get('resourceVersion'))]).toEqual([1, ['10', '15']])
})

test('a line that breaks is told, and taken up when there is one again', async () => {
  let isBroken = true
  server.watch = (response) => {
    if (isBroken) response.destroy()
    else opened(response)
  }
  source.start(() => {})
  await eventually(() => expect(source.stale).toContain('cannot be watched'))
  expect(namesKnown()).toEqual(['a', 'b'])
  isBroken = false
  await eventually(() => expect(source.stale).toBeUndefined())
  expect(server.lists).toHaveLength(1)
})

test('a heartbeat of a node is no change', async () => {
  let calls = 0
  let line: ServerResponse | undefined
  server.watch = (response) => {
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
