/** How many things are done at a time. */
import { expect, test } from 'vitest'
import { inLanes } from '../../common/in-lanes.ts'

test('each item in its order, and never more at a time than there are lanes', async () => {
  const begun: number[] = []
  const ends: (() => void)[] = []
  const all = inLanes([1, 2, 3, 4], 2, (item) => {
    begun.push(item)
    return new Promise((resolve) => ends.push(resolve))
  })
  const end = async (index: number) => {
    ends[index]?.()
    await new Promise(setImmediate)
  }
  expect(begun).toEqual([1, 2])
  await end(1)
  expect(begun).toEqual([1, 2, 3])
  await end(0)
  expect(begun).toEqual([1, 2, 3, 4])
  await end(2)
  await end(3)
  await all
})

test('more lanes than items are no trouble, and no items are done at once', async () => {
  const done: number[] = []
  await inLanes([1], 3, async (item) => void done.push(item))
  await inLanes<number>([], 3, async (item) => void done.push(item))
  expect(done).toEqual([1])
})
