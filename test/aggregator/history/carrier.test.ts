/**
 * When it is said that a history elsewhere is behind: not for a moment, and not for what keeps coming. And what the journal keeps
 * for it meanwhile.
 */
import { fastify } from 'fastify'
import { Registry } from 'prom-client'
import { afterEach, expect, it, vi } from 'vitest'
import { TRAIL_PAGE } from '../../../aggregator/audit/trail.ts'
import { Carrier } from '../../../aggregator/history/carrier.ts'
import { storePart } from '../../../aggregator/history/config.ts'
import { openHistory } from '../../../aggregator/history/open.ts'
import { registerHealth } from '../../../aggregator/http/health.ts'
import type { StoredEvent } from '../../../aggregator/model.ts'
import { openJournal } from '../../../aggregator/store/sqlite.ts'
import { silentLog } from '../../../common/log.ts'
import { signerOf } from '../audit/tampered.ts'
import { event } from '../event.ts'
import { createSamplePort } from '../sample-port.ts'

const signer = await signerOf('aggregator-1')
const WAIT = { timeout: 20_000, interval: 5 }
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** Pages that are on their way arrive when a test says so. */
function carried(count: number) {
  const journal = openJournal(':memory:')
  const write = (name: string, many: number) => {
    for (let n = 0; n < many; n++) journal.append(event(`${name}-${n}`))
  }
  write('a', count)
  const onTheWay: PromiseWithResolvers<readonly StoredEvent[]>[] = []
  const history = {
    carry: async () => {
      const page = Promise.withResolvers<readonly StoredEvent[]>()
      onTheWay.push(page)
      await page.promise
      return { end: { seq: 0, hash: '' }, fresh: 0 }
    },
    trail: { ...journal.trail, seal: async () => undefined },
  }
  const told: number[] = []
  const carrier = new Carrier({
    journal,
    history: history as never,
    signer,
    record: () => {},
    carried: (upTo) => told.push(upTo),
    log: silentLog,
  })
  const later = (ms: number) => {
    const at = performance.now() + ms
    vi.spyOn(performance, 'now').mockImplementation(() => at)
  }
  const until = (pages: number) => vi.waitFor(() => expect(onTheWay).toHaveLength(pages), WAIT)
  return { journal, carrier, write, onTheWay, later, until, told }
}

it('a page that takes long is said to be on its way, until it is there', async () => {
  const { journal, carrier, onTheWay, later, until } = carried(3)
  carrier.look()
  await until(1)
  expect(carrier.stalled).toBeNull()
  later(11_000)
  const said = '3 events not in PostgreSQL yet: on the way'
  expect(carrier.stalled).toBe(said)
  const server = fastify()
  registerHealth(server, createSamplePort(), {
    store: async () => '',
    query: async () => [],
    stalled: () => carrier.stalled,
  })
  const ready = await server.inject('/readyz')
  expect([ready.statusCode, ready.json()]).toEqual([200, { status: 'ok', role: 'leads', history: said }])
  await server.close()
  onTheWay[0]?.resolve([])
  await vi.waitFor(() => expect(carrier.lag).toBe(0), WAIT)
  expect(carrier.stalled).toBeNull()
  await carrier.stop()
  journal.close()
})

it('what keeps coming is not behind as long as each page has all that there was, and is when it has not', async () => {
  const { journal, carrier, write, onTheWay, later, until } = carried(1)
  carrier.look()
  const next = async (pages: number, meanwhile: number) => {
    await until(pages)
    later(4_000)
    write(`during-${pages}`, meanwhile)
    onTheWay[pages - 1]?.resolve([])
  }
  for (let pages = 1; pages <= 5; pages++) {
    await next(pages, pages < 5 ? 1 : 2 * TRAIL_PAGE)
    expect(carrier.stalled).toBeNull()
  }
  await next(6, 0)
  await next(7, 0)
  await vi.waitFor(() => expect(carrier.lag).toBe(0), WAIT)
  write('after', 1)
  carrier.look()
  await until(8)
  expect(carrier.stalled).toBeNull()
  onTheWay[7]?.resolve([])
  await carrier.stop()
  journal.close()
})

it('whoever waits for the second copy is told how far it is: at the start, and when a page is there, not before', async () => {
  const { journal, carrier, onTheWay, until, told, write } = carried(2)
  carrier.start()
  await until(1)
  expect(told).toEqual([0])
  onTheWay[0]?.resolve([])
  await vi.waitFor(() => expect(told).toEqual([0, 2]), WAIT)
  write('b', 1)
  carrier.look()
  await until(2)
  onTheWay[1]?.resolve([])
  await vi.waitFor(() => expect(told).toEqual([0, 2, 3]), WAIT)
  await carrier.stop()
  journal.close()
})

it('more than a page that has been there for a while is behind until all of it is there', async () => {
  const { journal, carrier, onTheWay, later, until } = carried(TRAIL_PAGE + 1)
  carrier.look()
  await until(1)
  later(11_000)
  onTheWay[0]?.resolve([])
  await until(2)
  expect(carrier.stalled).toBe('1 event not in PostgreSQL yet: on the way')
  onTheWay[1]?.resolve([])
  await vi.waitFor(() => expect(carrier.stalled).toBeNull(), WAIT)
  await carrier.stop()
  journal.close()
})

it('what waits for longer than it is to be kept stays, up to a bound; what goes then is told, also in the history', async () => {
  const journal = openJournal(':memory:')
  const there: string[] = []
  let isAway = false
  const history = {
    carry: async (events: readonly StoredEvent[]) => {
      if (isAway) throw new Error('away')
      there.push(...events.map(({ id }) => id))
      return { end: { seq: there.length, hash: '' }, fresh: events.length }
    },
    trail: { ...journal.trail, seal: async () => undefined },
  }
  const log = { ...silentLog, error: vi.fn() }
  const now = '2026-06-01T00:00:00.000Z'
  const record = (said: object) => void journal.append({ ...event(''), ...said, at: now })
  const carrier = new Carrier({
    journal,
    history: history as never,
    signer,
    record,
    carried: () => {},
    log,
    waitingMax: 10,
  })
  const write = (name: string, count: number) => {
    for (let n = 0; n < count; n++) journal.append(event(`${name}-${n}`))
    carrier.look()
  }
  const tidy = () => {
    const keep = { events: 1, measures: 1, inspections: 1, eventsFrom: carrier.keepFrom }
    return journal.history.retain(now, keep, signer)
  }
  write('a', 5)
  await vi.waitFor(() => expect(carrier.lag).toBe(0), WAIT)
  isAway = true
  write('b', 10)
  await tidy()
  expect(journal.query({ limit: 100 }).map(({ id }) => id)).toEqual([...Array(10).keys()].map((n) => `b-${n}`))
  write('c', 4)
  await tidy()
  await vi.waitFor(() => expect(journal.query({ kinds: ['damaged'], limit: 2 })).toHaveLength(1), WAIT)
  const told = '4 events before 2026-01-02T03:04:05.678Z were let go of before PostgreSQL had them'
  expect(journal.query({ kinds: ['damaged'], limit: 1 })[0]?.summary).toContain(told)
  expect(log.error.mock.calls.map(([, said]) => said)).toContainEqual(expect.stringContaining(told))
  expect(carrier.lag).toBe(11)
  isAway = false
  await vi.waitFor(() => expect(carrier.lag).toBe(0), WAIT)
  const rest = [
    ...[4, 5, 6, 7, 8, 9].map((n) => `b-${n}`),
    'c-0',
    'c-1',
    'c-2',
    'c-3',
    expect.stringMatching(/^lost\//),
  ]
  expect(there.slice(5)).toEqual(rest)
  expect(journal.query({ kinds: ['damaged'], limit: 2 })).toHaveLength(1)
  await carrier.stop()
  journal.close()
})

it('an aggregator tidies its journal up to what is carried', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const journal = openJournal(':memory:')
  for (const id of ['a', 'b', 'c']) journal.append(event(id))
  journal.writeFact('history/carried', '2')
  const retain = vi.spyOn(journal.history, 'retain')
  // Nobody listens there.
  const config = storePart.parse({ url: 'postgres://127.0.0.1:1/x' })
  const nobody = { record: () => {}, carried: () => {} }
  const kept = openHistory({ config, journal, signer, ...nobody, registry: new Registry(), log: silentLog })
  kept.start()
  await vi.advanceTimersByTimeAsync(10 * 60_000)
  expect(retain.mock.calls.map(([, keep]) => keep)).toEqual([expect.objectContaining({ events: 90, eventsFrom: 3 })])
  await kept.stop()
  journal.close()
})
