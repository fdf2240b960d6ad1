/** The sync at its edges: what it records, in which order, and what it does when recording fails. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { RosterMemory } from '../../aggregator/kubernetes/roster/memory.ts'
import { RosterSync } from '../../aggregator/kubernetes/roster/sync.ts'
import type { Journal } from '../../aggregator/model.ts'
import { Recorder } from '../../aggregator/recorder.ts'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import { silentLog } from '../../common/log.ts'
import type { Member, Roster } from '../../mesh/core/model.ts'
import type { Enrolment } from '../../mesh/identity/enrolment.ts'
import { rosterHash } from '../../mesh/identity/signed-roster.ts'
import { decodeValue, encodeValue } from '../../mesh/wire/codec.ts'
import { FakeEpochStore, FakeNodes } from './fake-nodes.ts'
import { AGENT_PORT, enrolled, memberOf, names, rosterOf } from './roster-parts.ts'

const PLACE = { zone: 'z', addresses: ['10.0.0.1'] }
/** Longer than any epoch waits, so that everything that can happen has. */
const LONG_MS = 30_000

let dir: string
let store: Journal
let nodes: FakeNodes
let record: FakeEpochStore
let enrolments: Map<string, Enrolment>
let inForce: Roster
let sync: RosterSync | undefined
let advanced: Roster[]
let mayWrite: boolean
let changed: () => void

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
  dir = mkdtempSync(join(tmpdir(), 'starling-roster-'))
  store = openJournal(join(dir, 'history.sqlite'))
  nodes = new FakeNodes()
  record = new FakeEpochStore()
  enrolments = new Map()
  advanced = []
  mayWrite = true
})
afterEach(() => {
  sync?.stop()
  store.close()
  rmSync(dir, { recursive: true })
  vi.useRealTimers()
})

/** A mesh of these members, whose Nodes there are, and which is in step with its cluster. */
async function start(count: number): Promise<RosterSync> {
  for (const name of names(count)) nodes.put(name, PLACE)
  const source = nodes.open()
  source.start(() => {})
  const uids = new Map(source.nodes?.map(({ name, uid }) => [name, uid]))
  source.stop()
  inForce = rosterOf(names(count).map((name): Member => memberOf(name, { uid: uids.get(name) })))
  return await startAgain()
}

async function startAgain(): Promise<RosterSync> {
  sync?.stop()
  const recorder = new Recorder(store, `life-${performance.now()}`, () => {})
  sync = new RosterSync(
    {
      nodes: nodes.open(),
      enrolments: {
        current: () => enrolments,
        start: (onChange) => {
          changed = onChange
        },
        stop: () => {},
      },
      record,
      authority: { term: 3, renewals: { firstSince: () => undefined }, mayWrite: () => mayWrite },
      memory: new RosterMemory(store, inForce.epoch, performance.now(), Date.now()),
      story: recorder.roster,
      log: silentLog,
      agentPort: AGENT_PORT,
      sign: encodeValue,
      now: () => performance.now(),
      wallNow: Date.now,
      close: () => {},
    },
    {
      get roster() {
        return inForce
      },
      live: () => inForce.members.length,
      advance: (bytes) => {
        inForce = decodeValue(z.any(), bytes) as Roster
        advanced.push(inForce)
      },
    },
  )
  await vi.advanceTimersByTimeAsync(LONG_MS)
  return sync
}

function eventsOf(...kinds: Parameters<Journal['query']>[0]['kinds'] & object) {
  return store.query({ kinds, limit: 1_000 })
}

const inForceNames = () => inForce.members.map(({ node }) => node)

test('a roster that is as the cluster is stays, and nothing is written', async () => {
  await start(4)
  expect(advanced).toEqual([])
  expect(record.writes).toBe(0)
})

test('the next epoch names the one before it, is on record when it takes effect, and is told', async () => {
  await start(4)
  const before = inForce
  nodes.remove('n-000')
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect(inForceNames()).toEqual(['n-001', 'n-002', 'n-003'])
  expect(inForce).toMatchObject({ epoch: before.epoch + 1, previous: rosterHash(before), seed: before.seed })
  expect(record.record).toEqual({ epoch: inForce.epoch, hash: rosterHash(inForce), term: 3 })
  expect(eventsOf('member-removed').map(({ node }) => node)).toEqual(['n-000'])
})

test('what changes together is one epoch', async () => {
  await start(4)
  for (const name of names(3, 'x')) {
    nodes.put(name, PLACE)
    enrolments.set(name, enrolled(name))
  }
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect(advanced).toHaveLength(1)
  expect(inForce.members).toHaveLength(7)
})

test('an enrolment that comes later than its Node brings the member then', async () => {
  const running = await start(4)
  nodes.put('x', PLACE)
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect(running.view().uncovered).toEqual([{ node: 'x', why: 'no agent has enrolled on it' }])
  enrolments.set('x', enrolled('x'))
  changed()
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect(inForceNames()).toContain('x')
  expect(running.view().uncovered).toEqual([])
})

test('a write that did not arrive leaves the roster, and is tried again', async () => {
  await start(4)
  record.failing = 'lost-request'
  nodes.remove('n-000')
  await vi.advanceTimersByTimeAsync(1_500)
  expect(advanced).toEqual([])
  expect(sync?.view().stalled).toContain('no epoch can be recorded: no answer')
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect(inForce.members).toHaveLength(3)
  expect(sync?.view().stalled).toBeNull()
})

test('a write whose reply was lost takes effect once it is seen on record, and is written once', async () => {
  await start(4)
  record.failing = 'lost-reply'
  nodes.remove('n-000')
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect(inForce.members).toHaveLength(3)
  expect([record.writes, advanced.length]).toEqual([1, 1])
})

test('a leader that is not in step with the record takes nothing in force', async () => {
  await start(4)
  record.set({ epoch: inForce.epoch + 1, hash: 'cd'.repeat(32), term: 4 })
  nodes.remove('n-000')
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect(advanced).toEqual([])
  expect(sync?.view().stalled).toContain('is on record and has not come here yet')
})

test('an epoch that died with its leader is gone past after a minute', async () => {
  await start(4)
  const lost = inForce.epoch + 1
  record.set({ epoch: lost, hash: 'cd'.repeat(32), term: 2 })
  nodes.remove('n-000')
  await vi.advanceTimersByTimeAsync(2 * LONG_MS + 10_000)
  expect(inForce.epoch).toBe(lost + 1)
  expect(record.record?.epoch).toBe(lost + 1)
})

test('one that stands by leaves all to the leader, and counts what that one does for when it leads itself', async () => {
  mayWrite = false
  await start(10)
  nodes.remove('n-000')
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect([advanced.length, record.writes]).toEqual([0, 0])
  inForce = { ...rosterOf(inForce.members.slice(1)), epoch: inForce.epoch + 1, previous: rosterHash(inForce) }
  record.set({ epoch: inForce.epoch, hash: rosterHash(inForce), term: 2 })
  await vi.advanceTimersByTimeAsync(LONG_MS)
  mayWrite = true
  nodes.remove('n-001')
  nodes.put('n-000', PLACE)
  enrolments.set('n-000', enrolled('n-000'))
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect(advanced).toEqual([])
  expect(sync?.view().held[0]?.why).toContain('after 1 in the last 10 minutes')
  expect(sync?.view().uncovered[0]?.why).toContain('it must enrol anew')
})

test('what is beyond the brake waits, is told once, and passes when a person says so', async () => {
  const running = await start(10)
  for (const name of names(3)) nodes.remove(name)
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect(advanced).toEqual([])
  expect(running.view().held).toMatchObject([{ kind: 'removals', nodes: names(3) }])
  expect(eventsOf('roster-held')).toHaveLength(1)
  running.release()
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect(inForce.members).toHaveLength(7)
  expect(running.view().held).toEqual([])
  expect(eventsOf('roster-held', 'roster-free').map(({ kind }) => kind)).toEqual(['roster-held', 'roster-free'])
})

test('what was let through and is not wanted any more is asked about again when it is', async () => {
  const running = await start(4)
  const many = new Map(names(11, 'x').map((name) => [name, enrolled(name)]))
  for (const name of many.keys()) nodes.put(name, PLACE)
  const enrol = async (all: Map<string, Enrolment>) => {
    enrolments = all
    changed()
    await vi.advanceTimersByTimeAsync(LONG_MS)
  }
  await enrol(many)
  // Nothing can be recorded, so what is let through cannot pass yet.
  record.isDown = true
  running.release()
  await enrol(new Map())
  record.isDown = false
  await enrol(many)
  expect(running.view().held).toMatchObject([{ kind: 'growth', nodes: [...many.keys()] }])
  running.release()
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect(inForce.members).toHaveLength(15)
})

test('the brake and the serials of those that left outlive a restart', async () => {
  await start(10)
  nodes.remove('n-000')
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect(inForce.members).toHaveLength(9)
  await startAgain()
  nodes.remove('n-001')
  nodes.put('n-000', PLACE)
  enrolments.set('n-000', enrolled('n-000'))
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect(sync?.view().held[0]?.why).toContain('after 1 in the last 10 minutes')
  expect(sync?.view().uncovered[0]?.why).toContain('it must enrol anew')
  await vi.advanceTimersByTimeAsync(600_000)
  expect(inForce.members).toHaveLength(8)
})
