/** Which detectors look when somebody asks how a node is. */
import { expect, test } from 'vitest'
import { type Age, worthALook } from '../../detectors/engine/freshening.ts'

const age = (detector: string, ageMs: number, everyMs: number, cpuMs: number): Age => ({
  detector,
  ageMs,
  everyMs,
  cpuMs,
})

test.each<[string, readonly Age[], number, readonly string[]]>([
  ['nothing', [], 100, []],
  [
    'the oldest by its own interval first',
    [age('a', 60_000, 3_600_000, 1), age('b', 20_000, 30_000, 1)],
    100,
    ['b', 'a'],
  ],
  ['not one that has just looked', [age('a', 5_000, 10_000, 1), age('b', 5_001, 10_000, 1)], 100, ['b']],
  [
    'no more than it may cost',
    [age('a', 3e4, 3e4, 60), age('b', 2e4, 3e4, 60), age('c', 1e4, 3e4, 40)],
    100,
    ['a', 'c'],
  ],
  ['those that were not measured yet at a guess', [age('a', 3e4, 3e4, 0), age('b', 2e4, 3e4, 0)], 15, ['a']],
])('%s', (_, ages, cpuMs, expected) => {
  expect(worthALook(ages, cpuMs)).toEqual(expected)
})
