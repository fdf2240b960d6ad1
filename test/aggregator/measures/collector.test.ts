/** Rounds of questions about measures: what is asked, what of the answers is taken, and the hours that are written. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { AskedRows } from '../../../aggregator/measures/asked-rows.ts'
import { Collector } from '../../../aggregator/measures/collector.ts'
import { FleetMeasures } from '../../../aggregator/measures/fleet-measures.ts'
import { NO_CLUSTER } from '../../../aggregator/measures/pod-labels.ts'
import type { MeasureRows } from '../../../aggregator/measures/rows.ts'
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
const PATIENCE = { timeout: 20_000, interval: 20 }
const HOUR = 500_000
const signal = new AbortController().signal
const EMPTY: MeasureAnswer = { minute: 5, passedMs: 0, minutes: [], hours: [], containerMinute: 0, containers: [] }

/** Nodes that answer with all of these hours that they are asked for, and a figure that is their number. */
function meshOf(count: number, hours: readonly number[] = []) {
  const nodes = Array.from({ length: count }, (_, index) => `node-${index + 1}`)
  const state = { nowMs: 1_000_000, wallMs: HOUR * HOUR_MS, leads: true, canWrite: true }
  const asked: [readonly string[], MeasureQuestion, 'by name' | 'all'][] = []
  const written: HourOfMeasures[] = []
  const answers: Record<string, Uint8Array> = {}
  const silent = new Set<string>()
  const poolOf = (node: string) => (nodes.includes(node) ? '' : undefined)
  const fleet = new FleetMeasures({ now: () => state.nowMs, poolOf, pods: NO_CLUSTER })
  const rowsBy = (way: 'by name' | 'all'): MeasureRows => ({
    async collect(question, of, take) {
      asked.push([of, question, way])
      for (const node of of.filter((each) => !silent.has(each))) {
        const figure = Number(node.slice(5)) % 100
        const told = hours
          .filter((hour) => hour > question.hoursAfter)
          .map((hour) => ({ hour, averages: { cpu: figure } }))
        const answer = { ...EMPTY, minutes: [{ cpu: figure }], passedMs: 30_000, hours: told }
        take(node, answers[node] ?? encodeAnswer(answer))
      }
      take('stranger', encodeAnswer({ ...EMPTY, minutes: [{ cpu: 66 }] }))
      take('node-1', encodeAnswer({ ...EMPTY, minute: 9, minutes: [{ cpu: 66 }] }))
    },
  })
  const collector = new Collector({
    fleet,
    members: () => nodes,
    leads: () => state.leads,
    wallNow: () => state.wallMs,
    now: () => state.nowMs,
    log: silentLog,
    rows: rowsBy('all'),
    byName: rowsBy('by name'),
    async keepHours(kept) {
      if (!state.canWrite) throw new Error('disk full')
      written.push(...kept)
    },
  })
  const figures = () => fleet.averages('cpu', MINUTE, 'host').map(({ subject, value }) => [subject.node, value])
  const round = () => collector.round(nodes, signal)
  const hoursWritten = () => written.map(({ hour }) => Date.parse(hour) / HOUR_MS)
  return { state, asked, written, hoursWritten, answers, silent, round, figures, nodes }
}

describe('a round', () => {
  it('takes one answer of each member that was asked, and of nobody else', async () => {
    const { round, figures } = meshOf(2)
    await round()
    expect(figures()).toEqual([
      ['node-1', 1],
      ['node-2', 2],
    ])
  })

  it('asks everybody for the last minutes, and for all that there is those who were not heard all the time', async () => {
    const { round, asked, state, silent, nodes } = meshOf(2)
    silent.add('node-2')
    await round()
    const all = { minutes: 60, hoursAfter: HOUR - 49, containers: false }
    expect(asked).toEqual([
      [nodes, { minutes: 5, hoursAfter: HOUR - 2, containers: false }, 'all'],
      [['node-1'], all, 'by name'],
    ])
    silent.clear()
    await round()
    expect(asked.at(-1)).toEqual([['node-2'], all, 'by name'])
    asked.length = 0
    await round()
    expect(asked.map(([, , way]) => way)).toEqual(['all'])
    state.nowMs += 6 * MINUTE
    await round()
    expect(asked.at(-1)).toEqual([nodes, all, 'by name'])
  })

  it('catches up with 200 nodes at once', async () => {
    const { round, asked } = meshOf(450)
    for (let rounds = 0; rounds < 4; rounds++) await round()
    expect(asked.filter(([, , way]) => way === 'by name').map(([of]) => of.length)).toEqual([200, 200, 50])
  })

  it('refuses an answer that is none whole, and takes the others', async () => {
    const { round, figures, answers, written } = meshOf(3, [HOUR - 1])
    answers['node-2'] = encodeAnswer({
      ...EMPTY,
      minutes: [{ cpu: 1e308 }],
      hours: [{ hour: HOUR - 1, averages: { cpu: 2 } }],
    })
    answers['node-3'] = new Uint8Array(100)
    await round()
    expect(figures()).toEqual([['node-1', 1]])
    expect(new Set(written.map(({ node }) => node))).toEqual(new Set(['node-1']))
  })

  it('takes nothing when it leads no more', async () => {
    const { round, figures, state, written } = meshOf(1, [HOUR - 1])
    state.leads = false
    await round()
    expect([figures(), written]).toEqual([[], []])
  })
})

describe('hours', () => {
  it('of a time without a leader are fetched from the nodes, and each one that is over when it is', async () => {
    const hours = [HOUR - 3, HOUR - 2, HOUR - 1]
    const { round, written, hoursWritten, state } = meshOf(1, hours)
    await round()
    expect(hoursWritten().toSorted()).toEqual([HOUR - 3, HOUR - 2, HOUR - 1, HOUR - 1])
    expect(written[0]).toEqual({ node: 'node-1', hour: '2027-01-15T07:00:00.000Z', averages: { cpu: 1 } })
    written.length = 0
    await round()
    expect(written).toEqual([])
    state.wallMs += HOUR_MS + 9 * MINUTE
    hours.push(HOUR)
    await round()
    await round()
    expect(hoursWritten()).toEqual([HOUR])
  })

  it('are asked for again when they could not be written', async () => {
    const { round, written, state } = meshOf(2, [HOUR - 1])
    state.wallMs += 30 * MINUTE
    state.canWrite = false
    await round()
    await round()
    state.canWrite = true
    await round()
    expect(written.map(({ node }) => node)).toEqual(['node-1', 'node-2'])
  })

  it('that are still to come, or long over, are not written', async () => {
    const { round, hoursWritten, answers, state } = meshOf(1)
    state.wallMs += 30 * MINUTE
    answers['node-1'] = encodeAnswer({
      ...EMPTY,
      hours: [HOUR + 1, HOUR + 1_000, HOUR - 50, 1, HOUR].map((hour) => ({ hour, averages: { cpu: 1 } })),
    })
    await round()
    expect(new Set(hoursWritten())).toEqual(new Set([HOUR]))
  })
})

describe('asking one after the other', () => {
  const QUESTION = { minutes: 1, hoursAfter: 0, containers: false }
  const twenty = Array.from({ length: 20 }, (_, n) => `node-${n}`)

  it('is eight at once, and an answer is handed on as it comes', async () => {
    const held = new Set<() => void>()
    const rows = new AskedRows(async (_node, _topic, bytes) => {
      await new Promise<void>((release) => held.add(release))
      return bytes
    }, silentLog)
    const answered: string[] = []
    const round = rows.collect(
      QUESTION,
      twenty,
      (node, bytes) => {
        expect(decodeQuestion(bytes).minutes).toBe(1)
        answered.push(node)
      },
      signal,
    )
    await vi.waitFor(() => expect(held.size).toBe(8), PATIENCE)
    // Twice as long as there is between two questions: a ninth would have come.
    await sleep(100)
    expect(held.size).toBe(8)
    const releasing = setInterval(() => {
      for (const release of held) release()
    })
    await round
    clearInterval(releasing)
    expect(answered).toHaveLength(20)
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
    await rows.collect(QUESTION, twenty, () => {}, signal)
    isFirst = false
    order.length = 0
    const answered: string[] = []
    const round = rows.collect(
      QUESTION,
      twenty,
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
    await rows.collect(QUESTION, twenty, () => {}, stop.signal)
    expect(order.length).toBeLessThan(20)
  })
})
