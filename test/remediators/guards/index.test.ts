import { expect, test } from 'vitest'
import { evaluateGuards, retryAfterMs } from '../../../remediators/guards/index.ts'
import { readGuards } from '../../../remediators/guards/settings.ts'
import { viewOf } from './views.ts'

test('nothing stands in the way of one fault in a healthy fleet', () => {
  const verdicts = evaluateGuards(viewOf(), readGuards())
  expect(verdicts.filter(({ allowed }) => !allowed)).toEqual([])
})

test('a node waits for the longest rest, from a minute to an hour', () => {
  const no = (restMs: number) => ({ guard: 'pause', allowed: false, why: '', restMs })
  const yes = { guard: 'storm', allowed: true, why: '' }
  expect(retryAfterMs([no(1_000), yes])).toBe(60_000)
  expect(retryAfterMs([no(120_000), yes, no(300_000)])).toBe(300_000)
  expect(retryAfterMs([no(7_200_000)])).toBe(3_600_000)
})
