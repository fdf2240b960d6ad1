import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MIGRATIONS } from '../../aggregator/store/migrations.ts'
import { openDatabase } from '../../aggregator/store/open.ts'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import { StarlingError } from '../../common/errors.ts'
import { event } from './event.ts'
import { storeConformance } from './store-conformance.ts'

storeConformance('SQLite', () => {
  const directory = mkdtempSync(join(tmpdir(), 'starling-store-'))
  const file = join(directory, 'history.db')
  return {
    open: () => openJournal(file),
    writer: () => [fileURLToPath(new URL('./sqlite-writer.ts', import.meta.url)), file],
    clean: () => rmSync(directory, { recursive: true }),
  }
})

describe('a SQLite history', () => {
  let directory: string
  let file: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'starling-store-'))
    file = join(directory, 'history.db')
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  it('creates missing directories', () => {
    const deep = join(directory, 'a', 'b', 'history.db')
    openJournal(deep).close()
    expect(readdirSync(join(directory, 'a', 'b'))).toEqual(['history.db'])
  })

  it('commits with a write-ahead log that is flushed each time, and is stamped as ours', () => {
    const store = openJournal(file)
    store.append(event('a'))
    const seen = new DatabaseSync(file, { readOnly: true })
    expect(seen.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
    expect(seen.prepare('PRAGMA user_version').get()).toEqual({ user_version: MIGRATIONS.length })
    expect(seen.prepare('SELECT seq FROM events').all()).toEqual([{ seq: 1 }])
    seen.close()
    store.close()
    // This one is known to the connection alone.
    const database = openDatabase(file)
    const FULL = 2
    expect(database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: FULL })
    database.close()
  })

  it('refuses to change or delete an event, whoever asks', () => {
    const store = openJournal(file)
    store.append(event('a', { summary: 'as it was' }))
    const intruder = new DatabaseSync(file)
    expect(() => intruder.exec('UPDATE events SET node = 1')).toThrow('append-only')
    expect(() => intruder.exec('DELETE FROM events')).toThrow('append-only')
    intruder.close()
    expect(store.byId('a')?.summary).toBe('as it was')
    store.close()
  })

  /** Every file in the directory with its bytes, to see that a refused history was not touched. */
  const contents = () =>
    readdirSync(directory).map((name) => [name, readFileSync(join(directory, name)).toString('base64')])

  function refusal(): StarlingError {
    try {
      openJournal(file).close()
    } catch (error) {
      if (error instanceof StarlingError) return error
      throw error
    }
    throw new Error('the store opened')
  }

  it.each([
    ['a text file', 'this is no database\n'.repeat(100)],
    ['a file shorter than a header', 'SQLite format 3\0'],
  ])('refuses %s, names it, and leaves it alone', (_, text) => {
    writeFileSync(file, text)
    const before = contents()
    const error = refusal()
    expect(error.message).toContain(file)
    expect(error.message).toContain('not a SQLite database')
    expect(error.remedy).toContain('move it aside')
    expect(contents()).toEqual(before)
  })

  it("refuses another program's database", () => {
    const other = new DatabaseSync(file)
    other.exec('CREATE TABLE recipes (name TEXT)')
    other.close()
    const before = contents()
    expect(refusal().message).toContain('database of another program')
    expect(contents()).toEqual(before)
  })

  it('refuses a damaged history and leaves its bytes alone', () => {
    const store = openJournal(file)
    for (let n = 0; n < 300; n++) store.append(event(`e${n}`, { data: { filler: 'x'.repeat(200) } }))
    store.close()
    const bytes = readFileSync(file)
    bytes.fill(0xff, 8192, 8192 + 4096)
    writeFileSync(file, bytes)
    const error = refusal()
    expect(error.message).toContain('damaged')
    expect(error.message).toContain(file)
    expect(readFileSync(file).equals(bytes)).toBe(true)
  })

  it('refuses a history that was cut short', () => {
    const store = openJournal(file)
    for (let n = 0; n < 300; n++) store.append(event(`e${n}`, { data: { filler: 'x'.repeat(200) } }))
    store.close()
    truncateSync(file, 12_288)
    expect(refusal().message).toContain('damaged')
  })

  it('refuses a history of a newer version', () => {
    openJournal(file).close()
    const newer = new DatabaseSync(file)
    newer.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`)
    newer.close()
    expect(refusal().message).toContain('newer version')
  })

  it('says what is wrong when the file cannot be opened', () => {
    mkdirSync(file)
    const error = refusal()
    expect(error.message).toContain(file)
    expect(error.remedy).toContain('writable')
  })
})
