import { describe, expect, it } from 'vitest'
import { perMinuteSince } from '../../detectors/reading/rates.ts'

const at = (uptimeS: number, count: number | undefined) => ({ uptimeS, count })
const rate = (now: ReturnType<typeof at>, ...past: readonly ReturnType<typeof at>[]) =>
  perMinuteSince(now, past, ({ count }) => count)

describe('the rate of a counter', () => {
  it('is against the newest sample that is old enough', () => {
    expect(rate(at(100, 50), at(98, 49), at(70, 20), at(40, 0))).toBe(60)
    expect(rate(at(100, 50), at(99, 0))).toBeUndefined()
  })

  it('is not known of a counter that is new, gone, or went backwards', () => {
    expect(rate(at(100, 50))).toBeUndefined()
    expect(rate(at(100, undefined), at(40, 1))).toBeUndefined()
    expect(rate(at(100, 50), at(40, undefined))).toBeUndefined()
    expect(rate(at(100, 50), at(40, 51))).toBeUndefined()
    expect(rate(at(100, 50), at(40, 50))).toBe(0)
  })

  it('is not known after a boot, when the clock of the host has begun anew', () => {
    expect(rate(at(30, 5), at(90_000, 3))).toBeUndefined()
  })
})
