/** The election on real time: two aggregators, one Lease, and the ports that they listen on. */
import { createServer, type Server } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { type RunningElection, startElection } from '../../aggregator/kubernetes/election.ts'
import { knock } from '../../aggregator/kubernetes/knock.ts'
import type { LeaseStore } from '../../aggregator/kubernetes/lease.ts'
import { silentLog } from '../../common/log.ts'
import { LeaseServer } from '../../mesh/sim/election/lease-server.ts'
import { rosterOf, sampleMember } from '../mesh/sample-mesh.ts'

const PATIENCE = { timeout: 30_000, interval: 20 }
const NODES = ['aggregator-1', 'aggregator-2']

const servers: Server[] = []
const running: RunningElection[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((election) => election.stop()))
  for (const server of servers.splice(0)) server.close()
})

async function listen(): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('it does not listen')
  return address.port
}

interface Party {
  readonly election: RunningElection
  readonly did: string[]
}

/** Reaches the whole mesh, always. */
function party(node: string, boot: number, store: LeaseStore, ports: readonly number[]): Party {
  const did: string[] = []
  const aggregators = NODES.map((name, index) => sampleMember(name, '', { meshPort: ports[index] ?? 0 }))
  const election = startElection({
    node,
    incarnation: { serial: 1, boot, refutations: 0 },
    term: 0,
    store,
    log: silentLog,
    roster: () => ({ ...rosterOf([]), aggregators }),
    canvass: (term) => election.reach({ term, present: 20, live: 20, holds: true }),
    lead: (term) => void did.push(`leads ${term}`),
    standBy: () => void did.push('stands by'),
    onNotice: () => {},
  })
  running.push(election)
  return { election, did }
}

function storeOf(server: LeaseServer): LeaseStore {
  return { read: async () => server.read(), write: async (claim, over) => server.write(claim, over) }
}

test('one leads, gives the Lease up when it is stopped, and the other takes it at once', async () => {
  const store = storeOf(new LeaseServer())
  const ports = [await listen(), await listen()]
  const one = party('aggregator-1', 1, store, ports)
  await vi.waitUntil(() => one.election.mayWrite(), PATIENCE)
  const other = party('aggregator-2', 1, store, ports)
  expect(one.election.renewals.firstSince(0)).toBe('1')
  await one.election.stop()
  expect(one.election.mayWrite()).toBe(false)
  await vi.waitUntil(() => other.election.mayWrite(), PATIENCE)
  expect([one.did, other.did]).toEqual([['leads 1', 'stands by'], ['leads 2']])
}, 60_000)

test('a process that is gone is replaced before its Lease expires: by its next life, and by another aggregator', async () => {
  const server = new LeaseServer()
  const store = storeOf(server)
  const port = await listen()
  const [closed] = [await listen()]
  servers.pop()?.close()
  server.write({ holder: 'aggregator-1_1.1', term: 6 }, undefined)
  const nextLife = party('aggregator-1', 2, store, [port, port])
  await vi.waitUntil(() => nextLife.election.mayWrite(), PATIENCE)
  expect(nextLife.did).toEqual(['leads 7'])
  await nextLife.election.stop()

  server.write({ holder: 'aggregator-1_1.2', term: 9 }, server.read()?.version)
  const other = party('aggregator-2', 1, store, [closed ?? 0, port])
  await vi.waitUntil(() => other.election.mayWrite(), PATIENCE)
  expect(other.did).toEqual(['leads 10'])
}, 60_000)

test('a store that fails is asked again, and nobody leads without it', async () => {
  const server = new LeaseServer()
  let failures = 3
  const store = storeOf(server)
  const flaky: LeaseStore = {
    read: async () => {
      if (failures-- > 0) throw new Error('unreachable')
      return await store.read()
    },
    write: store.write,
  }
  const { election, did } = party('aggregator-1', 1, flaky, [1, 1])
  expect(election.mayWrite()).toBe(false)
  await vi.waitUntil(() => election.mayWrite(), PATIENCE)
  expect([failures < 0, did]).toEqual([true, ['leads 1']])
}, 60_000)

test('a knock tells an open port from a closed one, at every address', async () => {
  const open = await listen()
  const closed = await listen()
  servers.pop()?.close()
  const at = (hosts: readonly string[], meshPort: number) => knock({ hosts, meshPort })
  await vi.waitFor(async () => expect(await at(['127.0.0.1'], closed)).toBe('refused'), PATIENCE)
  expect(await at(['127.0.0.1'], open)).toBe('accepted')
  expect(await at(['127.0.0.2', '127.0.0.1'], open)).toBe('accepted')
  expect(await at([], open)).toBe('nothing')
})
