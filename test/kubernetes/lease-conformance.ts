/** What every place must do that keeps the Lease: the simulated one, and Kubernetes. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { LeaseStore } from '../../aggregator/kubernetes/lease.ts'

const ONE = { holder: 'aggregator-1_1.1', term: 1 }
const OTHER = { holder: 'aggregator-2_1.1', term: 2 }

/** `make` gives stores that see the same Lease, which there is none of at first. */
export function conformsToLeaseStore(name: string, make: () => Promise<readonly [LeaseStore, LeaseStore]>): void {
  describe(`${name} keeps the Lease`, () => {
    let store: LeaseStore
    let rival: LeaseStore
    beforeEach(async () => {
      ;[store, rival] = await make()
    })

    test('of which there is none until somebody writes it, and then for all what was written', async () => {
      expect(await store.read()).toBeUndefined()
      const version = await store.write(ONE, undefined)
      expect(version).toBeDefined()
      expect(await rival.read()).toEqual({ ...ONE, version })
    })

    test('under another version after each write, also of the same', async () => {
      const first = await store.write(ONE, undefined)
      const second = await store.write(ONE, first)
      const third = await store.write(ONE, second)
      expect(new Set([first, second, third]).size).toBe(3)
    })

    test('against whoever thinks that there is none', async () => {
      const version = await store.write(ONE, undefined)
      expect(await rival.write(OTHER, undefined)).toBeUndefined()
      expect(await rival.read()).toEqual({ ...ONE, version })
    })

    test('against whoever writes over an earlier version', async () => {
      const first = await store.write(ONE, undefined)
      const second = await store.write(ONE, first)
      expect(await rival.write(OTHER, first)).toBeUndefined()
      expect(await rival.read()).toEqual({ ...ONE, version: second })
      expect(await rival.write(OTHER, second)).toBeDefined()
      expect(await store.write(ONE, second)).toBeUndefined()
      expect(await store.read()).toMatchObject(OTHER)
    })

    test('for one of several who write at once', async () => {
      const version = await store.write(ONE, undefined)
      const writes = await Promise.all([store, rival, store, rival].map((each) => each.write(OTHER, version)))
      expect(writes.filter((written) => written !== undefined)).toHaveLength(1)
    })

    test('with its term when it is given up', async () => {
      const version = await store.write(ONE, undefined)
      await store.write({ holder: '', term: ONE.term }, version)
      expect(await rival.read()).toMatchObject({ holder: '', term: ONE.term })
    })
  })
}
