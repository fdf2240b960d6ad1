/** Appends events to the file given as argument until it is killed, printing the seq of each once it is acknowledged. */
import { writeSync } from 'node:fs'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import { event } from './event.ts'

const store = openJournal(process.argv[2] ?? '')
for (let n = 0; ; n++) {
  const stored = store.append(event(`written-${n}`, { data: { filler: 'x'.repeat(500) } }))
  // Synchronous, so that a line that was printed was printed after the append had returned.
  writeSync(1, `${stored?.seq}\n`)
}
