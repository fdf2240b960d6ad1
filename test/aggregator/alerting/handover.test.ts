/** Alerts and silences that one aggregator had alone, and another comes to know of while it leads, or when it takes over. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { AlertingSide } from './two-desks.ts'

let one: AlertingSide
let two: AlertingSide
beforeEach(() => {
  one = new AlertingSide('aggregator-1')
  two = new AlertingSide('aggregator-2')
})
afterEach(() => {
  one.stop()
  two.stop()
})

/** It told of the node's death. Gives the incident. */
async function tells(side: AlertingSide): Promise<string> {
  await side.after(0)
  await side.after(10)
  return side.told[0]?.split(' ')[1] ?? ''
}

it('whoever takes over goes on with the same incident, and tells that it is over', async () => {
  const incident = await tells(one)
  two.leads = false
  two.copy(one)
  two.leads = true
  await two.after(20)
  expect(two.told).toEqual([`firing ${incident}`])
  two.state = 'alive'
  await two.after(40)
  await two.after(2)
  expect(two.told).toEqual([`firing ${incident}`, `resolved ${incident}`])
})

it('a silence that comes to the record of one that leads counts from then on', async () => {
  const [from, until] = [one.now, one.now + 3_600_000]
  one.desk.silence({ match: { reasons: ['NodeDown'] }, author: 'ada', reason: 'it is rewired', from, until })
  two.state = 'alive'
  await two.after(0)
  two.copy(one)
  two.state = 'NodeDown'
  await two.after(2)
  await two.after(10)
  expect([two.told, two.desk.incidents.size]).toEqual([[], 1])
})

it('an incident that only another told of is gone on with by the one that leads, once it knows', async () => {
  const incident = await tells(one)
  two.state = 'alive'
  await two.after(0)
  await two.after(60)
  two.copy(one)
  await two.after(2)
  expect(two.told).toEqual([`resolved ${incident}`])
  expect(two.desk.incidents.size).toBe(0)
})

it('of two incidents that are one, the one that leads ends the other, whose end nobody else would tell', async () => {
  const theirs = await tells(one)
  two.now += 5_000
  const own = await tells(two)
  expect(own).not.toBe(theirs)
  two.copy(one)
  await two.after(2)
  expect(two.told).toEqual([`firing ${own}`, `resolved ${theirs}`])
  two.leads = false
  await two.after(400)
  two.leads = true
  two.state = 'alive'
  await two.after(2)
  await two.after(40)
  await two.after(2)
  expect(two.told).toEqual([`firing ${own}`, `resolved ${theirs}`, `resolved ${own}`])
})
