import { describe, expect, it } from 'vitest'
import { RoundTrips } from '../../mesh/core/round-trips.ts'

/** Beats a second apart with answers after these times; undefined: none. */
function beats(times: readonly (number | undefined)[]): RoundTrips {
  const trips = new RoundTrips()
  for (const [seq, rttMs] of times.entries()) {
    trips.asked(seq, seq * 1_000)
    if (rttMs !== undefined) trips.answered(seq, rttMs)
  }
  return trips
}
const later = 1_000_000

describe('the round trips of an edge', () => {
  it('are not known before a beat was answered', () => {
    expect(beats([]).quality(later)).toBeUndefined()
    expect(beats([undefined, undefined]).quality(later)).toBeUndefined()
  })

  it('have a median and a 95th percentile', () => {
    const times = Array.from({ length: 40 }, (_, index) => index + 1)
    expect(beats(times).quality(later)).toEqual({ beats: 40, lost: 0, medianMs: 21, p95Ms: 39, atMs: 39_000 })
  })

  it('count a beat as lost whose answer took a retransmission longer, or never came', () => {
    const quality = beats([1, 2, 201, 1, undefined, 650, 2, 200]).quality(later)
    expect(quality).toMatchObject({ beats: 8, lost: 3, p95Ms: 200 })
  })

  it('do not take a peer that is far away for a lossy one', () => {
    expect(beats([250, 251, 260, 449]).quality(later)).toMatchObject({ lost: 0 })
  })

  it('leave out a beat that may still be answered', () => {
    const trips = beats([1, 1, undefined])
    expect(trips.quality(3_999)).toMatchObject({ beats: 2, lost: 0 })
    expect(trips.quality(4_000)).toMatchObject({ beats: 3, lost: 1 })
  })

  it('forget what was open when this process was paused, and beats of more than a minute', () => {
    const trips = beats([1, undefined])
    trips.forgetOpen()
    expect(trips.quality(later)).toMatchObject({ beats: 1, lost: 0 })
    const times = Array.from({ length: 100 }, (_, index) => (index < 40 ? undefined : 1))
    expect(beats(times).quality(later)).toMatchObject({ beats: 60, lost: 0 })
  })
})
