/** How measures travel: what is packed comes back, and what no host can have is refused. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  decodeAnswer,
  decodeQuestion,
  encodeAnswer,
  encodeQuestion,
  encodeWithin,
  MEASURE_NAMES,
  type MeasureAnswer,
} from '../../inspection/measure-words.ts'
import type { Measures } from '../../inspection/measures.ts'
import { decodeValue, encodeValue } from '../../mesh/wire/codec.ts'

const QUESTION = { minutes: 3, hoursAfter: 490_000, containers: true }
const ANSWER: MeasureAnswer = {
  minute: 1_000,
  passedMs: 20_000,
  minutes: [{ cpu: 12.5 }, {}, { cpu: 100, load: 0, 'network-in': 2 ** 40 }],
  hours: [{ hour: 490_001, averages: { memory: 50 } }],
  containerMinute: 29_400_000,
  containers: [
    { name: 'shop/api-7f/app', figures: { cpu: 1.5, memory: 99 } },
    { name: '=1+1<b>\u001b[31m\ud800', figures: {} },
  ],
}

/** An answer with other bytes in place of some of it. */
function tampered(changed: object): Uint8Array {
  return encodeValue({ ...decodeValue(z.record(z.string(), z.unknown()), encodeAnswer(ANSWER)), ...changed })
}

function row(figures: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(figures.length * 4))
  for (const [index, figure] of figures.entries()) view.setFloat32(index * 4, figure, true)
  return new Uint8Array(view.buffer)
}

const minuteWith = (name: keyof Measures, figure: number) =>
  row(MEASURE_NAMES.map((measure) => (measure === name ? figure : Number.NaN)))

describe('the words of measures', () => {
  it('bring back what was packed, and nothing for what is not known', () => {
    expect(decodeQuestion(encodeQuestion(QUESTION))).toEqual(QUESTION)
    const { containers, ...rest } = decodeAnswer(encodeAnswer(ANSWER), QUESTION)
    expect(rest).toEqual({ ...ANSWER, containers: undefined })
    expect(containers[0]).toEqual(ANSWER.containers[0])
    expect(containers[1]?.figures).toEqual({})
  })

  it('take 48 bytes a minute, so that the usual answer of two minutes is small', () => {
    const { hours, containers, ...usual } = ANSWER
    const size = (count: number) =>
      encodeAnswer({ ...usual, minutes: Array.from({ length: count }, () => ({})), hours: [], containers: [] }).length
    expect(size(4) - size(3)).toBe(48)
    expect(size(2)).toBeLessThan(200)
  })

  it('leave out the containers that use least, then hours, where there is not room for all', () => {
    const containers = Array.from({ length: 448 }, (_, n) => ({
      name: `namespace/${'long-name-'.repeat(9)}${n}/c`,
      figures: { cpu: 1, memory: n / 5 },
    }))
    const whole = { ...ANSWER, containers }
    const told = decodeAnswer(encodeWithin(whole, 3_072), QUESTION)
    expect(encodeWithin(whole, 3_072).length).toBeLessThanOrEqual(3_072)
    expect(told.containers.length).toBeGreaterThan(15)
    expect(told.containers[0]?.name).toBe(containers[447]?.name)
    expect(told.hours).toHaveLength(1)
    expect(decodeAnswer(encodeWithin(whole, 256 * 1024), QUESTION).containers).toHaveLength(448)
    expect(decodeAnswer(encodeWithin(whole, 250), QUESTION)).toMatchObject({ containers: [], hours: [] })
  })

  it.each([
    ['a negative share', 'cpu', -1],
    ['more than all', 'memory', 100.5],
    ['infinity', 'load', Number.POSITIVE_INFINITY],
    ['what is too large for it', 'network-in', 1e308],
    ['more than any network', 'network-out', 1e14],
  ] as const)('refuse %s', (_, name, figure) => {
    expect(() => decodeAnswer(tampered({ rows: minuteWith(name, figure) }), QUESTION)).toThrow(name)
    const hours = [{ hour: 490_001, row: minuteWith(name, figure) }]
    expect(() => decodeAnswer(tampered({ hours }), QUESTION)).toThrow(name)
  })

  it('refuse a container that uses more than there is', () => {
    const containers = [{ name: 'a/b/c', row: row([101, 0]) }]
    expect(() => decodeAnswer(tampered({ containers }), QUESTION)).toThrow('cpu of 101')
  })

  it.each([
    ['more minutes than were asked for', { rows: new Uint8Array(4 * 48) }],
    ['half a row', { rows: new Uint8Array(47) }],
    ['an hour of another size', { hours: [{ hour: 1, row: new Uint8Array(52) }] }],
    ['49 hours', { hours: Array.from({ length: 49 }, (_, hour) => ({ hour, row: minuteWith('cpu', 1) })) }],
    ['449 containers', { containers: Array.from({ length: 449 }, (_, n) => ({ name: `${n}`, row: row([1, 1]) })) }],
    ['a container without a name', { containers: [{ name: '', row: row([1, 1]) }] }],
    ['a name without end', { containers: [{ name: 'x'.repeat(129), row: row([1, 1]) }] }],
    ['a minute before all time', { minute: -1 }],
    ['a minute of two minutes', { passedMs: 120_000 }],
    ['more fields', { node: 'node-2' }],
  ])('refuse %s', (_, changed) => {
    expect(() => decodeAnswer(tampered(changed), QUESTION)).toThrow()
  })

  it('refuse containers that nobody asked for, and what is no answer at all', () => {
    expect(() => decodeAnswer(encodeAnswer(ANSWER), { ...QUESTION, containers: false })).toThrow('not asked for')
    for (const bytes of [new Uint8Array(), new Uint8Array(1_000).fill(0xff), encodeValue('no')])
      expect(() => decodeAnswer(bytes, QUESTION)).toThrow()
    expect(() => decodeQuestion(encodeValue({ ...QUESTION, minutes: 61 }))).toThrow()
  })
})
