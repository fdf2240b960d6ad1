/** The way to a PostgreSQL: connections, transactions, and its schema made ready before the first use. Nothing waits for ever. */
import { readFile } from 'node:fs/promises'
import pg from 'pg'
import { messageOf, StarlingError, UsageError } from '../../../common/errors.ts'
import { POSTGRES_MIGRATIONS } from './migrations.ts'

/** A server that is not there is known by then, ms. */
const CONNECT_WITHIN_MS = 5_000
/** One that hangs is, too: no statement here works for longer. */
const ANSWER_WITHIN_MS = 30_000
const CONNECTIONS_MAX = 4
/** Advisory locks are numbers that all users of a database share: "STRL", and what for. */
const MIGRATING = 0x5354524c_01
const APPENDING = 0x5354524c_02

export interface PostgresAccess {
  /** Without a password. */
  readonly url: string
  /** Read anew for each connection; without it the file that PGPASSFILE names is asked. */
  readonly passwordFile?: string | undefined
  /** For whoever only reads: no schema is made there, or brought to a newer version. */
  readonly isReadOnly?: boolean
}

export type Row = Record<string, unknown>

export interface Session {
  rows(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>
}

export class PostgresServer implements Session {
  readonly #pool: pg.Pool
  readonly #prepare: (session: Session) => Promise<void>
  #ready: Promise<void> | undefined

  constructor({ url, passwordFile, isReadOnly = false }: PostgresAccess) {
    this.#prepare = isReadOnly ? requireSchema : migrate
    this.#pool = new pg.Pool({
      connectionString: url,
      ...(passwordFile === undefined ? {} : { Client: clientWith(passwordFile) }),
      max: CONNECTIONS_MAX,
      connectionTimeoutMillis: CONNECT_WITHIN_MS,
      query_timeout: ANSWER_WITHIN_MS,
      statement_timeout: ANSWER_WITHIN_MS,
      keepAlive: true,
      allowExitOnIdle: true,
      application_name: 'starling',
    })
    // One that idles and is lost is replaced at the next use; without a listener it would end the process.
    this.#pool.on('error', () => {})
  }

  /** Rejects with a StarlingError when the server is away, hangs or refuses. */
  async rows(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    try {
      await this.#made()
      return (await this.#pool.query(sql, [...values])).rows as Row[]
    } catch (error) {
      this.#lookAtSchema(error)
      throw isOurMistake(error) ? error : unavailable(error)
    }
  }

  /** What `act` did is there when it resolves, or none of it when it rejects. */
  async inTransaction<T>(act: (session: Session) => Promise<T>): Promise<T> {
    await this.#made()
    try {
      return await this.#within(act)
    } catch (error) {
      this.#lookAtSchema(error)
      throw error
    }
  }

  /** Once more does nothing. */
  async close(): Promise<void> {
    if (!this.#pool.ended) await this.#pool.end()
  }

  /** Once; anew after it failed. */
  async #made(): Promise<void> {
    this.#ready ??= this.#within(this.#prepare)
    try {
      await this.#ready
    } catch (error) {
      this.#ready = undefined
      throw error
    }
  }

  /** A database that was made anew, or set back to before a step, lacks what is asked for: it is made ready at the next use. */
  #lookAtSchema(error: unknown): void {
    if (error instanceof pg.DatabaseError && SCHEMA_GONE.has(error.code ?? '')) this.#ready = undefined
  }

  async #within<T>(act: (session: Session) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    // What is lost in between is told by the next query.
    const ignore = () => {}
    client.on('error', ignore)
    let failure: Error | undefined
    try {
      await client.query('BEGIN')
      const result = await act({
        rows: async (sql, values = []) => (await client.query(sql, [...values])).rows as Row[],
      })
      await client.query('COMMIT')
      return result
    } catch (error) {
      // The connection goes, and with it whatever it had begun: it may be one that hangs.
      failure = error instanceof Error ? error : new Error(messageOf(error))
      throw failure
    } finally {
      client.off('error', ignore)
      client.release(failure)
    }
  }
}

/** One writer at a time gives places, of all aggregators. Until the end of the transaction. */
export async function lockChain(session: Session): Promise<void> {
  await session.rows('SELECT pg_advisory_xact_lock($1)', [APPENDING])
}

/** A password beside a URL would be passed over: what the URL says, here nothing, counts. */
function clientWith(passwordFile: string): new () => pg.Client {
  return class extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super(config)
      Object.assign(this, { password: async () => (await readFile(passwordFile, 'utf8')).trim() })
    }
  }
}

/** SQLSTATE of a table, a schema and a column that are not there (PostgreSQL manual, appendix A). */
const SCHEMA_GONE = new Set(['42P01', '3F000', '42703'])

/** Classes of SQLSTATE: 22 data, 23 constraints, 42 syntax and names (PostgreSQL manual, appendix A). */
function isOurMistake(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(22|23|42)/.test(error.code ?? '')
}

function unavailable(error: unknown): StarlingError {
  if (error instanceof StarlingError) return error
  const remedy = 'nothing is lost meanwhile: see docs/history.md, PostgreSQL'
  return new StarlingError(`the history in PostgreSQL cannot be asked: ${messageOf(error)}`, { remedy, cause: error })
}

/** Two aggregators that start at once take turns. */
async function migrate(session: Session): Promise<void> {
  await session.rows('SELECT pg_advisory_xact_lock($1)', [MIGRATING])
  await session.rows('CREATE SCHEMA IF NOT EXISTS starling')
  await session.rows('CREATE TABLE IF NOT EXISTS starling.schema (version int NOT NULL)')
  const version = await versionIn(session)
  for (const [index, step] of POSTGRES_MIGRATIONS.entries()) {
    if (index < version) continue
    await session.rows(step)
    await session.rows('INSERT INTO starling.schema VALUES ($1)', [index + 1])
  }
}

async function requireSchema(session: Session): Promise<void> {
  const [there] = await session.rows("SELECT to_regclass('starling.schema') IS NOT NULL AS made")
  if (there?.made !== true) throw new UsageError('there is no history in this PostgreSQL')
  const version = await versionIn(session)
  if (version === POSTGRES_MIGRATIONS.length) return
  throw new StarlingError('the history in PostgreSQL was written by an older version of Starling', {
    remedy: `use that version, or let an aggregator of this one carry it on (schema ${version}, this version reads ${POSTGRES_MIGRATIONS.length})`,
  })
}

/** Throws a StarlingError when it is newer than this program. */
async function versionIn(session: Session): Promise<number> {
  const version = Number((await session.rows('SELECT max(version) AS version FROM starling.schema'))[0]?.version ?? 0)
  const newest = POSTGRES_MIGRATIONS.length
  if (version <= newest) return version
  throw new StarlingError('the history in PostgreSQL was written by a newer version of Starling', {
    remedy: `use that version, or another database (schema ${version}, this version knows ${newest})`,
  })
}
