/** Hints to co-observers: how often, for how long, and who is told of an ack. */
import { expect, test } from 'vitest'
import { CoObservers } from '../../mesh/core/co-observers.ts'

const BEAT_MS = 1_000
const HINTS = 5
const NEVER = Number.POSITIVE_INFINITY

const inDoubtSince = (ms: number): CoObservers => {
  const others = new CoObservers(BEAT_MS)
  others.doubted(ms)
  return others
}

/** When it hints, asked at these times. */
const hintsAt = (others: CoObservers, times: readonly number[]) => times.filter((ms) => others.mayHint(ms, false))

test('nobody is hinted before there is a doubt', () => {
  const others = new CoObservers(BEAT_MS)
  expect(others.hintAt).toBe(NEVER)
  expect(others.mayHint(100_000, false)).toBe(false)
})

test('a doubt is hinted at once, again once a beat, and five times in all', () => {
  const everyTenth = Array.from({ length: 100 }, (_, index) => index * (BEAT_MS / 10))
  const others = inDoubtSince(0)
  expect(hintsAt(others, everyTenth)).toEqual(Array.from({ length: HINTS }, (_, index) => index * BEAT_MS))
  expect(others.hintAt).toBe(NEVER)
})

test('a hint is due a beat after the one before, however late that one was', () => {
  const others = inDoubtSince(0)
  expect(others.hintAt).toBe(0)
  expect(hintsAt(others, [700, 1_000, 1_699, 1_700])).toEqual([700, 1_700])
  expect(others.hintAt).toBe(2_700)
})

test('a doubt that is over is hinted no more; the next one is, as often as any', () => {
  const others = inDoubtSince(0)
  expect(others.mayHint(0, false)).toBe(true)
  expect(others.mayHint(BEAT_MS, true)).toBe(false)
  expect(others.hintAt).toBe(NEVER)
  expect(others.mayHint(2 * BEAT_MS, false)).toBe(false)
  others.doubted(10_000)
  const beats = Array.from({ length: HINTS + 3 }, (_, index) => 10_000 + index * BEAT_MS)
  expect(hintsAt(others, beats)).toEqual(beats.slice(0, HINTS))
})

test('whoever hinted is to be told once, and each once', () => {
  const others = inDoubtSince(0)
  for (const observer of ['first', 'second', 'first']) others.hintedBy(observer)
  expect(others.takeHinters()).toEqual(['first', 'second'])
  expect(others.takeHinters()).toEqual([])
})

test('whoever hinted about an earlier doubt is told nothing of this one', () => {
  const others = inDoubtSince(0)
  others.hintedBy('of the first doubt')
  others.doubted(5_000)
  others.hintedBy('of the second')
  expect(others.takeHinters()).toEqual(['of the second'])
})

test('the latest ack to any of them counts, in whatever order they tell', () => {
  const others = new CoObservers(BEAT_MS)
  expect(others.heardAt).toBe(Number.NEGATIVE_INFINITY)
  for (const ms of [500, 900, 100]) others.heard(ms)
  expect(others.heardAt).toBe(900)
})
