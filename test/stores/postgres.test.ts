/** History in a real PostgreSQL: the contract, aggregators at once, and a server that is down, hangs, refuses, or is changed by hand. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { checkTrail } from '../../aggregator/audit/walk.ts'
import type { KeptHistory } from '../../aggregator/history/open.ts'
import { openPostgres } from '../../aggregator/history/postgres/history.ts'
import { POSTGRES_MIGRATIONS } from '../../aggregator/history/postgres/migrations.ts'
import { openJournal, type SqliteJournal } from '../../aggregator/store/sqlite.ts'
import { silentLog } from '../../common/log.ts'
import { MESH, signerOf } from '../aggregator/audit/tampered.ts'
import { event } from '../aggregator/event.ts'
import { historyConformance } from '../aggregator/history-conformance.ts'
import { needsPostgres, PASSWORD, Postgres } from '../postgres.ts'
import { describeReal } from '../real-part.ts'
import { type Carried, openCarried } from './carried.ts'

const WAIT = { timeout: 60_000, interval: 50 }

let server: Postgres

describeReal('PostgreSQL', needsPostgres(), () => {
  beforeAll(async () => {
    server = await Postgres.start()
  }, 120_000)
  afterAll(() => server.stop())

  historyConformance('PostgreSQL', async () => {
    return {
      create() {
        let url: string | undefined
        return {
          async open() {
            url ??= await server.fresh()
            const history = openPostgres({ url, passwordFile: server.passwordFile })
            return { history, trail: history.trail }
          },
          clean: async () => {},
        }
      },
      end: async () => {},
    }
  })
  describe('a history that is carried to PostgreSQL', carrying)
})

function carrying(): void {
  let folder: string
  let url: string
  let journal: SqliteJournal
  const open: KeptHistory[] = []
  const log = { ...silentLog, error: vi.fn(), info: vi.fn() }
  const signer = signerOf('aggregator-1')
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'starling-carried-'))
    journal = openJournal(join(folder, 'history.sqlite'))
    url = await server.fresh()
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((each) => each.stop()))
    journal.close()
    rmSync(folder, { recursive: true })
    vi.clearAllMocks()
  })

  async function carry(from: SqliteJournal, to = url, passwordFile = server.passwordFile): Promise<Carried> {
    const carried = openCarried({ journal: from, url: to, passwordFile, signer: await signer, log })
    open.push(carried.kept)
    carried.kept.start()
    return carried
  }
  const write = (to: SqliteJournal, name: string, count: number) => {
    for (let n = 0; n < count; n++) to.append(event(`${name}-${n}`))
  }
  const idsIn = async (kept: KeptHistory) => (await kept.history.query({ limit: 1_000 })).map(({ id }) => id)
  const sql = async (statement: string) => {
    const client = server.client(url)
    await client.connect()
    try {
      return await client.query(statement)
    } finally {
      await client.end()
    }
  }

  it('has all events in their order, also of two aggregators that start at once, once each, in one chain', async () => {
    const second = openJournal(join(folder, 'second.sqlite'))
    write(journal, 'a', 400)
    write(second, 'b', 300)
    for (const each of [journal, second]) each.append(event('both'))
    const [{ kept, lag }, other] = await Promise.all([carry(journal), carry(second)])
    await vi.waitFor(async () => expect([await lag(), await other.lag()]).toEqual([0, 0]), WAIT)
    const ids = await idsIn(kept)
    expect(ids).toHaveLength(701)
    for (const [name, count] of [
      ['a', 400],
      ['b', 300],
    ] as const) {
      const own = ids.filter((id) => id.startsWith(`${name}-`))
      expect(own).toEqual(Array.from({ length: count }, (_, n) => `${name}-${n}`))
    }
    const { trail } = openPostgres({ url, passwordFile: server.passwordFile })
    const result = await checkTrail(trail, { mesh: MESH, signers: new Set([(await signer).peerId]) })
    expect(result).toMatchObject({ holds: true, checked: 701, unsigned: 0 })
    await other.kept.stop()
    second.close()
  })

  it('waits in the journal while the server is down, with nobody waiting for it, and goes on where it was', async () => {
    const { kept, lag } = await carry(journal)
    write(journal, 'before', 50)
    kept.stored()
    await vi.waitFor(async () => expect(await lag()).toBe(0), WAIT)
    await server.crash()
    write(journal, 'while', 50)
    kept.stored()
    await vi.waitFor(() => expect(log.error).toHaveBeenCalledOnce(), WAIT)
    expect(log.error.mock.calls[0]?.[0]).toMatchObject({ waiting: expect.any(Number) })
    expect(JSON.stringify(log.error.mock.calls)).not.toContain(PASSWORD)
    await expect(kept.history.append([event('straight')])).rejects.toThrow()
    expect(await lag()).toBe(50)
    expect(kept.stalled()).toBeNull()
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 11_000)
    expect(kept.stalled()).toBe('50 events not in PostgreSQL yet: it takes none')
    clock.mockRestore()
    await server.resume()
    await vi.waitFor(async () => expect(await lag()).toBe(0), WAIT)
    expect(await idsIn(kept)).toHaveLength(100)
    expect(log.error).toHaveBeenCalledOnce()
  })

  it('carries the last page again after a crash that came before it was noted, and each event is there once', async () => {
    const { kept } = await carry(journal)
    write(journal, 'a', 30)
    kept.stored()
    await vi.waitFor(async () => expect(await idsIn(kept)).toHaveLength(30), WAIT)
    await kept.stop()
    journal.writeFact('history/carried', '10')
    journal.append(event('next'))
    const again = await carry(journal)
    await vi.waitFor(async () => expect(await again.lag()).toBe(0), WAIT)
    expect(await idsIn(again.kept)).toHaveLength(31)
  })

  it('says that a server refuses, and ends in time though one hangs', async () => {
    writeFileSync(join(folder, 'wrong'), 'wrong')
    const { kept: refused } = await carry(journal, url, join(folder, 'wrong'))
    await expect(refused.history.query({ limit: 1 })).rejects.toMatchObject({
      name: 'StarlingError',
      message: expect.stringContaining('password authentication failed'),
    })

    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as { port: number }
    journal.append(event('a'))
    const { kept, lag } = await carry(journal, `postgres://starling@127.0.0.1:${port}/x`)
    expect(journal.append(event('b'))).not.toBeNull()
    await expect(kept.history.byId('a')).rejects.toThrow('timeout')
    await vi.waitFor(() => expect(log.error).toHaveBeenCalled(), WAIT)
    expect(await lag()).toBe(2)
    await kept.stop()
    silent.close()
  })

  it('lets nobody change or delete an event, and shows what an owner did who could', async () => {
    const { kept } = await carry(journal)
    write(journal, 'a', 5)
    kept.stored()
    await vi.waitFor(async () => expect(await idsIn(kept)).toHaveLength(5), WAIT)
    for (const statement of [
      "UPDATE starling.events SET summary = 'as I like it'",
      'DELETE FROM starling.events',
      'TRUNCATE starling.events',
      'UPDATE starling.heads SET seq = 1',
    ]) {
      await expect(sql(statement)).rejects.toThrow('append-only')
    }
    await sql(`ALTER TABLE starling.events DISABLE TRIGGER USER;
      UPDATE starling.events SET summary = 'as I like it' WHERE seq = 3`)
    const { trail } = openPostgres({ url, passwordFile: server.passwordFile })
    const result = await checkTrail(trail, { mesh: MESH, signers: new Set([(await signer).peerId]) })
    expect(result).toMatchObject({ holds: false, misfit: { what: 'altered', seq: 3, id: 'a-2' } })
  })

  it('carries on a history of the first schema', async () => {
    await sql(`CREATE SCHEMA starling; CREATE TABLE starling.schema (version int NOT NULL);
      ${POSTGRES_MIGRATIONS[0]} INSERT INTO starling.schema VALUES (1)`)
    const { kept, lag } = await carry(journal)
    write(journal, 'a', 2)
    kept.stored()
    await vi.waitFor(async () => expect(await lag()).toBe(0), WAIT)
    expect(await idsIn(kept)).toEqual(['a-0', 'a-1'])
    expect(await kept.storeName?.()).toMatch(/^[0-9a-f]{32}$/)
  })

  it('refuses a schema of a newer version, and leaves it alone', async () => {
    const first = openPostgres({ url, passwordFile: server.passwordFile })
    await first.append([event('a')])
    await first.close()
    await sql('INSERT INTO starling.schema VALUES (99)')
    const next = openPostgres({ url, passwordFile: server.passwordFile })
    await expect(next.append([event('b')])).rejects.toThrow('newer version')
    await next.close()
    expect((await sql('SELECT count(*) FROM starling.events')).rows).toEqual([{ count: '1' }])
  })
}
