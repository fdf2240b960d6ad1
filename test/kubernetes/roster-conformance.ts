/** What every NodeSource and EpochStore must do, whatever is behind it: the ones in memory and a real API server. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ApiError } from '../../aggregator/kubernetes/api-error.ts'
import type { EpochStore } from '../../aggregator/kubernetes/roster/epoch-record.ts'
import type { NodeSource } from '../../aggregator/kubernetes/roster/node-source.ts'
import { PATIENCE } from '../mesh/sockets.ts'

export interface NodesUnderTest {
  /** Not started; the next one sees the same cluster. */
  open(): NodeSource
  /** Makes a node, or gives it other labels and addresses. */
  put(name: string, parts: { readonly zone: string; readonly addresses: readonly string[] }): Promise<void>
  remove(name: string): Promise<void>
  close(): Promise<void>
}

export function nodeSourceConformance(name: string, create: () => Promise<NodesUnderTest>): void {
  describe(`${name} keeps the contract of a NodeSource`, () => {
    let under: NodesUnderTest
    const started: NodeSource[] = []
    beforeAll(async () => {
      under = await create()
    })
    afterAll(async () => {
      for (const source of started) source.stop()
      await under.close()
    })
    const start = (onChange = () => {}): NodeSource => {
      const source = under.open()
      started.push(source)
      source.start(onChange)
      return source
    }
    const named = (source: NodeSource, node: string) => source.nodes?.find((each) => each.name === node)

    test('knows nothing before it is started, and then everything', async () => {
      await under.put('first', { zone: 'z1', addresses: ['10.1.0.1', 'fd00::1'] })
      expect(under.open().nodes).toBeUndefined()
      const source = start()
      await vi.waitFor(() => expect(source.stale).toBeUndefined(), PATIENCE)
      expect(named(source, 'first')).toMatchObject({ zone: 'z1', hosts: ['10.1.0.1', 'fd00::1'] })
      expect(named(source, 'first')?.uid).not.toBe('')
    })

    test('tells of who comes, changes and goes, and calls back each time', async () => {
      let calls = 0
      const source = start(() => calls++)
      await vi.waitFor(() => expect(source.stale).toBeUndefined(), PATIENCE)
      const before = calls
      await under.put('second', { zone: 'z1', addresses: ['10.1.0.2'] })
      await vi.waitFor(() => expect(named(source, 'second')?.zone).toBe('z1'), PATIENCE)
      await under.put('second', { zone: 'z2', addresses: ['10.1.0.3'] })
      await vi.waitFor(
        () => expect(named(source, 'second')).toMatchObject({ zone: 'z2', hosts: ['10.1.0.3'] }),
        PATIENCE,
      )
      await under.remove('second')
      await vi.waitFor(() => expect(named(source, 'second')).toBeUndefined(), PATIENCE)
      expect(calls - before).toBeGreaterThanOrEqual(3)
    })

    test('gives a Node that was made anew another uid', async () => {
      const source = start()
      await under.put('third', { zone: 'z1', addresses: ['10.1.0.4'] })
      await vi.waitFor(() => expect(named(source, 'third')).toBeDefined(), PATIENCE)
      const uid = named(source, 'third')?.uid
      await under.remove('third')
      await under.put('third', { zone: 'z1', addresses: ['10.1.0.4'] })
      await vi.waitFor(() => expect(named(source, 'third')?.uid ?? uid).not.toBe(uid), PATIENCE)
    })

    test('tells nothing more when it is stopped', async () => {
      let calls = 0
      const stopped = start(() => calls++)
      await vi.waitFor(() => expect(stopped.stale).toBeUndefined(), PATIENCE)
      const goesOn = start()
      stopped.stop()
      const before = calls
      await under.put('fourth', { zone: 'z1', addresses: ['10.1.0.5'] })
      await vi.waitFor(() => expect(named(goesOn, 'fourth')).toBeDefined(), PATIENCE)
      expect(calls).toBe(before)
      expect(named(stopped, 'fourth')).toBeUndefined()
    })
  })
}

export function epochStoreConformance(name: string, open: () => Promise<EpochStore>): void {
  describe(`${name} keeps the contract of an EpochStore`, () => {
    const record = (epoch: number) => ({ epoch, hash: 'ab'.repeat(32), term: 3 })

    test('has nothing, then what was written, by whoever read it last', async () => {
      const store = await open()
      const empty = await store.read()
      expect(empty.record).toBeUndefined()
      await store.write(empty, record(1))
      const first = await store.read()
      expect(first.record).toEqual(record(1))
      await store.write(first, record(2))
      expect((await store.read()).record).toEqual(record(2))
    })

    test('refuses what was meant for an earlier state, and keeps the one there is', async () => {
      const store = await open()
      const empty = await store.read()
      await store.write(empty, record(1))
      await expect(store.write(empty, record(9))).rejects.toMatchObject({ kind: 'conflict' })
      const first = await store.read()
      await store.write(first, record(2))
      const late = store.write(first, record(9))
      await expect(late).rejects.toBeInstanceOf(ApiError)
      await expect(late).rejects.toMatchObject({ kind: 'conflict' })
      expect((await store.read()).record).toEqual(record(2))
    })
  })
}
