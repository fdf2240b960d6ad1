/** Notices when the journal cannot be written, as on a full disk, and when it can again: what was heard meanwhile is asked for. */
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { SqliteJournal } from './sqlite.ts'

export interface WatchedJournal extends SqliteJournal {
  /** Calls back once it can be written again, with since when it could not, RFC 3339. */
  onWrittenAgain(listener: (since: string) => void): void
}

/** The same journal. What it throws, it still throws. */
export function watchWrites(journal: SqliteJournal, log: Log, now = () => new Date().toISOString()): WatchedJournal {
  const listeners: ((since: string) => void)[] = []
  let failingSince: string | undefined
  let depth = 0

  function watched<T>(write: () => T): T {
    depth++
    try {
      const written = write()
      // Within a transaction nothing is on disk yet.
      if (failingSince !== undefined && depth === 1) {
        const since = failingSince
        failingSince = undefined
        log.info({ since }, 'the history is written again')
        for (const listener of listeners) listener(since)
      }
      return written
    } catch (error) {
      if (failingSince === undefined) {
        failingSince = now()
        const remedy = 'free space on its disk: nodes keep what they say for a day, and it is asked for then'
        log.error({ err: messageOf(error), remedy }, 'the history cannot be written')
      }
      throw error
    } finally {
      depth--
    }
  }

  return {
    ...journal,
    append: (event) => watched(() => journal.append(event)),
    appendAll: (events) => watched(() => journal.appendAll(events)),
    together: (work) => watched(() => journal.together(work)),
    writeFact: (key, value) => watched(() => journal.writeFact(key, value)),
    onWrittenAgain: (listener) => void listeners.push(listener),
  }
}
