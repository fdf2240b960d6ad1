/** In the folder given as argument, which is small: writes until there is no room, makes some, goes on, and prints how it went. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkTrail } from '../../aggregator/audit/walk.ts'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import { event } from '../aggregator/event.ts'

const folder = process.argv[2] ?? ''
const filler = join(folder, 'filler')
const journal = openJournal(join(folder, 'history.sqlite'))
writeFileSync(filler, Buffer.alloc(2 * 1024 * 1024))

/** Twenty, of which nothing can be packed. */
function page(number: number) {
  const noise = (n: number) =>
    Array.from({ length: 90 }, (_, at) => Math.imul(n * 90 + at + 1, 0x9e3779b1).toString(36))
  return Array.from({ length: 20 }, (_, n) => event(`${number}-${n}`, { summary: noise(number * 20 + n).join('') }))
}

let [pages, error] = [0, '']
while (error === '' && pages < 1_000) {
  await journal.history.append(page(pages)).then(
    () => pages++,
    (cause: Error) => {
      error = cause.message
    },
  )
}
let refused = ''
try {
  for (let n = 0; n < 1_000 && refused === ''; n++) journal.append(page(10_000 + n)[0] as never)
} catch (cause) {
  refused = (cause as Error).message
}
const half = page(pages).filter(({ id }) => journal.byId(id) !== null).length
rmSync(filler)
const after = (await journal.history.append(page(pages))).length
const lost = Array.from({ length: pages }, (_, n) => page(n))
  .flat()
  .filter(({ id }) => journal.byId(id) === null).length
const { holds } = await checkTrail(journal.trail, { mesh: 'test', signers: new Set() })
process.stdout.write(JSON.stringify({ wrote: pages > 0, error, refused, half, after, lost, holds }))
journal.close()
