import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { majoritiesOf } from '../../aggregator/majority.ts'

const FACT = 'kernel-params/vm.swappiness'
const nodes = (values: readonly (string | undefined)[], pool = 'worker') =>
  values.map((value) => ({ pool, facts: value === undefined ? {} : { [FACT]: value } }))
const times = (count: number, value: string) => Array.from({ length: count }, () => value)

describe('what most of a pool have', () => {
  it.each([
    [times(5, '0'), { value: '0', nodes: 5, of: 5 }],
    [[...times(4, '0'), '1'], { value: '0', nodes: 4, of: 5 }],
    [['1', ...times(30, '0')], { value: '0', nodes: 30, of: 31 }],
  ])('of %j is %j', (values, expected) => {
    expect(majoritiesOf(nodes(values))).toEqual([{ pool: 'worker', fact: FACT, ...expected }])
  })

  it.each([[times(4, '0')], [[...times(3, '0'), '1', '1']], [[...times(7, '0'), '1', '2']]])(
    'is nothing in %j',
    (values) => {
      expect(majoritiesOf(nodes(values))).toEqual([])
    },
  )

  it('counts those alone that told, and each pool for itself', () => {
    expect(majoritiesOf(nodes([...times(4, '0'), undefined]))).toEqual([])
    expect(majoritiesOf([...nodes(times(4, '0'), 'a'), ...nodes(times(4, '0'), 'b')])).toEqual([])
    const two = majoritiesOf([...nodes(times(5, '0'), 'b'), ...nodes(times(6, '1'), 'a')])
    expect(two.map(({ pool, value, of }) => [pool, value, of])).toEqual([
      ['a', '1', 6],
      ['b', '0', 5],
    ])
  })

  it('does not depend on the order in which nodes told, and there is never more than one', () =>
    fc.assert(
      fc.property(fc.array(fc.constantFrom('0', '1', '2'), { maxLength: 40 }), fc.nat(), (values, turn) => {
        const at = values.length === 0 ? 0 : turn % values.length
        const majorities = majoritiesOf(nodes(values))
        expect(majoritiesOf(nodes([...values.slice(at), ...values.slice(0, at)]))).toEqual(majorities)
        expect(majorities.length).toBeLessThanOrEqual(1)
        for (const { nodes: most, of } of majorities) expect(most / of).toBeGreaterThanOrEqual(0.8)
      }),
    ))
})
