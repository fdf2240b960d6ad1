/** The history as a file: of every released schema, damaged, copied while it is written, and killed. */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CHAIN_ROOT, linkHash } from '../../../aggregator/audit/chain.ts'
import { checkTrail } from '../../../aggregator/audit/walk.ts'
import { backUp } from '../../../aggregator/history/backup.ts'
import { storePart } from '../../../aggregator/history/config.ts'
import { damageNotice, openJournalOrNew } from '../../../aggregator/history/damage.ts'
import { storeName } from '../../../aggregator/http/cursor.ts'
import { APPLICATION_ID, MIGRATIONS } from '../../../aggregator/store/migrations.ts'
import { openJournal } from '../../../aggregator/store/sqlite.ts'
import { JOURNAL_NAME } from '../../../aggregator/store/store-name.ts'
import { silentLog } from '../../../common/log.ts'
import { MESH, signerOf } from '../audit/tampered.ts'
import { event } from '../event.ts'

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'starling-file-'))
  file = join(directory, 'history.sqlite')
})
afterEach(() => rmSync(directory, { recursive: true }))

const signer = await signerOf('aggregator-1')
const check = (journal: ReturnType<typeof openJournal>) => {
  return checkTrail(journal.trail, { mesh: MESH, signers: new Set([signer.peerId]) })
}

describe('a file of a released schema', () => {
  const nasty = `half of it ' -- 漢字 \r\n`
  const old = [
    event('a', { summary: nasty, node: 'node-1', data: { nasty } }),
    event('b', { at: 'then', causedBy: 'a', kind: 'verdict', tone: 'bad', node: '' }),
    event('c', { at: '2026-01-02T03:04:05Z' }),
  ]

  /** As a version with so many steps left it. */
  function make(version: number): void {
    const database = new DatabaseSync(file)
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA journal_mode = WAL`)
    for (const step of MIGRATIONS.slice(0, version)) database.exec(step)
    database.exec(`PRAGMA user_version = ${version}; INSERT INTO facts VALUES ('term', '7')`)
    let before = CHAIN_ROOT
    for (const [index, { id, at, kind, node, tone, summary, causedBy, data }] of old.entries()) {
      const row = { seq: index + 1, id, at, kind, node, tone, summary, causedBy, data: JSON.stringify(data) }
      before = linkHash(before, row)
      const values = [row.seq, id, at, kind, node, tone, summary, causedBy, row.data, ...(version > 1 ? [before] : [])]
      database.prepare(`INSERT INTO events VALUES (${values.map(() => '?').join(', ')})`).run(...values)
    }
    database.close()
  }

  it.each([1, 2])('is carried on: schema %i', async (version) => {
    make(version)
    let journal = openJournal(file)
    expect(journal.query({ limit: 10 })).toEqual(old.map((each, index) => ({ ...each, seq: index + 1 })))
    expect(journal.byId('b')?.at).toBe('then')
    expect(journal.readFact('term')).toBe('7')
    expect(journal.append(event('a'))).toBeNull()
    expect(journal.append(event('d'))?.seq).toBe(4)
    const [from, until] = ['2026-01-02T03:04:05Z', '2026-01-02T03:04:06Z']
    const found = await journal.history.query({ limit: 10, from, until })
    expect(found.map(({ id }) => id)).toEqual(['a', 'c', 'd'])
    const held = version === 1 ? { first: 4, checked: 1, earlier: 3 } : { first: 1, checked: 4, earlier: 0 }
    expect(await check(journal)).toMatchObject({ holds: true, ...held })
    journal.close()
    journal = openJournal(file)
    expect(await check(journal)).toMatchObject({ holds: true, ...held })
    journal.close()
  })
})

it('of the third schema is carried on, and holds records for a history elsewhere', async () => {
  const before = openJournal(file)
  before.append(event('a'))
  before.close()
  const database = new DatabaseSync(file)
  database.exec('DROP TABLE held; PRAGMA user_version = 3')
  database.close()
  const journal = openJournal(file)
  expect(journal.append(event('b'))?.seq).toBe(2)
  journal.held.hold({ kind: 'hours', hours: [] })
  expect(journal.held.waiting(0)).toBe(1)
  expect(await check(journal)).toMatchObject({ holds: true, checked: 2 })
  journal.close()
})

describe('a damaged file', () => {
  const log = { ...silentLog, error: vi.fn() }
  function damage(): Buffer {
    const journal = openJournal(file)
    for (let n = 0; n < 400; n++)
      journal.append(event(`e${n}`, { summary: `${n}-${'x'.repeat(200)}-${Math.imul(n, 0x9e3779b1)}` }))
    journal.close()
    const bytes = readFileSync(file)
    bytes.fill(0xff, 12_288, 12_288 + 16_384)
    writeFileSync(file, bytes)
    return bytes
  }

  it('is kept aside, whole, and a new one is begun, which says so', () => {
    const bytes = damage()
    writeFileSync(`${file}-wal`, 'what was not written yet')
    const journal = openJournalOrNew(storePart.parse({ path: file }), log)
    expect(log.error).toHaveBeenCalledOnce()
    const aside = readdirSync(directory).filter((name) => name.includes('.damaged-'))
    expect(aside.map((name) => name.replace(/\d{8}T\d{9}Z/, 'TIME')).sort()).toEqual([
      'history.sqlite.damaged-TIME',
      'history.sqlite.damaged-TIME-shm',
      'history.sqlite.damaged-TIME-wal',
    ])
    expect(readFileSync(join(directory, aside.find((name) => name.endsWith('Z')) ?? '')).equals(bytes)).toBe(true)
    expect(journal.query({ limit: 10 })).toMatchObject([{ kind: 'damaged', tone: 'act' }])
    expect(damageNotice(journal, Date.now())).toContain('history.sqlite.damaged-')
    expect(damageNotice(journal, Date.now() + 8 * 86_400_000)).toBe('')
    journal.close()
  })

  it('is left where it is, if that is wanted', () => {
    const bytes = damage()
    expect(() => openJournalOrNew(storePart.parse({ path: file, onDamage: 'refuse' }), log)).toThrow('damaged')
    expect(readFileSync(file).equals(bytes)).toBe(true)
  })

  it('is told by its stamp when only its beginning is overwritten', () => {
    openJournal(file).close()
    const bytes = readFileSync(file)
    bytes.fill(0, 0, 60)
    writeFileSync(file, bytes)
    const journal = openJournalOrNew(storePart.parse({ path: file }), log)
    expect(journal.query({ limit: 1 })[0]?.kind).toBe('damaged')
    journal.close()
  })

  it('is not one that belongs to somebody else', () => {
    writeFileSync(file, 'a letter\n'.repeat(100))
    expect(() => openJournalOrNew(storePart.parse({ path: file }), log)).toThrow('not a SQLite database')
    expect(readdirSync(directory)).toEqual(['history.sqlite'])
  })
})

it('is copied while it is written, and an aggregator can start with the copy', async () => {
  const journal = openJournal(file)
  for (let n = 0; n < 300; n++) journal.append(event(`e${n}`))
  journal.writeFact('term', '7')
  journal.trail.seal(signer)
  const name = storeName(journal, 'aggregator-1')
  journal.writeFact(JOURNAL_NAME, 'the first')
  const copy = join(directory, 'copy.sqlite')
  const copying = backUp(file, copy)
  journal.append(event('meanwhile'))
  await copying
  expect(readdirSync(directory).filter((each) => each.startsWith('copy'))).toEqual(['copy.sqlite'])
  const restored = openJournal(copy)
  expect(await check(restored)).toMatchObject({ holds: true, heads: 1 })
  expect(restored.readFact('term')).toBe('7')
  expect(restored.byId('e299')).not.toBeNull()
  // What comes now has numbers that other events had: cursors of before are of another history.
  expect(storeName(restored, 'aggregator-1')).not.toBe(name)
  expect(storeName(journal, 'aggregator-1')).toBe(name)
  // The other aggregator gives it everything, and holds it for no journal that it knows.
  expect(restored.readFact(JOURNAL_NAME)).toBeNull()
  restored.close()
  await expect(backUp(file, copy)).rejects.toThrow('exists already')
  await expect(backUp(join(directory, 'none'), join(directory, 'x'))).rejects.toThrow('there is no history')
  expect(existsSync(join(directory, 'x'))).toBe(false)
  journal.close()
})

it('leaves nothing that looks like a copy when it fails on the way', async () => {
  const journal = openJournal(file)
  journal.appendAll(Array.from({ length: 3_000 }, (_, n) => event(`e${n}`)))
  const copy = join(directory, 'copy.sqlite')
  // No file of this process may grow beyond 128 blocks of 512 bytes.
  const script = 'ulimit -f 128 && exec "$0" --input-type=module --eval "$1" "$2" "$3" "$4"'
  const program =
    'const [of, from, to] = process.argv.slice(1); const { backUp } = await import(of); await backUp(from, to)'
  const of = new URL('../../../aggregator/history/backup.ts', import.meta.url).href
  const args = ['-c', script, process.execPath, program, of, file, copy]
  const { status, stderr } = spawnSync('sh', args, { encoding: 'utf8', timeout: 20_000 })
  expect([status, stderr]).toEqual([1, expect.stringContaining('cannot write the copy')])
  expect(readdirSync(directory).filter((each) => each.startsWith('copy'))).toEqual([])
  await backUp(file, copy)
  expect(existsSync(copy)).toBe(true)
  journal.close()
})

it('is copied in one go of many steps, whatever is written between them', async () => {
  const journal = openJournal(file)
  const noise = () => randomBytes(3_000).toString('base64')
  journal.appendAll(Array.from({ length: 3_000 }, (_, n) => event(`e${n}`, { summary: noise() })))
  const steps: number[] = []
  await backUp(file, join(directory, 'copy.sqlite'), (done) => {
    steps.push(done)
    // It would begin anew each time, and never end.
    if (steps.length < 20) journal.append(event(`between-${steps.length}`))
  })
  expect(steps.length).toBeGreaterThan(2)
  expect(steps).toEqual(steps.toSorted((a, b) => a - b))
  const restored = openJournal(join(directory, 'copy.sqlite'))
  expect([restored.byId('e2999') === null, restored.byId('between-1')]).toEqual([false, null])
  restored.close()
  journal.close()
})

it('has each acknowledged page of events after its writer was killed with SIGKILL', async () => {
  const program = fileURLToPath(new URL('./history-writer.ts', import.meta.url))
  const writer = spawn(process.execPath, [program, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(writer, 'exit')
  const acknowledged: string[] = []
  for await (const line of createInterface({ input: writer.stdout })) {
    acknowledged.push(...line.split(' '))
    if (acknowledged.length >= 100) writer.kill('SIGKILL')
  }
  expect(await exited).toEqual([null, 'SIGKILL'])
  const journal = openJournal(file)
  for (const id of acknowledged) expect(journal.byId(id)).not.toBeNull()
  expect(await check(journal)).toMatchObject({ holds: true })
  journal.close()
})
