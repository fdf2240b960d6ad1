import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nearest } from '../../common/nearest.ts'

describe('nearest', () => {
  const names = ['conntrack', 'clock-skew', 'disk-usage', 'kernel-params']

  it.each([
    ['conntrak', 'conntrack'],
    ['Conntrack', 'conntrack'],
    ['clockskew', 'clock-skew'],
    ['disc-usag', 'disk-usage'],
    ['kernelparam', 'kernel-params'],
  ])('takes %s for %s', (typed, meant) => {
    expect(nearest(typed, names)).toBe(meant)
  })

  it('gives up beyond three edits', () => {
    expect(nearest('disk-usag', ['disk-usage'])).toBe('disk-usage')
    expect(nearest('disk-', ['disk-usage'])).toBeUndefined()
    expect(nearest('filesystem', names)).toBeUndefined()
  })

  it('does not offer a short word that shares nothing with the typed one', () => {
    expect(nearest('xyz', ['abc', 'on'])).toBeUndefined()
  })

  it('prefers the fewest edits, then the earlier candidate', () => {
    expect(nearest('warn', ['warm', 'warns', 'warn'])).toBe('warn')
    expect(nearest('ware', ['warm', 'warn'])).toBe('warm')
  })

  it('finds every name again after one slip, and never fails on any text', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.nat(20),
        fc.string({ minLength: 1, maxLength: 1 }),
        (name, at, slip) => {
          const typed = name.slice(0, at % name.length) + slip + name.slice((at % name.length) + 1)
          expect(nearest(typed, names)).toBe(name)
        },
      ),
    )
    fc.assert(fc.property(fc.string({ maxLength: 300 }), (word) => void nearest(word, names)))
  })
})
