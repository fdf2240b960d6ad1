/** When watches are due, and that what happens to one that is overdue does not make it miss its tick. */
import { expect, test } from 'vitest'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { Watch } from '../../mesh/core/watch.ts'
import { Watches } from '../../mesh/core/watches.ts'
import { FIRST_LIFE } from './sample-mesh.ts'

const STEADY = { ...DEFAULT_TIMING, beatJitter: 0 }
const SUBJECT = 'subject'

/** One watch with an open stream, whose first tick is done. */
function watching(): { readonly watches: Watches; readonly watch: Watch } {
  const watches = new Watches()
  const watch = new Watch(SUBJECT, FIRST_LIFE, 0, STEADY, () => 0.5)
  watches.add(0, watch)
  watch.tick(0)
  watch.opened(0)
  watch.acked({ ms: 1, wallMs: 1 }, 1, 1)
  watches.ticked(1, SUBJECT)
  return { watches, watch }
}

test('a new watch is due at once, and then when it says', () => {
  const watches = new Watches()
  watches.add(5, new Watch(SUBJECT, FIRST_LIFE, 5, STEADY, () => 0.5))
  expect([watches.nextAt, watches.due(5).length]).toEqual([5, 1])
  const { nextAt } = watching().watches
  expect(nextAt).toBeGreaterThan(1)
  expect(nextAt).toBeLessThanOrEqual(STEADY.beatMs)
})

test('one that is overdue, because its timer is late, is still due after something else happened to it', () => {
  const { watches } = watching()
  const dueAt = watches.nextAt
  for (const ms of [dueAt, dueAt + 1, dueAt + 400]) {
    watches.touch(ms, SUBJECT)
    expect(watches.nextAt).toBe(dueAt)
    expect(watches.due(ms)).toHaveLength(1)
  }
})

test('one that had its tick is due later, and sooner again when something happens to it', () => {
  const { watches, watch } = watching()
  const dueAt = watches.nextAt
  watch.tick(dueAt)
  watches.ticked(dueAt, SUBJECT)
  expect(watches.nextAt).toBeGreaterThan(dueAt)
  watch.closed(dueAt + 1)
  watches.touch(dueAt + 1, SUBJECT)
  expect(watches.nextAt).toBeLessThanOrEqual(dueAt + 1 + STEADY.redialFirstMs)
})

test('nobody is due where there is no watch', () => {
  const { watches } = watching()
  watches.touch(0, 'stranger')
  watches.delete(SUBJECT)
  expect(watches.nextAt).toBe(Number.POSITIVE_INFINITY)
})
