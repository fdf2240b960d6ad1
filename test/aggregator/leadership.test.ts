/** What part an aggregator says that it plays, from its start through an election to standing by again. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ElectionOptions, RunningElection } from '../../aggregator/kubernetes/election.ts'
import type { Kubernetes } from '../../aggregator/kubernetes/run.ts'
import { Leadership } from '../../aggregator/leadership.ts'
import type { Journal } from '../../aggregator/model.ts'
import type { AggregatorService } from '../../aggregator/service.ts'
import type { SettingsInForce } from '../../aggregator/settings-in-force.ts'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import type { MeshNode } from '../../mesh/libp2p/running-node.ts'
import { SILENT_LOG } from './serve-sample.ts'

let store: Journal
beforeEach(() => {
  store = openJournal(':memory:')
})
afterEach(() => store.close())

/** An aggregator with a cluster whose election is in the test's hand. */
function candidate() {
  const mesh = { peerClocks: [] as { atMs: number }[], lead: () => {}, standBy: () => {} }
  const election = { lastRead: undefined as RunningElection['lastRead'], mayWrite: () => false }
  let told: Pick<ElectionOptions, 'lead' | 'standBy'> | undefined
  const kubernetes = {
    elect: (_: string, options: ElectionOptions) => {
      told = options
      return election as RunningElection
    },
    standingOnNodes: async () => [],
    start: () => {},
    rest: async () => {},
  }
  const service = { verdicts: { standing: () => [] }, leads: () => {}, standsBy: vi.fn(), endUnseen: vi.fn() }
  const settings = { document: { marking: { pools: { gpu: { mode: 'ready' } } } }, leads: () => {} }
  const leadership = new Leadership({
    store,
    service: service as unknown as AggregatorService,
    settings: settings as unknown as SettingsInForce,
    permits: { look: () => {}, standsBy: () => {} },
    kubernetes: kubernetes as unknown as Kubernetes,
    log: SILENT_LOG,
  })
  const elected = () => {
    if (told === undefined) throw new Error('it does not stand for election')
    return told
  }
  const start = () => {
    const side = { node: 'aggregator-1', mesh: mesh as unknown as MeshNode, namespace: 'starling' }
    leadership.start(side)
  }
  return { leadership, mesh, election, service, elected, start }
}

test('it starts, stands by, takes over, leads, and stands by again, and names who leads', async () => {
  const { leadership, election, service, elected, start } = candidate()
  const part = () => [leadership.office().role, leadership.office().leader]
  expect(part()).toEqual(['starts', ''])
  start()
  expect(part()).toEqual(['stands-by', ''])
  election.lastRead = { atMs: 0, holder: 'aggregator-2' }
  expect(part()).toEqual(['stands-by', 'aggregator-2'])
  elected().lead(7, 6)
  expect(part()).toEqual(['takes-over', 'aggregator-1'])
  await vi.waitFor(() => expect(part()).toEqual(['leads', 'aggregator-1']))
  expect(leadership.office()).toMatchObject({ why: 'since term 7', unfit: null })
  // It holds the Lease until what it has sent is over.
  election.lastRead = { atMs: 0, holder: 'aggregator-1' }
  elected().standBy('only 3 of 7 live members answer')
  expect(leadership.office()).toMatchObject({ role: 'stands-by', leader: '', why: 'only 3 of 7 live members answer' })
  expect(service.standsBy).toHaveBeenCalledOnce()
  leadership.stop()
})

test('standing by, it could take over only while both the mesh and the API server answer it', () => {
  const { leadership, mesh, election, start } = candidate()
  start()
  const now = performance.now()
  expect(leadership.office().unfit).toBe('no member of the mesh has answered it for 10 s')
  mesh.peerClocks = [{ atMs: now - 60_000 }, { atMs: now }]
  expect(leadership.office().unfit).toBe('the API server has not answered it for 10 s')
  election.lastRead = { atMs: now - 60_000, holder: undefined }
  expect(leadership.office().unfit).toBe('the API server has not answered it for 10 s')
  election.lastRead = { atMs: now, holder: undefined }
  expect(leadership.office().unfit).toBeNull()
  mesh.peerClocks = [{ atMs: now - 60_000 }]
  expect(leadership.office().unfit).toBe('no member of the mesh has answered it for 10 s')
})

test('what is written is told by pool, and why nothing can be', () => {
  const { leadership, election, start } = candidate()
  start()
  const modes = { mode: 'observe', pools: { gpu: 'ready' } }
  expect(leadership.marking()).toEqual({ ...modes, stalled: expect.stringContaining('not renewed for 5 s') })
  election.mayWrite = () => true
  expect(leadership.marking()).toEqual({ ...modes, stalled: null })
})

test('incidents that nobody saw again are ended at a later turn when the disk is full at first, and not while it stands by', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const { leadership, service, elected, start } = candidate()
  service.endUnseen.mockImplementationOnce(() => {
    throw new Error('database or disk is full')
  })
  start()
  elected().lead(1, 0)
  await vi.waitFor(() => expect(leadership.office().role).toBe('leads'))
  vi.advanceTimersByTime(360_000)
  expect(service.endUnseen).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(360_000)
  expect(service.endUnseen).toHaveBeenCalledTimes(2)
  elected().standBy('the Lease is gone')
  vi.advanceTimersByTime(3_600_000)
  expect(service.endUnseen).toHaveBeenCalledTimes(2)
  vi.useRealTimers()
})
