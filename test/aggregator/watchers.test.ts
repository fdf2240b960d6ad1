/** Who watches whom, as observers say it. */
import { expect, it } from 'vitest'
import { Watchers } from '../../aggregator/watchers.ts'

it('has what each observer said last, by subject', () => {
  const watchers = new Watchers()
  watchers.take('a', ['x', 'y'], 1)
  watchers.take('b', ['x'], 2)
  expect([...watchers.of('x')]).toEqual([
    ['a', 1],
    ['b', 2],
  ])
  watchers.take('a', ['y', 'z'], 3)
  expect([...watchers.of('x')]).toEqual([['b', 2]])
  expect([...watchers.of('y')]).toEqual([['a', 3]])
  expect([...watchers.of('z')]).toEqual([['a', 3]])
  expect(watchers.of('nobody').size).toBe(0)
})

it('is another object only once others watch a subject', () => {
  const watchers = new Watchers()
  watchers.take('a', ['x'], 1)
  const before = watchers.of('x')
  watchers.take('a', ['x'], 2)
  expect(watchers.of('x')).toBe(before)
  expect(before.get('a')).toBe(2)
  watchers.take('b', ['x'], 3)
  expect(watchers.of('x')).not.toBe(before)
})

it('forgets who is gone', () => {
  const watchers = new Watchers()
  watchers.take('a', ['x'], 1)
  watchers.take('b', ['x'], 1)
  watchers.retain((node) => node !== 'a')
  expect([...watchers.of('x').keys()]).toEqual(['b'])
})
