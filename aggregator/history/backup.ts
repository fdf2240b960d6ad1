/**
 * A copy of a history's file while an aggregator writes to it: whole, of one moment, and ready to be started with. It is a
 * history of its own from there on: what comes has numbers that were given to other events in the first one.
 */
import { existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { messageOf, StarlingError, UsageError } from '../../common/errors.ts'
import { openReadOnly } from '../store/open.ts'
import { JOURNAL_NAME, STORE_NAME } from '../store/store-name.ts'

/** Pages at once; between them the writer goes on. */
const PAGES_AT_ONCE = 1_000

/** `onProgress`: pages done, of how many. Throws a UsageError when `target` exists, and a StarlingError when it cannot be written. */
export async function backUp(
  source: string,
  target: string,
  onProgress: (done: number, of: number) => void = () => {},
): Promise<{ readonly bytes: number }> {
  if (existsSync(target))
    throw new UsageError(`${target} exists already`, 'name a file that does not, it becomes the copy')
  const database = openReadOnly(source)
  // Under its own name it is whole, whenever this ends.
  const part = `${target}.part`
  try {
    removePart(part)
    // All pages are of this moment: without it, each write of the aggregator would begin the copy anew (sqlite3_backup_step).
    database.exec('BEGIN; SELECT count(*) FROM chain')
    await backup(database, part, {
      rate: PAGES_AT_ONCE,
      progress: ({ totalPages, remainingPages }) => onProgress(totalPages - remainingPages, totalPages),
    })
    makeItsOwn(part)
    // What cannot be read is no copy.
    openReadOnly(part).close()
    renameSync(part, target)
    return { bytes: statSync(target).size }
  } catch (error) {
    throw new StarlingError(`cannot write the copy ${target}: ${messageOf(error)}`, {
      remedy: 'check that its directory is there, is writable and has room',
      cause: error,
    })
  } finally {
    database.close()
    removePart(part)
  }
}

/**
 * Whoever starts with the copy gives it names: cursors of the first history are refused and do not lead astray, and other
 * aggregators give it all that it lacks.
 */
function makeItsOwn(file: string): void {
  const database = new DatabaseSync(file)
  try {
    database.prepare('DELETE FROM facts WHERE key IN (?, ?)').run(STORE_NAME, JOURNAL_NAME)
    // One file, without a log beside it: whoever writes to it begins one.
    database.exec('PRAGMA journal_mode = DELETE')
  } finally {
    database.close()
  }
}

/** What a copy that failed leaves. That it cannot be removed, is told by what fails besides. */
function removePart(part: string): void {
  try {
    for (const end of ['', '-journal', '-wal', '-shm']) rmSync(part + end, { force: true })
  } catch {
    // As in a directory that nobody may write to.
  }
}
