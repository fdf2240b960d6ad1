/** A journal that is damaged is kept aside and a new one is begun: nodes are marked also by an aggregator that has forgotten. */
import { randomUUID } from 'node:crypto'
import { existsSync, renameSync } from 'node:fs'
import type { Log } from '../../common/log.ts'
import type { Journal } from '../event-model.ts'
import { DamagedHistory } from '../store/open.ts'
import { openJournal, type SqliteJournal } from '../store/sqlite.ts'
import type { StoreConfig } from './config.ts'

/** So long people are told on the page. */
const TOLD_FOR_MS = 7 * 86_400_000

/** For the page: what was said when a damaged history was kept aside, if that was lately; else empty. */
export function damageNotice(journal: Pick<Journal, 'query'>, nowMs: number): string {
  const [event] = journal.query({ kinds: ['damaged'], limit: 1 })
  return event !== undefined && nowMs - Date.parse(event.at) < TOLD_FOR_MS ? event.summary : ''
}

/** As `openJournal`, but for a damaged file, unless the configuration says to refuse it: then, too, it throws a StarlingError. */
export function openJournalOrNew({ path, onDamage }: StoreConfig, log: Log): SqliteJournal {
  try {
    return openJournal(path)
  } catch (error) {
    if (!(error instanceof DamagedHistory) || onDamage === 'refuse') throw error
    const at = new Date().toISOString()
    const aside = `${path}.damaged-${at.replaceAll(/[-:.]/g, '')}`
    // The log first: left beside a new file it would be taken for that one's.
    for (const end of ['-wal', '-shm', '']) if (existsSync(path + end)) renameSync(path + end, aside + end)
    log.error({ aside, err: error.message }, 'history damaged: kept aside, and a new one was begun')
    const journal = openJournal(path)
    journal.append({
      id: `damaged/${randomUUID()}`,
      at,
      kind: 'damaged',
      node: '',
      tone: 'act',
      summary: `the history was damaged: it was kept as ${aside}, and a new one begins here`,
      causedBy: '',
      data: { aside, why: error.message },
    })
    return journal
  }
}
