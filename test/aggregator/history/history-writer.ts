/** Appends pages of events to the file given as argument until it is killed, printing the ids of each page once it is acknowledged. */
import { writeSync } from 'node:fs'
import { openJournal } from '../../../aggregator/store/sqlite.ts'
import { event } from '../event.ts'

const { history } = openJournal(process.argv[2] ?? '')
for (let page = 0; ; page++) {
  const events = Array.from({ length: 20 }, (_, n) => event(`page-${page}-${n}`))
  const stored = await history.append(events)
  // Synchronous, so that a line that was printed was printed after the append had resolved.
  writeSync(1, `${stored.map(({ id }) => id).join(' ')}\n`)
}
