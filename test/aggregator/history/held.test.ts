/** What waits for a history elsewhere: in its order, within its bounds, and for a while longer. */
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type HeldRecords, heldIn } from '../../../aggregator/history/held.ts'
import { defineFunctions } from '../../../aggregator/store/functions.ts'
import { MIGRATIONS } from '../../../aggregator/store/migrations.ts'

const DAY_MS = 86_400_000
let database: DatabaseSync
let now: number
beforeEach(() => {
  database = new DatabaseSync(':memory:')
  defineFunctions(database)
  for (const step of MIGRATIONS) database.exec(step)
  now = 0
})
afterEach(() => database.close())

const open = (bytesMax?: number) => heldIn(database, bytesMax, () => now)
const hours = (cpu: number) => {
  return { kind: 'hours', hours: [{ node: '漢字', hour: '2026-01-01T00:00:00.000Z', averages: { cpu } }] } as const
}
function placesIn(held: HeldRecords): readonly number[] {
  const places: number[] = []
  for (let next = held.next(0); next !== undefined; next = held.next(next.place)) places.push(next.place)
  return places
}

it('gives back what it holds, in order, also to whoever opens it next', () => {
  const held = open()
  for (const cpu of [1, 2, 3]) held.hold(hours(cpu))
  expect(open().next(0)).toEqual({ place: 1, record: hours(1) })
  expect(open().next(1)).toEqual({ place: 2, record: hours(2) })
  expect(open().next(3)).toBeUndefined()
  expect([held.waiting(0), held.waiting(2), held.waiting(3)]).toEqual([3, 1, 0])
})

it('lets go of the oldest when it is full, and of no more than that', () => {
  const held = open()
  held.hold(hours(1))
  const bytes = Number(database.prepare('SELECT length(body) AS bytes FROM held').get()?.bytes)
  const small = open(3 * bytes)
  for (const cpu of [2, 3]) small.hold(hours(cpu))
  expect(placesIn(small)).toEqual([1, 2, 3])
  small.hold(hours(4))
  expect(placesIn(small)).toEqual([2, 3, 4])
})

it('keeps what is carried for a week, and what is not for as long as there is room', () => {
  const held = open()
  for (const cpu of [1, 2, 3]) held.hold(hours(cpu))
  now = 7 * DAY_MS
  held.carried(2)
  expect(placesIn(held)).toEqual([1, 2, 3])
  now += 1
  held.carried(2)
  expect(placesIn(held)).toEqual([3])
  held.hold(hours(4))
  expect(held.next(3)?.place).toBe(4)
})
