/** A journal that is watched for a disk that takes nothing. */
import { expect, it } from 'vitest'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import { watchWrites } from '../../aggregator/store/write-watch.ts'
import { event } from './event.ts'
import { SILENT_LOG } from './serve-sample.ts'

it('is written again when it is on disk, not when a part of it could be', () => {
  const journal = openJournal(':memory:')
  let isFull = true
  // A full disk shows when a transaction ends: what is in it is in memory until then.
  const together = (work: () => void) => {
    journal.together(() => {
      work()
      if (isFull) throw new Error('database or disk is full')
    })
  }
  const said: string[] = []
  const log = {
    ...SILENT_LOG,
    info: (_: object, text: string) => void said.push(text),
    error: (_: object, text: string) => void said.push(text),
  }
  let minute = 0
  const watched = watchWrites({ ...journal, together }, log, () => `2026-03-01T12:0${minute++}:00Z`)
  const again: string[] = []
  watched.onWrittenAgain((since) => again.push(since))
  for (const id of ['a', 'b', 'c']) {
    expect(() => watched.together(() => void watched.append(event(id)))).toThrow('full')
  }
  expect([said, again]).toEqual([['the history cannot be written'], []])
  isFull = false
  watched.together(() => void watched.append(event('d')))
  expect(again).toEqual(['2026-03-01T12:00:00Z'])
  expect(said).toEqual(['the history cannot be written', 'the history is written again'])
  expect(journal.query({ limit: 9 }).map(({ id }) => id)).toEqual(['d'])
  journal.close()
})
