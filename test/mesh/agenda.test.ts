/** Virtual time: everything happens once, in order, however near or far it was put down. */
import { expect, it } from 'vitest'
import { Agenda } from '../../mesh/sim/agenda.ts'
import { seededRandom } from '../../mesh/sim/random.ts'

/** From the same moment to years of the calendar ahead. */
const REACHES_MS = [0, 0.01, 1, 900, 5_000, 200_000]

it('lets things happen in order of time and, at the same time, in the order they were put down', () => {
  const agenda = new Agenda()
  const random = seededRandom(7)
  const due: { at: number; order: number }[] = []
  const happened: { at: number; order: number }[] = []
  const put = () => {
    const reach = REACHES_MS[Math.floor(random() * REACHES_MS.length)] ?? 0
    // Whole tenths, so that many fall on the same moment.
    const at = Math.max(agenda.now, Math.round((agenda.now + reach * random()) * 10) / 10)
    const entry = { at, order: due.length }
    due.push(entry)
    agenda.at(at, happen, entry)
  }
  const happen = (entry: { at: number; order: number }) => {
    expect(agenda.now).toBe(entry.at)
    happened.push(entry)
    if (due.length < 20_000) put()
    if (due.length < 20_000) put()
  }
  for (let index = 0; index < 100; index++) put()
  for (let until = 0; happened.length < due.length; until += 777) agenda.runUntil(until)
  expect(happened).toEqual(due.toSorted((a, b) => a.at - b.at || a.order - b.order))
})

it('leaves alone what is due later, holds what has passed for due now, and lets nothing happen at Infinity', () => {
  const agenda = new Agenda()
  const happened: string[] = []
  agenda.at(10, (what: string) => happened.push(what), 'at ten')
  agenda.at(Number.POSITIVE_INFINITY, () => happened.push('never'))
  agenda.runUntil(9.99)
  expect([agenda.now, happened]).toEqual([9.99, []])
  agenda.at(3, (what: string, when: number) => happened.push(`${what} ${when}`), 'late', 3)
  agenda.runUntil(20)
  expect([agenda.now, happened]).toEqual([20, ['late 3', 'at ten']])
})
