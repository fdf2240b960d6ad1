/** So many at a time: bounded, in order, and a failure gives its slot back. */
import { expect, test } from 'vitest'
import { Slots } from '../../aggregator/kubernetes/slots.ts'

test('no more run than there are slots, the others follow in order, and failures hold nobody up', async () => {
  const slots = new Slots(2)
  const begun: number[] = []
  let running = 0
  let most = 0
  const work = (index: number) =>
    slots.run(async () => {
      begun.push(index)
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, index % 2))
      running--
      if (index === 1) throw new Error('one fails')
    })
  const outcomes = await Promise.allSettled([0, 1, 2, 3, 4, 5, 6].map(work))
  expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([true, false, true, true, true, true, true])
  expect([begun, most, running]).toEqual([[0, 1, 2, 3, 4, 5, 6], 2, 0])
  await slots.run(async () => begun.push(7))
  expect(begun.at(-1)).toBe(7)
})
