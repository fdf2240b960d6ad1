/** When an observer holds itself unfit to judge others, and when it is fit again. */
import { describe, expect, test } from 'vitest'
import { LocalHealth } from '../../mesh/core/local-health.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'

const { beatMs, strainMs } = DEFAULT_TIMING

/** Plays beats in which its own work is hurt (x) or not (.), and tells after each whether it is unfit (x) or fit (.). */
function played(beats: string): string {
  const health = new LocalHealth(0, DEFAULT_TIMING)
  return [...beats]
    .map((beat, index) => {
      if (beat === 'x') health.hurt('it was paused')
      health.tick((index + 1) * beatMs)
      return health.degraded === undefined ? '.' : 'x'
    })
    .join('')
}

describe('an observer', () => {
  test.each([
    { beats: 'x.x.x.x.', fit: '........', what: 'single beats of strain are nothing' },
    { beats: 'xx......', fit: '.xxxxx..', what: 'in after two, out after five of calm' },
    { beats: 'xx....x.....', fit: '.xxxxxxxxxx.', what: 'strain in between starts the five again' },
    { beats: 'xxx', fit: '.xx', what: 'it stays so while it lasts' },
  ])('is fit or not: $what', ({ beats, fit }) => {
    expect(played(beats)).toBe(fit)
  })

  test('counts a beat once, however often it was hurt in it, and gives the first reason', () => {
    const health = new LocalHealth(0, DEFAULT_TIMING)
    for (const why of ['first', 'second', 'third']) health.hurt(why)
    health.tick(beatMs)
    expect(health.degraded).toBeUndefined()
    health.hurt('first again')
    health.hurt('second again')
    health.tick(beatMs * 2 - 1)
    expect(health.degraded).toBeUndefined()
    expect(health.nextAt).toBe(beatMs * 2)
    health.tick(beatMs * 2)
    expect(health.degraded).toBe('first again')
  })

  test.each([
    { what: 'a timer late by less than the strain', hurts: false, by: (h: LocalHealth) => h.late(strainMs - 1) },
    { what: 'a timer late by the strain', hurts: true, by: (h: LocalHealth) => h.late(strainMs) },
    { what: 'fewer than half alone', hurts: false, by: (h: LocalHealth) => h.standsAlone(4, 9) },
    { what: 'half alone', hurts: true, by: (h: LocalHealth) => h.standsAlone(5, 10) },
    { what: 'two of two alone, too few to tell', hurts: false, by: (h: LocalHealth) => h.standsAlone(2, 2) },
    { what: 'two of three alone', hurts: true, by: (h: LocalHealth) => h.standsAlone(2, 3) },
  ])('$what: hurts it $hurts', ({ hurts, by }) => {
    const health = new LocalHealth(0, DEFAULT_TIMING)
    for (const beat of [1, 2]) {
      by(health)
      health.tick(beat * beatMs)
    }
    expect(health.degraded !== undefined).toBe(hurts)
    expect((health.degraded ?? '').length).toBeLessThanOrEqual(100)
  })
})
