/** What every Journal must do, whatever database is behind it. An adapter's test calls this with how to open one. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Journal } from '../../aggregator/model.ts'
import { event } from './event.ts'

export interface StoreUnderTest {
  /** Opens the same storage each time it is called within one test. */
  open(): Journal
  /** A program (a path) and its arguments that appends events in a loop and prints the seq of each once acknowledged. */
  writer(): readonly string[]
  /** Deletes the storage. */
  clean(): void
}

export function storeConformance(name: string, create: () => StoreUnderTest): void {
  describe(`${name} keeps the Store's contract`, () => {
    let storage: StoreUnderTest
    let store: Journal
    beforeEach(() => {
      storage = create()
      store = storage.open()
    })
    afterEach(() => {
      store.close()
      storage.clean()
    })

    it('gives each appended event a growing place and returns it whole', () => {
      const first = event('a', { data: { nested: { list: [1, 'zwei', null, true] } }, causedBy: 'root', tone: 'bad' })
      const stored = store.append(first)
      const next = store.append(event('b'))
      expect(stored).toEqual({ ...first, seq: stored?.seq })
      expect(next?.seq).toBeGreaterThan(stored?.seq ?? Number.NaN)
      expect(store.byId('a')).toEqual(stored)
      expect(store.byId('nowhere')).toBeNull()
    })

    it('ignores a known id, even with other content', () => {
      const stored = store.append(event('a', { summary: 'first' }))
      expect(store.append(event('a', { summary: 'second' }))).toBeNull()
      expect(store.byId('a')).toEqual(stored)
      expect(store.query({ limit: 10 })).toHaveLength(1)
    })

    it('returns text unharmed, hostile or not', () => {
      const nasty = `'; DROP TABLE events; -- <script>alert(1)</script> \u0000 \u202e 漢字 🐦 "quoted"`
      store.append(event('nasty', { summary: nasty, node: nasty, data: { nasty } }))
      expect(store.query({ node: nasty, limit: 1 })[0]).toMatchObject({ summary: nasty, node: nasty, data: { nasty } })
    })

    it('answers a query with the newest that match, oldest first', () => {
      for (let n = 1; n <= 9; n++) {
        store.append(event(`e${n}`, { node: n % 2 === 0 ? 'even' : 'odd', kind: n % 3 === 0 ? 'verdict' : 'finding' }))
      }
      const all = store.query({ limit: 1000 })
      const ids = (query: Parameters<Journal['query']>[0]) => store.query(query).map((found) => found.id)
      expect(all.map((found) => found.id)).toEqual(['e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7', 'e8', 'e9'])
      expect(ids({ limit: 3 })).toEqual(['e7', 'e8', 'e9'])
      expect(ids({ limit: 2, before: all[6]?.seq ?? 0 })).toEqual(['e5', 'e6'])
      expect(ids({ limit: 10, after: all[6]?.seq ?? 0 })).toEqual(['e8', 'e9'])
      expect(ids({ limit: 10, after: all[1]?.seq ?? 0, before: all[4]?.seq ?? 0 })).toEqual(['e3', 'e4'])
      expect(ids({ limit: 2, node: 'even' })).toEqual(['e6', 'e8'])
      expect(ids({ limit: 10, kinds: ['verdict'] })).toEqual(['e3', 'e6', 'e9'])
      expect(ids({ limit: 10, kinds: ['verdict', 'finding'], node: 'odd', after: all[4]?.seq ?? 0 })).toEqual([
        'e7',
        'e9',
      ])
      expect(ids({ limit: 10, kinds: [] })).toEqual([])
      expect(ids({ limit: 10, node: 'nobody' })).toEqual([])
    })

    it.each([0, 1001, 1.5, Number.NaN])('refuses a limit of %s', (limit) => {
      expect(() => store.query({ limit })).toThrow(RangeError)
    })

    it('keeps facts, the last value written', () => {
      expect(store.readFact('term')).toBeNull()
      store.writeFact('term', '7')
      store.writeFact('term', '8')
      store.writeFact('other', '')
      expect(store.readFact('term')).toBe('8')
      expect(store.readFact('other')).toBe('')
    })

    it('gives the facts whose keys begin alike, and no pattern in a prefix means more than itself', () => {
      for (const key of ['said/b', 'said/a', 'said', 'sa%/x', 'saie']) store.writeFact(key, key.toUpperCase())
      expect([...store.facts('said/')]).toEqual([
        ['said/a', 'SAID/A'],
        ['said/b', 'SAID/B'],
      ])
      expect([...store.facts('sa%').keys()]).toEqual(['sa%/x'])
      expect([...store.facts('none')]).toEqual([])
    })

    it('has everything again after it was closed and opened', () => {
      const stored = store.append(event('a'))
      store.writeFact('term', '7')
      store.close()
      store = storage.open()
      expect(store.query({ limit: 10 })).toEqual([stored])
      expect(store.readFact('term')).toBe('7')
      expect(store.append(event('b'))?.seq).toBeGreaterThan(stored?.seq ?? Number.NaN)
    })

    it('has each acknowledged event after the writer was killed with SIGKILL', async () => {
      store.close()
      const [program, ...rest] = storage.writer()
      const writer = spawn(process.execPath, [program ?? '', ...rest], { stdio: ['ignore', 'pipe', 'inherit'] })
      const exited = once(writer, 'exit')
      const acknowledged: number[] = []
      for await (const line of createInterface({ input: writer.stdout })) {
        acknowledged.push(Number(line))
        // Lines that were on their way when it died are read, too: they are acknowledgements like any other.
        if (acknowledged.length === 25) writer.kill('SIGKILL')
      }
      expect(await exited).toEqual([null, 'SIGKILL'])

      store = storage.open()
      const kept = new Set(store.query({ limit: 1000, after: (acknowledged.at(-1) ?? 0) - 900 }).map(({ seq }) => seq))
      expect(acknowledged.slice(-900).filter((seq) => !kept.has(seq))).toEqual([])
      expect(store.append(event('after the crash'))?.seq).toBeGreaterThan(acknowledged.at(-1) ?? Number.NaN)
    })
  })
}
