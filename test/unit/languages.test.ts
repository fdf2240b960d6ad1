/** Texts with values in them. */
import { expect, test } from 'vitest'
import { fill, placesOf, say } from '../../common/languages.ts'

const NODES = { en: '{count} {count|node is|nodes are} down in {zone}', zh: '{zone}：{count} 个节点宕机' }

test.each([
  [0, '0 nodes are down in a'],
  [1, '1 node is down in a'],
  ['1', '1 node is down in a'],
  [2, '2 nodes are down in a'],
  ['1,832', '1,832 nodes are down in a'],
])('of %j the noun agrees', (count, said) => {
  expect(say(NODES, 'en', { count, zone: 'a' })).toBe(said)
  expect(say(NODES, 'zh', { count, zone: 'a' })).toBe(`a：${count} 个节点宕机`)
})

test('what stands in a value is not looked at again', () => {
  expect(say(NODES, 'zh', { count: 1, zone: '{count|x|y}{zone}' })).toBe('{count|x|y}{zone}：1 个节点宕机')
})

test('a place without a value is a mistake that is told', () => {
  expect(() => say(NODES, 'en', { count: 1 })).toThrow('lacks zone')
})

test('values may be other than words', () => {
  const zone = { link: 'a' }
  expect(fill(NODES, 'en', { count: 2, zone })).toEqual([2, ' ', 'nodes are', ' down in ', zone])
})

test('the places of a text are told, however often each is used', () => {
  expect([...placesOf(NODES.en)]).toEqual(['count', 'zone'])
})
