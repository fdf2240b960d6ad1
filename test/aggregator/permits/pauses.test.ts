/** What people say of remediation as a whole: on record first, for all leaders, and over by itself. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Journal } from '../../../aggregator/model.ts'
import { Ledger } from '../../../aggregator/permits/ledger.ts'
import { PauseEnds } from '../../../aggregator/permits/pause-ends.ts'
import type { PauseView } from '../../../aggregator/remediation-model.ts'
import { silentLog } from '../../../common/log.ts'
import { Aggregator, guardsOf, isPermit, Node, rest, World } from './world.ts'

const HOUR_MS = 3_600_000
const PAUSE = { scope: { kind: 'pool', name: 'workers' }, forMs: HOUR_MS, reason: 'we are moving', via: 'cli' } as const
const RELEASE = { reason: 'we looked', via: 'cli' } as const

let world: World
let node: Node

beforeEach(() => {
  world = new World()
  node = new Node(world)
})
afterEach(() => world.close())

async function answerOf(aggregator: Aggregator) {
  const plan = node.plan()
  aggregator.hear(node.says(plan, 'proposed'), node.asks(plan))
  await rest()
  return aggregator.sent.at(-1)
}

test('a pause holds its scope back under every leader, until its time is over', async () => {
  const store = world.store()
  const aggregator = new Aggregator(world, 1, store)
  const { id } = await aggregator.pauses.pause(PAUSE, 'local-token')
  expect(store.byId(id)).toMatchObject({ kind: 'decision', summary: expect.stringContaining('in pool workers') })
  expect(guardsOf(await answerOf(aggregator))).toEqual(['pause'])
  const next = new Aggregator(world, 2)
  expect(guardsOf(await answerOf(next))).toEqual(['pause'])
  world.nowMs += HOUR_MS + 1
  expect(isPermit(await answerOf(next))).toBe(true)
})

test('the end of a pause is told once, by whoever leads then, and because of the pause', async () => {
  const [store, later] = [world.store(), world.store()]
  const ends = ({ recorder }: Aggregator, term: number | undefined) => {
    const ledger = new Ledger({ store: world.book, term: () => term })
    return new PauseEnds({ ledger, story: recorder.permits, log: silentLog, wallNow: () => world.wallMs })
  }
  const told = (history: Journal) =>
    history.query({ kinds: ['decision'], limit: 10 }).filter(({ summary }) => summary.includes('is over'))
  const aggregator = new Aggregator(world, 1, store)
  const { id } = await aggregator.pauses.pause(PAUSE, 'local-token')
  await aggregator.pauses.pause({ ...PAUSE, scope: { kind: 'all' }, forMs: 3 * HOUR_MS }, 'local-token')
  await ends(aggregator, 1).look()
  expect([told(store), world.book.book.pauses.length]).toEqual([[], 2])
  world.nowMs += HOUR_MS
  for (const _ of ['once', 'again']) await ends(aggregator, 1).look()
  expect(told(store)).toMatchObject([{ causedBy: id, summary: expect.stringContaining('in pool workers is over') }])
  expect(world.book.book.pauses.map(({ scope }) => scope)).toEqual([{ kind: 'all' }])
  world.nowMs += 2 * HOUR_MS
  await ends(aggregator, undefined).look()
  expect(world.book.book.pauses).toHaveLength(1)
  await ends(new Aggregator(world, 2, later), 2).look()
  expect(told(later)).toMatchObject([{ causedBy: '', data: { scope: { kind: 'all' } } }])
  expect([told(store).length, world.book.book.pauses]).toEqual([1, []])
})

test('the end of a pause that cannot be put on record is told when it can', async () => {
  vi.useFakeTimers()
  const aggregator = new Aggregator(world, 1)
  const ledger = new Ledger({ store: world.book, term: () => 1 })
  const told: string[] = []
  const story = { pauseOver: ({ reason }: PauseView) => told.push(reason) }
  const ends = new PauseEnds({ ledger, story: story as never, log: silentLog, wallNow: () => world.wallMs })
  await aggregator.pauses.pause(PAUSE, 'local-token')
  await ends.look()
  world.nowMs += HOUR_MS
  world.book.isDown = true
  await vi.advanceTimersByTimeAsync(HOUR_MS)
  expect(told).toEqual([])
  world.book.isDown = false
  await vi.advanceTimersByTimeAsync(6_000)
  expect([told, world.book.book.pauses]).toEqual([[PAUSE.reason], []])
  vi.useRealTimers()
})

test('of one scope there is one pause; it is ended by just that scope', async () => {
  const { pauses } = new Aggregator(world, 1)
  await pauses.pause(PAUSE, 'local-token')
  await pauses.pause({ ...PAUSE, forMs: 2 * HOUR_MS }, 'local-token')
  await pauses.pause({ ...PAUSE, scope: { kind: 'node', name: 'node-3' } }, 'local-token')
  expect(world.book.book.pauses.map(({ until }) => until)).toEqual([
    '2026-01-31T14:00:00.000Z',
    '2026-01-31T13:00:00.000Z',
  ])
  await expect(pauses.resume({ kind: 'all' }, RELEASE, 'local-token')).rejects.toThrow('no such pause')
  await pauses.resume(PAUSE.scope, RELEASE, 'local-token')
  expect(world.book.book.pauses.map(({ scope }) => scope)).toEqual([{ kind: 'node', name: 'node-3' }])
})

test('a pool that failures stopped goes on once somebody has looked', async () => {
  const aggregator = new Aggregator(world, 1)
  const failed = new Node(world, 'node-5')
  aggregator.hear(failed.says(failed.plan(), 'revert-failed', { ended: true }))
  await rest()
  expect(guardsOf(await answerOf(aggregator))).toEqual(['stop-on-failure'])
  world.nowMs += 1
  await aggregator.pauses.release({ kind: 'pool', name: 'workers' }, RELEASE, 'local-token')
  expect(isPermit(await answerOf(aggregator))).toBe(true)
})

test('who does not lead, or cannot write it down, says so', async () => {
  const standsBy = new Aggregator(world, undefined)
  await expect(standsBy.pauses.pause(PAUSE, 'local-token')).rejects.toThrow('leads no more')
  const { pauses } = new Aggregator(world, 1)
  world.book.isDown = true
  await expect(pauses.pause(PAUSE, 'local-token')).rejects.toThrow('cannot be written: nobody answers')
})
