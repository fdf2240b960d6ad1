/** Turns of work on nodes: what is asked for meanwhile is done once, and a pause is kept whoever asks. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Turns } from '../../aggregator/kubernetes/turns.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('what is asked for while it is worked on is done once more', async () => {
  const done: string[] = []
  let finish = () => {}
  const turns = new Turns(async (node) => {
    done.push(node)
    await new Promise<void>((resolve) => {
      finish = resolve
    })
  })
  for (const node of ['a', 'a', 'a', 'b']) turns.take(node)
  expect(done).toEqual(['a', 'b'])
  for (let round = 0; round < 3; round++) {
    finish()
    await vi.advanceTimersByTimeAsync(0)
  }
  expect(done.filter((node) => node === 'b')).toHaveLength(1)
})

test('a pause is kept whoever asks meanwhile, and ends with one turn; others go on', async () => {
  const done: string[] = []
  const turns = new Turns(async (node) => {
    done.push(node)
    if (done.length === 1) turns.pause('a', 20_000)
  })
  turns.take('a')
  turns.take('a')
  for (let seconds = 5; seconds < 20; seconds += 5) {
    await vi.advanceTimersByTimeAsync(5_000)
    turns.take('a')
  }
  turns.take('b')
  expect(done).toEqual(['a', 'b'])
  await vi.advanceTimersByTimeAsync(5_000)
  expect(done).toEqual(['a', 'b', 'a'])
  turns.pause('a', 1_000)
  await turns.stop()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(done).toHaveLength(3)
})
