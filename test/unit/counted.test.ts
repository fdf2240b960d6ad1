/** Numbers in sentences. */
import { expect, test } from 'vitest'
import { counted } from '../../common/counted.ts'

test.each([
  [0, '0 nodes'],
  [1, '1 node'],
  [1.5, '1.5 nodes'],
  [2, '2 nodes'],
])('%d is "%s"', (count, said) => expect(counted(count, 'node')).toBe(said))

test('takes the plural that it is given', () => {
  expect([1, 2].map((count) => counted(count, 'process is', 'processes are'))).toEqual([
    '1 process is',
    '2 processes are',
  ])
})
