import fc from 'fast-check'
import { expect, test } from 'vitest'
import { levels } from '../../../remediators/guards/sliding.ts'

test('at every happening it counts the different nodes up to then', () => {
  const happenings = fc.array(fc.record({ node: fc.constantFrom('a', 'b', 'c', 'd'), atMs: fc.nat(30) }))
  fc.assert(
    fc.property(happenings, fc.nat(10), (all, withinMs) => {
      const found = levels(all, withinMs)
      for (const { atMs } of all) {
        const within = all.filter((one) => one.atMs <= atMs && one.atMs >= atMs - withinMs)
        const most = Math.max(...found.filter((level) => level.atMs === atMs).map(({ nodes }) => nodes))
        expect(most).toBe(new Set(within.map(({ node }) => node)).size)
      }
      expect(found.at(-1)?.nodes ?? 0).toBe(0)
    }),
  )
})
