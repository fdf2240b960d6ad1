/** The chain in its store: begun by a migration, written with its event or not at all, and signed now and then. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { HeadSigner } from '../../../aggregator/audit/head.ts'
import { Sealing } from '../../../aggregator/audit/sealing.ts'
import { MIGRATIONS } from '../../../aggregator/store/migrations.ts'
import { keyOf } from '../../../aggregator/store/packing.ts'
import { openJournal } from '../../../aggregator/store/sqlite.ts'
import { silentLog } from '../../../common/log.ts'
import { event } from '../event.ts'
import { History, signerOf } from './tampered.ts'

let history: History
let signer: HeadSigner
beforeEach(async () => {
  history = new History()
  signer = await signerOf('aggregator-1')
})
afterEach(() => {
  vi.useRealTimers()
  history.clean()
})

/** As the version before the chain left it, with events 1 to 3, of which 2 never was. */
function downgrade(): void {
  history.store.close()
  rmSync(history.file)
  const old = new DatabaseSync(history.file)
  old.exec(`PRAGMA application_id = ${0x5354524c}; ${MIGRATIONS[0]} PRAGMA user_version = 1;`)
  for (const seq of [1, 3]) {
    old.exec(`INSERT INTO events VALUES (${seq}, 'old-${seq}', 'then', 'finding', 'node-1', 'bad', 'it was', '', '{}')`)
  }
  old.exec("INSERT INTO facts VALUES ('term', '7')")
  old.close()
  history.store = openJournal(history.file)
}

it('begins where a history from before it ends, of which nothing is lost', async () => {
  downgrade()
  expect(history.store.query({ limit: 10 }).map(({ seq, id }) => [seq, id])).toEqual([
    [1, 'old-1'],
    [3, 'old-3'],
  ])
  expect(history.store.readFact('term')).toBe('7')
  expect(history.store.trail.seal(signer)).toBeUndefined()
  expect(await history.check(signer)).toMatchObject({ holds: true, first: 4, checked: 0, earlier: 2, heads: 0 })
  history.store.append(event('new'))
  history.store.trail.seal(signer)
  expect(await history.check(signer)).toMatchObject({ holds: true, first: 4, checked: 1, earlier: 2, heads: 1 })
  history.store.close()
  history.store = openJournal(history.file)
  expect(await history.check(signer)).toMatchObject({ holds: true, first: 4, checked: 1 })
})

it('has no event without its link, and no link without its event, when storing fails in between', async () => {
  history.store.append(event('a'))
  const broken = new DatabaseSync(history.file)
  broken.exec(`CREATE TRIGGER breaks AFTER INSERT ON events WHEN NEW.key = ${keyOf('b')}
    BEGIN SELECT RAISE(ABORT, 'disk'); END`)
  broken.close()
  expect(() => history.store.append(event('b'))).toThrow('disk')
  expect(() => history.store.append(event('c', { data: { big: 1n } }))).toThrow('BigInt')
  expect(history.store.append(event('a'))).toBeNull()
  expect(history.store.append(event('d'))?.seq).toBe(2)
  expect(await history.check(signer)).toMatchObject({ holds: true, checked: 2 })
})

it('holds when another process wrote to the same file in between', async () => {
  const other = openJournal(history.file)
  for (const [store, id] of [[history.store, 'a'] as const, [other, 'b'] as const, [history.store, 'c'] as const]) {
    store.append(event(id))
  }
  other.close()
  expect(await history.check(signer)).toMatchObject({ holds: true, checked: 3 })
})

it('holds after its writer was killed with SIGKILL', async () => {
  const program = fileURLToPath(new URL('../sqlite-writer.ts', import.meta.url))
  const writer = spawn(process.execPath, [program, history.file], { stdio: ['ignore', 'pipe', 'inherit'] })
  let lines = 0
  for await (const chunk of writer.stdout) {
    lines += String(chunk).split('\n').length - 1
    if (lines >= 25) break
  }
  const exited = once(writer, 'exit')
  writer.kill('SIGKILL')
  await exited
  history.store.append(event('after the crash'))
  const result = await history.check(signer)
  expect(result).toMatchObject({ holds: true })
  expect(result.checked).toBeGreaterThan(25)
})

it('is signed after 100 events, after a minute in which something happened, and at the end', () => {
  vi.useFakeTimers()
  const sealing = new Sealing({ trail: history.store.trail, signer, log: silentLog })
  const heads = () => history.store.trail.signed(0).map(({ seq }) => seq)
  const write = (id: string) => {
    history.store.append(event(id))
    sealing.stored()
  }
  for (let n = 1; n < 100; n++) write(`e${n}`)
  expect(heads()).toEqual([])
  write('e100')
  expect(heads()).toEqual([100])
  vi.advanceTimersByTime(60_000)
  expect(heads()).toEqual([100])
  write('e101')
  vi.advanceTimersByTime(59_999)
  expect(heads()).toEqual([100])
  vi.advanceTimersByTime(1)
  expect(heads()).toEqual([100, 101])
  write('e102')
  sealing.stop()
  expect(heads()).toEqual([100, 101, 102])
})

it('says in the log that it cannot be signed, and goes on', () => {
  history.write(3, signer, [3])
  history.tamper("UPDATE events SET hash = 'x' WHERE seq = 3")
  const error = vi.fn()
  const sealing = new Sealing({ trail: history.store.trail, signer, log: { ...silentLog, error } })
  history.store.append(event('e4'))
  sealing.stored()
  sealing.stop()
  expect(error).toHaveBeenCalledOnce()
  expect(error.mock.calls[0]?.[0]).toMatchObject({ err: expect.stringContaining('the history was changed') })
})
