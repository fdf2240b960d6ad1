/** Candidates that were not convicted: when they may be asked about again, and what is told. */
import { expect, test } from 'vitest'
import { Deferrals } from '../../mesh/core/deferrals.ts'

test('a candidate that was put off may be asked about again after the pause', () => {
  const deferrals = new Deferrals(1_000)
  expect(deferrals.mayAsk(0, 'a')).toBe(true)
  deferrals.withhold(500, 'a', 'NodeDown', 'short')
  expect([1_499, 1_500].map((at) => deferrals.mayAsk(at, 'a'))).toEqual([false, true])
  expect(deferrals.mayAsk(501, 'b')).toBe(true)
  expect([deferrals.nextAt(500), deferrals.nextAt(1_500)]).toEqual([1_500, Number.POSITIVE_INFINITY])
})

test('the reason is told once, and again when it is another one or the suspicion is new', () => {
  const deferrals = new Deferrals(1_000)
  const told = (why: string) => deferrals.withhold(0, 'a', 'NodeDown', why).length
  expect([told('short'), told('short'), told('vetoed'), told('short')]).toEqual([1, 0, 1, 1])
  deferrals.forget('a')
  expect(deferrals.mayAsk(0, 'a')).toBe(true)
  expect(told('short')).toBe(1)
})
