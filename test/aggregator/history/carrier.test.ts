/** When it is said that a history elsewhere is behind: not for a moment, and not for what keeps coming. */
import { fastify } from 'fastify'
import { afterEach, expect, it, vi } from 'vitest'
import { TRAIL_PAGE } from '../../../aggregator/audit/trail.ts'
import { Carrier } from '../../../aggregator/history/carrier.ts'
import { registerHealth } from '../../../aggregator/http/health.ts'
import type { StoredEvent } from '../../../aggregator/model.ts'
import { openJournal } from '../../../aggregator/store/sqlite.ts'
import { silentLog } from '../../../common/log.ts'
import { signerOf } from '../audit/tampered.ts'
import { event } from '../event.ts'
import { createSamplePort } from '../sample-port.ts'

const signer = await signerOf('aggregator-1')
const WAIT = { timeout: 20_000, interval: 5 }
afterEach(() => void vi.restoreAllMocks())

/** Pages that are on their way arrive when a test says so. */
function carried(count: number) {
  const journal = openJournal(':memory:')
  const write = (name: string, many: number) => {
    for (let n = 0; n < many; n++) journal.append(event(`${name}-${n}`))
  }
  write('a', count)
  const onTheWay: PromiseWithResolvers<readonly StoredEvent[]>[] = []
  const history = {
    append: async () => {
      const page = Promise.withResolvers<readonly StoredEvent[]>()
      onTheWay.push(page)
      return await page.promise
    },
    trail: { ...journal.trail, seal: async () => undefined },
  }
  const carrier = new Carrier({ journal, history: history as never, signer, log: silentLog })
  const later = (ms: number) => {
    const at = performance.now() + ms
    vi.spyOn(performance, 'now').mockImplementation(() => at)
  }
  const until = (pages: number) => vi.waitFor(() => expect(onTheWay).toHaveLength(pages), WAIT)
  return { journal, carrier, write, onTheWay, later, until }
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
  registerHealth(server, createSamplePort(), { store: '', query: async () => [], stalled: () => carrier.stalled })
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
