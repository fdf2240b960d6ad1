/** When a node says that it lives: soon again after it began, then rarely, and soon again when it has something new to say. */
import { expect, test } from 'vitest'
import { Announcements } from '../../mesh/core/announcements.ts'

const MINUTE = 60_000

function times(announcements: Announcements, count: number): readonly number[] {
  return Array.from({ length: count }, () => {
    const { dueAt } = announcements
    announcements.said(dueAt)
    return dueAt
  })
}

test('what may have been lost while many started is said again soon, and later at a third of its lifetime', () => {
  const announcements = new Announcements(0, 30 * MINUTE)
  expect(times(announcements, 7)).toEqual([
    0,
    5_000,
    20_000,
    80_000,
    260_000,
    260_000 + 10 * MINUTE,
    260_000 + 20 * MINUTE,
  ])
})

test('a later life is said as the first one was', () => {
  const announcements = new Announcements(0, 30 * MINUTE)
  times(announcements, 6)
  announcements.renewed()
  announcements.said(10_000)
  expect(announcements.dueAt).toBe(15_000)
})

test('an aggregator has nothing to announce', () => {
  expect(new Announcements(undefined, 30 * MINUTE).dueAt).toBe(Number.POSITIVE_INFINITY)
})
