/** The trail of a history in a file, read and never written: also beside an aggregator that writes it, or from a copy. */
import type { DatabaseSync } from 'node:sqlite'
import { ExitCode, messageOf, StarlingError } from '../../common/errors.ts'
import type { Trail } from '../audit/trail.ts'
import { openReadOnly } from './open.ts'
import { trailOf } from './trail.ts'

/**
 * All that `look` is given is of one moment. Throws StarlingError when the file is no history with a chain, or, as a
 * problem, when it is damaged beyond reading.
 */
export async function withTrailIn<T>(file: string, look: (trail: Trail) => Promise<T>): Promise<T> {
  const database = openReadOnly(file)
  try {
    database.exec('BEGIN')
    return await look(trailOf(database))
  } catch (error) {
    throw asDamage(file, error)
  } finally {
    close(database)
  }
}

function asDamage(file: string, error: unknown): unknown {
  if ((error as { code?: unknown }).code !== 'ERR_SQLITE_ERROR') return error
  return new StarlingError(`the history in ${file} cannot be read to its end: ${messageOf(error)}`, {
    remedy: 'compare it with a backup, or with what `starling audit export` wrote',
    exitCode: ExitCode.problem,
    cause: error,
  })
}

function close(database: DatabaseSync): void {
  if (database.isOpen) database.close()
}
