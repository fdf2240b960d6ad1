/** Rounds of questions about measures: what is asked, what of the answers is taken, and the hours that are written. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { AskedRows } from '../../../aggregator/measures/asked-rows.ts'
import { Collector } from '../../../aggregator/measures/collector.ts'
import { FleetMeasures } from '../../../aggregator/measures/fleet-measures.ts'
import { silentLog } from '../../../common/log.ts'
import {
  decodeQuestion,
  encodeAnswer,
  HOUR_MS,
  type MeasureAnswer,
  type MeasureQuestion,
} from '../../../inspection/measure-words.ts'
import type { HourOfMeasures } from '../../../inspection/measures.ts'

const MINUTE = 60_000
const HOUR = 500_000
const signal = new AbortController().signal
const EMPTY: MeasureAnswer = { minute: 5, passedMs: 0, minutes: [], hours: [], containerMinute: 0, containers: [] }

/** Nodes that answer with all of these hours that they are asked for, and a figure that is their number. */
function meshOf(count: number, hours: readonly number[] = []) {
  const nodes = Array.from({ length: count }, (_, index) => `node-${index + 1}`)
  const state = { nowMs: 1_000_000, hour: HOUR, leads: true, canWrite: true }
  const asked: [string, MeasureQuestion][] = []
  const written: HourOfMeasures[] = []
  const answers: Record<string, Uint8Array> = {}
  const fleet = new FleetMeasures({ now: () => state.nowMs, poolOf: (node) => (nodes.includes(node) ? '' : undefined) })
  const collector = new Collector({
    fleet,
    members: () => nodes,
    leads: () => state.leads,
    wallNow: () => state.hour * HOUR_MS,
    now: () => state.nowMs,
    log: silentLog,
    rows: {
      async collect(questions, take) {
        for (const [node, question] of questions) {
          asked.push([node, question])
          const figure = Number(node.slice(5))
          const told = hours
            .filter((hour) => hour > question.hoursAfter)
            .map((hour) => ({ hour, averages: { cpu: figure } }))
          const answer = { ...EMPTY, minutes: [{ cpu: figure }], passedMs: 30_000, hours: told }
          take(node, answers[node] ?? encodeAnswer(answer))
        }
        take('stranger', encodeAnswer({ ...EMPTY, minutes: [{ cpu: 66 }] }))
        take('node-1', encodeAnswer({ ...EMPTY, minute: 9, minutes: [{ cpu: 66 }] }))
      },
    },
    async keepHours(kept) {
      if (!state.canWrite) throw new Error('disk full')
      written.push(...kept)
    },
  })
  const figures = () => fleet.averages('cpu', MINUTE, 'host').map(({ subject, value }) => [subject.node, value])
  return { state, asked, written, answers, collector, figures, nodes }
}

describe('a round', () => {
  it('takes one answer of each member that was asked, and of nobody else', async () => {
    const { collector, nodes, figures, asked } = meshOf(2)
    await collector.round(nodes, signal)
    expect(figures()).toEqual([
      ['node-1', 1],
      ['node-2', 2],
    ])
    expect(asked[0]?.[1]).toEqual({ minutes: 60, hoursAfter: HOUR - 49, containers: false })
  })

  it('asks for as many minutes as were missed', async () => {
    const { collector, nodes, asked, state } = meshOf(1)
    await collector.round(nodes, signal)
    state.nowMs += 3 * MINUTE
    await collector.round(nodes, signal)
    state.nowMs += 300 * MINUTE
    await collector.round(nodes, signal)
    expect(asked.map(([, { minutes }]) => minutes)).toEqual([60, 5, 60])
  })

  it('refuses an answer that is none whole, and takes the others', async () => {
    const { collector, nodes, figures, answers, written } = meshOf(3, [HOUR - 1])
    answers['node-2'] = encodeAnswer({
      ...EMPTY,
      minutes: [{ cpu: 1e308 }],
      hours: [{ hour: HOUR - 1, averages: { cpu: 2 } }],
    })
    answers['node-3'] = new Uint8Array(100)
    await collector.round(nodes, signal)
    expect(figures()).toEqual([['node-1', 1]])
    expect(written.map(({ node }) => node)).toEqual(['node-1'])
  })

  it('takes nothing when it leads no more', async () => {
    const { collector, nodes, figures, state, written } = meshOf(1, [HOUR - 1])
    state.leads = false
    await collector.round(nodes, signal)
    expect([figures(), written]).toEqual([[], []])
  })
})

describe('hours', () => {
  it('are written once, and those of a time without a leader are fetched later', async () => {
    const hours = [HOUR - 3, HOUR - 2, HOUR - 1]
    const { collector, nodes, written, state, asked } = meshOf(1, hours)
    await collector.round(nodes, signal)
    expect(written.map(({ hour }) => Date.parse(hour) / HOUR_MS)).toEqual(hours)
    expect(written[0]).toEqual({ node: 'node-1', hour: '2027-01-15T05:00:00.000Z', averages: { cpu: 1 } })
    await collector.round(nodes, signal)
    expect(written).toHaveLength(3)
    state.hour += 1
    hours.push(HOUR)
    await collector.round(nodes, signal)
    expect(written.map(({ hour }) => Date.parse(hour) / HOUR_MS)).toEqual(hours)
    expect(asked.at(-1)?.[1].hoursAfter).toBe(HOUR - 1)
  })

  it('are asked for again when they could not be written', async () => {
    const { collector, nodes, written, state } = meshOf(2, [HOUR - 1])
    state.canWrite = false
    await collector.round(nodes, signal)
    state.canWrite = true
    await collector.round(nodes, signal)
    expect(written.map(({ node }) => node)).toEqual(['node-1', 'node-2'])
  })

  it('that are still to come, or long over, are not written', async () => {
    const { collector, nodes, written, answers } = meshOf(1)
    answers['node-1'] = encodeAnswer({
      ...EMPTY,
      hours: [HOUR + 1, HOUR + 1_000, HOUR - 50, 1, HOUR].map((hour) => ({ hour, averages: { cpu: 1 } })),
    })
    await collector.round(nodes, signal)
    expect(written.map(({ hour }) => Date.parse(hour) / HOUR_MS)).toEqual([HOUR])
  })
})

describe('asking one after the other', () => {
  const questions = (count: number) =>
    new Map(Array.from({ length: count }, (_, n) => [`node-${n}`, { minutes: 1, hoursAfter: 0, containers: false }]))

  it('is eight at once, and an answer is handed on as it comes', async () => {
    let [now, most] = [0, 0]
    const rows = new AskedRows(async (_node, _topic, bytes) => {
      now += 1
      most = Math.max(most, now)
      await sleep(500)
      now -= 1
      return bytes
    }, silentLog)
    const answered: string[] = []
    await rows.collect(
      questions(20),
      (node, bytes) => {
        expect(decodeQuestion(bytes).minutes).toBe(1)
        answered.push(node)
      },
      signal,
    )
    expect(answered).toHaveLength(20)
    expect(most).toBe(8)
  })

  it('lets those who were silent hold up nobody who answers', async () => {
    const silent = new Set(['node-0', 'node-1', 'node-2', 'node-3', 'node-4', 'node-5', 'node-6', 'node-7'])
    const order: string[] = []
    let isFirst = true
    const hanging = new AbortController()
    const rows = new AskedRows(async (node) => {
      order.push(node)
      if (!silent.has(node)) return new Uint8Array()
      if (isFirst) throw new Error('nobody is there')
      return await sleep(60_000, new Uint8Array(), { signal: hanging.signal })
    }, silentLog)
    await rows.collect(questions(20), () => {}, signal)
    isFirst = false
    order.length = 0
    const answered: string[] = []
    const round = rows.collect(
      questions(20),
      (node) => {
        answered.push(node)
        if (answered.length === 12) hanging.abort()
      },
      signal,
    )
    await round
    expect(answered).toHaveLength(12)
    expect(order.slice(0, 14).filter((node) => silent.has(node)).length).toBeLessThanOrEqual(2)
  })

  it('ends when it is told to', async () => {
    const stop = new AbortController()
    const order: string[] = []
    const rows = new AskedRows(async (node) => {
      order.push(node)
      stop.abort()
      return new Uint8Array()
    }, silentLog)
    await rows.collect(questions(20), () => {}, stop.signal)
    expect(order.length).toBeLessThan(20)
  })
})
