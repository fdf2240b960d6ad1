/** Too few signs of life to veto a verdict still put it off. */
import { describe, expect, test } from 'vitest'
import { SignsOfLife } from '../../mesh/core/signs-of-life.ts'

const FEW = 3

/** `seen`: when which voter saw the subject's host answer. */
function signs(...seen: readonly (readonly [ms: number, voter: string])[]): SignsOfLife {
  const mine = new SignsOfLife()
  for (const [ms, voter] of seen) mine.seen(ms, 'a', [voter])
  return mine
}

describe('signs of life', () => {
  test('none: nothing stands against the verdict', () => {
    expect(signs().objection(0, 'a', FEW, false)).toBeUndefined()
    expect(signs([0, 'v']).objection(0, 'b', FEW, false)).toBeUndefined()
  })

  test.each([[['v']], [['v', 'w']]])('of %j make the leader ask once again, and no more than once', (voters) => {
    const mine = new SignsOfLife()
    mine.seen(0, 'a', voters)
    expect(mine.objection(0, 'a', FEW, false)).toContain('asking again')
    mine.seen(1_000, 'a', voters)
    expect(mine.objection(1_000, 'a', FEW, false)).toBeUndefined()
  })

  test('of L observers are a veto, also when they came one after the other', () => {
    const mine = signs([0, 'v'], [1_000, 'w'])
    expect(mine.objection(1_000, 'a', FEW, false)).toContain('asking again')
    mine.seen(2_000, 'a', ['x'])
    expect(mine.objection(2_000, 'a', FEW, false)).toContain('answered v, w, x')
    // The first of them is forgotten three seconds after it came.
    expect(mine.objection(3_000, 'a', FEW, false)).toBeUndefined()
  })

  test('of a subject whose links are at fault stand for ten seconds, one is enough', () => {
    const mine = signs([0, 'v'])
    for (const ms of [0, 1_000, 9_999]) expect(mine.objection(ms, 'a', FEW, true)).toContain('links are at fault')
    expect(mine.objection(10_000, 'a', FEW, true)).toBeUndefined()
  })

  test('are forgotten with the suspicion', () => {
    const mine = signs([0, 'v'])
    expect(mine.objection(0, 'a', FEW, false)).toBe('its host answered v: asking again')
    mine.forget('a')
    mine.seen(1, 'a', ['w'])
    expect(mine.objection(1, 'a', FEW, false)).toBe('its host answered w: asking again')
  })
})
