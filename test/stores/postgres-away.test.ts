/** What an aggregator keeps for a real PostgreSQL that is away, for how long, and what becomes of one that was set back. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { checkTrail } from '../../aggregator/audit/walk.ts'
import { openPostgres } from '../../aggregator/history/postgres/history.ts'
import { openJournal, type SqliteJournal } from '../../aggregator/store/sqlite.ts'
import { silentLog } from '../../common/log.ts'
import type { InspectionRun } from '../../inspection/model.ts'
import { MESH, signerOf } from '../aggregator/audit/tampered.ts'
import { event } from '../aggregator/event.ts'
import { needsPostgres, Postgres } from '../postgres.ts'
import { describeReal } from '../real-part.ts'
import { type Carried, openCarried } from './carried.ts'

const WAIT = { timeout: 60_000, interval: 50 }
const signer = await signerOf('aggregator-1')
const log = { ...silentLog, error: vi.fn() }

describeReal('PostgreSQL that is away', needsPostgres(), () => {
  let server: Postgres
  let folder: string
  let url: string
  let journal: SqliteJournal
  let open: Carried[]
  beforeAll(async () => {
    server = await Postgres.start()
  }, 120_000)
  afterAll(() => server.stop())
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'starling-away-'))
    journal = openJournal(join(folder, 'history.sqlite'))
    url = await server.fresh()
    open = []
  })
  afterEach(async () => {
    await Promise.all(open.map(({ kept }) => kept.stop()))
    journal.close()
    rmSync(folder, { recursive: true })
    vi.clearAllMocks()
  })

  function carry(from = journal): Carried {
    const carried = openCarried({ journal: from, url, passwordFile: server.passwordFile, signer, log })
    open.push(carried)
    carried.kept.start()
    return carried
  }
  function write(name: string, count: number, to = journal): void {
    for (let n = 0; n < count; n++) to.append(event(`${name}-${n}`))
    for (const { kept } of open) kept.stored()
  }
  const isThere = async ({ lag, recordsLag }: Carried) => {
    await vi.waitFor(async () => expect([await lag(), await recordsLag()]).toEqual([0, 0]), WAIT)
  }
  const idsIn = async ({ kept }: Carried) => (await kept.history.query({ limit: 1_000 })).map(({ id }) => id)
  const sql = async (statement: string) => {
    const client = server.client(url)
    await client.connect()
    await client.query(statement).finally(() => client.end())
  }
  const check = async () => {
    const history = openPostgres({ url, passwordFile: server.passwordFile })
    const trust = { mesh: MESH, signers: new Set([signer.peerId]) }
    return await checkTrail(history.trail, trust).finally(() => history.close())
  }
  const hours = (...cpus: readonly number[]) =>
    cpus.map((cpu, hour) => ({
      node: 'node-1',
      hour: new Date(Date.parse('2026-03-01') + hour * 3_600_000).toISOString(),
      averages: { cpu },
    }))
  const month = { from: '2026-03-01T00:00:00Z', until: '2026-04-01T00:00:00Z' }
  const inspection = (id: string): InspectionRun => ({
    ...{ id, mesh: MESH, profile: 'default', origin: 'state', nodes: 0, sections: [], troubles: [], silent: [] },
    ...{ startedAt: '2026-03-01T00:00:00.000Z', finishedAt: '2026-03-01T00:00:00.000Z' },
  })

  it('has the hours and inspections of its absence when it is back, also when the aggregator was started again meanwhile', async () => {
    const first = carry()
    await first.kept.history.keepMeasures(hours(1))
    await isThere(first)
    await server.crash()
    await first.kept.history.keepMeasures(hours(2, 3))
    await first.kept.history.keepInspection(inspection('while'))
    expect(await first.recordsLag()).toBe(2)
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 11_000)
    expect(first.kept.stalled()).toContain('2 records not in PostgreSQL yet')
    clock.mockRestore()
    await first.kept.stop()
    const next = carry()
    await next.kept.history.keepInspection(inspection('later'))
    await server.resume()
    await isThere(next)
    expect(await next.kept.history.measures(month)).toEqual(hours(2, 3))
    expect((await next.kept.history.inspections(10)).map(({ id }) => id).toSorted()).toEqual(['later', 'while'])
  })

  it('is given again what it lost when it is set back, under another name', async () => {
    const carried = carry()
    write('a', 30)
    await carried.kept.history.keepInspection(inspection('before'))
    await isThere(carried)
    const backup = server.dump(url)
    const name = await carried.kept.storeName?.()
    write('b', 30)
    await carried.kept.history.keepInspection(inspection('after'))
    await isThere(carried)

    await sql('DROP SCHEMA starling CASCADE')
    server.restore(url, backup)
    await expect(carried.kept.storeName?.()).rejects.toThrow('was set back')
    await vi.waitFor(async () => expect(await carried.kept.storeName?.()).not.toBe(name), WAIT)
    await isThere(carried)
    // Whoever waits for the second copy learns that it was lost, and that it is there again.
    const lost = carried.places.lastIndexOf(0)
    expect([carried.places[lost - 1], carried.places.at(-1)]).toEqual([60, 61])
    const ids = await idsIn(carried)
    expect(ids.slice(0, 60)).toEqual([...Array(60).keys()].map((n) => (n < 30 ? `a-${n}` : `b-${n - 30}`)))
    expect(ids.slice(60)).toEqual([expect.stringContaining('set-back/')])
    expect((await carried.kept.history.inspections(10)).map(({ id }) => id).toSorted()).toEqual(['after', 'before'])
    expect(await check()).toMatchObject({ holds: true, checked: 61 })
    expect(log.error.mock.calls.map(([, said]) => said)).toEqual([expect.stringContaining('was set back')])
  })

  it('is known to be set back also when others have gone on there meanwhile', async () => {
    const carried = carry()
    write('a', 20)
    await isThere(carried)
    const backup = server.dump(url)
    write('b', 20)
    await isThere(carried)
    await carried.kept.stop()
    await sql('DROP SCHEMA starling CASCADE')
    server.restore(url, backup)
    const second = openJournal(join(folder, 'second.sqlite'))
    const other = carry(second)
    write('other', 50, second)
    await isThere(other)
    const name = await other.kept.storeName?.()
    const again = carry()
    await isThere(again)
    await vi.waitFor(async () => expect(await idsIn(again)).toHaveLength(91), WAIT)
    expect(await other.kept.storeName?.()).not.toBe(name)
    expect(await check()).toMatchObject({ holds: true, checked: 91 })
    await other.kept.stop()
    second.close()
  })

  it('is made ready again when its database is another one, and given all', async () => {
    const carried = carry()
    write('a', 10)
    await isThere(carried)
    await sql('DROP SCHEMA starling CASCADE')
    write('b', 1)
    await vi.waitFor(async () => expect(await idsIn(carried)).toHaveLength(12), WAIT)
  })

  it('has not been set back by its own retention, which lets go of what was seen last', async () => {
    const carried = carry()
    write('a', 10)
    await isThere(carried)
    const name = await carried.kept.storeName?.()
    await carried.kept.stop()
    const other = openPostgres({ url, passwordFile: server.passwordFile })
    await other.append([event('new', { at: '2026-06-01T00:00:00.000Z' })])
    await other.retain('2026-06-01T00:00:00.000Z', { events: 1, measures: 0, inspections: 0 }, signer)
    await other.close()
    const again = carry()
    write('b', 1)
    await isThere(again)
    expect(await again.kept.storeName?.()).toBe(name)
    expect(await idsIn(again)).toEqual(['new', 'b-0'])
    expect(log.error).not.toHaveBeenCalled()
  })
})
