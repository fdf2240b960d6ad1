/** After three roll-calls in a row that reached too few, a leader must not lead. */
import { expect, test } from 'vitest'
import { isMajority, Reach } from '../../mesh/core/reach.ts'

test.each([
  { present: [6, 6, 6], reached: [true, true, true] },
  { present: [5, 5, 5, 5], reached: [true, true, false, false] },
  { present: [5, 5, 6, 5, 5, 5], reached: [true, true, true, true, true, false] },
  { present: [0, 0, 0, 6, 5, 5, 5], reached: [true, true, false, true, true, true, false] },
])('$present present of ten at each roll-call: reached $reached', ({ present, reached }) => {
  const reach = new Reach()
  const told: boolean[] = []
  const is = present.map((count) => {
    for (const notice of reach.closed(count, 10)) if (notice.kind === 'quorum') told.push(notice.reached)
    return reach.isReached
  })
  expect(is).toEqual(reached)
  // It is told when it changes, and only then.
  expect(told).toEqual(reached.filter((now, index) => now !== (reached[index - 1] ?? true)))
})

test('exactly half is no majority', () => {
  expect([isMajority(5, 10), isMajority(6, 10), isMajority(5, 9), isMajority(0, 0)]).toEqual([false, true, true, false])
})
