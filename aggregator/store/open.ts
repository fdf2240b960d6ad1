/**
 * Opening the history's file. Everything that could be wrong with it is found before the first write, so that a file
 * that is damaged, is not ours, or was written by a newer version is left exactly as it was.
 */
import { closeSync, mkdirSync, openSync, readSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { messageOf, StarlingError, UsageError } from '../../common/errors.ts'
import { defineFunctions } from './functions.ts'
import { APPLICATION_ID, MIGRATIONS } from './migrations.ts'

const HEADER_BYTES = 100
const MAGIC = 'SQLite format 3\0'
const APPLICATION_ID_OFFSET = 68
/** How long a write waits for another process (a backup, a reader) that holds the file, ms. */
const BUSY_TIMEOUT_MS = 5_000

/**
 * A database at the newest schema, every transaction of which is on disk when it returns. Creates the file and its
 * directory when missing. Throws StarlingError, naming the file and what to do, when the file cannot be used.
 */
export function openDatabase(file: string): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    mkdirSync(dirname(file), { recursive: true })
    if (checkHeader(file) === 'ours') checkContent(file)
    database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS })
    // The mark goes in first, while the journal is still a rollback journal: it is then in the file itself, where
    // checkHeader looks for it, even when the process dies right after.
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
    database.exec('PRAGMA journal_mode = WAL')
    // FULL flushes the write-ahead log on each commit: an acknowledged event survives a power cut, too.
    database.exec('PRAGMA synchronous = FULL')
    // Without this, INSERT OR REPLACE would delete rows behind the back of the trigger that forbids it.
    database.exec('PRAGMA recursive_triggers = ON')
    migrate(database)
    return database
  } catch (error) {
    database?.close()
    if (error instanceof StarlingError) throw error
    throw new StarlingError(`cannot open the history in ${file}: ${messageOf(error)}`, {
      remedy: 'check that the directory is writable and the disk is not full',
      cause: error,
    })
  }
}

/** As it is, for whoever only reads. Throws StarlingError when there is none, or it is of a version without a chain. */
export function openReadOnly(file: string): DatabaseSync {
  const database = openAsItIs(file)
  const version = schemaVersion(database)
  if (version === MIGRATIONS.length) return database
  database.close()
  const remedy = `its schema is ${version}, this version reads ${MIGRATIONS.length}: an aggregator of it makes it so when it opens it`
  throw new StarlingError(`the history in ${file} has no chain that this version of Starling knows`, { remedy })
}

function openAsItIs(file: string): DatabaseSync {
  try {
    if (checkHeader(file) === 'new') throw new UsageError(`there is no history in ${file}`)
    const database = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
    // What it may not read shows only now.
    schemaVersion(database)
    return database
  } catch (error) {
    if (error instanceof StarlingError) throw error
    throw new StarlingError(`cannot read the history in ${file}: ${messageOf(error)}`, {
      remedy: 'run this as the user that the aggregator runs as, or as root',
      cause: error,
    })
  }
}

/** Reads the header as plain bytes, since even opening a foreign database could write to it. */
function checkHeader(file: string): 'new' | 'ours' {
  const header = readHeader(file)
  if (header.length === 0) return 'new'
  const isStamped = header.length >= HEADER_BYTES && header.readUInt32BE(APPLICATION_ID_OFFSET) === APPLICATION_ID
  if (isStamped && header.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    throw unusable(file, 'it is damaged (its beginning is not that of a SQLite database)', true)
  }
  if (header.length < HEADER_BYTES || header.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    throw unusable(file, 'it is not a SQLite database, or its beginning is damaged')
  }
  if (!isStamped) {
    throw unusable(file, 'it is a database of another program')
  }
  return 'ours'
}

function readHeader(file: string): Buffer {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
  try {
    const header = Buffer.alloc(HEADER_BYTES)
    return header.subarray(0, readSync(descriptor, header, 0, HEADER_BYTES, 0))
  } finally {
    closeSync(descriptor)
  }
}

/** Read-only, since the last writer to close a database rewrites it from its log, which would spread the damage. */
function checkContent(file: string): void {
  let problem: string
  let version: number
  try {
    const database = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
    try {
      problem = String(database.prepare('PRAGMA quick_check(1)').get()?.quick_check)
      version = schemaVersion(database)
    } finally {
      database.close()
    }
  } catch (error) {
    throw unusable(file, `it is damaged (${messageOf(error)})`, true)
  }
  if (problem !== 'ok') throw unusable(file, `it is damaged (${problem})`, true)
  if (version > MIGRATIONS.length) {
    throw new StarlingError(`the history in ${file} was written by a newer version of Starling`, {
      remedy: `use that version, or start a new history with another file (schema ${version}, this version knows ${MIGRATIONS.length})`,
    })
  }
}

function migrate(database: DatabaseSync): void {
  defineFunctions(database)
  for (let version = schemaVersion(database); version < MIGRATIONS.length; version++) {
    database.exec(`BEGIN IMMEDIATE; ${MIGRATIONS[version]} PRAGMA user_version = ${version + 1}; COMMIT;`)
  }
}

function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version)
}

/** The file is of no use to anybody any more, unless to whoever mends it: it is not that it belongs to somebody else. */
export class DamagedHistory extends StarlingError {
  override name = 'DamagedHistory'
}

function unusable(file: string, why: string, isDamage = false): StarlingError {
  const Kind = isDamage ? DamagedHistory : StarlingError
  return new Kind(`cannot use ${file} as history: ${why}; it was left as it is`, {
    remedy: `move it aside (with ${file}-wal and ${file}-shm, if there) and start again with a new one, or restore a backup`,
  })
}
