/** A history of as many nodes and days as are asked for, written as an aggregator writes it, and asked as a page asks. */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Event } from '../../aggregator/event-model.ts'
import type { History } from '../../aggregator/history/history.ts'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import type { HourOfMeasures } from '../../inspection/measures.ts'
import type { Progress } from '../bench.ts'
import { percentile } from '../statistics.ts'
import type { Part, PartOutcome } from './part.ts'

const START = Date.parse('2026-01-01T00:00:00.000Z')
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const EVENTS_AT_ONCE = 1_000
const SIZE_TARGET = 2e9
/** What the target is said for: 5,000 nodes, 20 a day, 90 days. */
const ROWS_OF_TARGET = 9_000_000
const DAYS_OF_NODES_OF_TARGET = 450_000
const PAGE = 200

/** What the targets are said for. */
const FLEET = { nodes: 5_000, transitions: 20, queries: 100 }

interface StoreSize {
  readonly nodes: number
  readonly transitions: number
  readonly days: number
  readonly queries: number
}

export const store: Part = {
  name: 'store',
  run: ({ days }, progress) => storeFigures({ ...FLEET, days }, progress),
}

async function storeFigures(size: StoreSize, progress: Progress): Promise<PartOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'starling-bench-store-'))
  const file = join(folder, 'history.sqlite')
  try {
    const journal = openJournal(file)
    const began = performance.now()
    await writeEvents(journal.history, size, progress)
    const writtenMs = performance.now() - began
    journal.close()
    const eventBytes = statSync(file).size
    const again = openJournal(file)
    await writeMeasures(again.history, size, progress)
    again.close()
    const bytes = statSync(file).size
    const openAt = performance.now()
    const last = openJournal(file)
    const openedMs = performance.now() - openAt
    const times = await ask(last.history, size, progress)
    last.close()
    const rows = size.nodes * size.transitions * size.days
    const bytesPerRow = eventBytes / rows
    const bytesPerDay = (bytes - eventBytes) / (size.nodes * size.days)
    const whole = bytesPerRow * ROWS_OF_TARGET + bytesPerDay * DAYS_OF_NODES_OF_TARGET
    return {
      results: [
        { name: 'events', value: rows, unit: 'rows' },
        { name: 'size', value: bytes, unit: 'bytes' },
        { name: 'an event with its indexes', value: bytesPerRow, unit: 'bytes' },
        { name: "a node's day of measures", value: bytesPerDay, unit: 'bytes' },
        { name: 'written', value: rows / (writtenMs / 1_000), unit: 'events/s' },
        { name: 'opened and checked', value: openedMs, unit: 'ms' },
      ],
      targets: [
        {
          name: 'size of 9 M events and 90 days of 5,000 nodes',
          value: whole,
          unit: 'bytes',
          op: '<=',
          target: SIZE_TARGET,
        },
        ...times.map(({ name, ms }) => {
          return { name: `${name}, p95`, value: percentile(ms, 0.95), unit: 'ms', op: '<=', target: 50 } as const
        }),
      ],
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function writeEvents(history: History, { nodes, transitions, days }: StoreSize, progress: Progress) {
  let batch: Event[] = []
  for (let day = 0; day < days; day++) {
    for (let turn = 0; turn < transitions; turn += 2) {
      for (let node = 0; node < nodes; node++) {
        batch.push(...fault(node, START + day * DAY_MS + (turn * DAY_MS) / transitions + node * 17, turn))
        if (batch.length >= EVENTS_AT_ONCE) {
          await history.append(batch)
          batch = []
        }
      }
    }
    progress(`day ${day + 1} of ${days}: events`)
  }
  await history.append(batch)
}

const FAULTS = [
  { detector: 'disk-usage', reason: 'DiskSpaceLow', cause: '/var/lib/containerd', unit: 'ratio' },
  { detector: 'memory', reason: 'MemoryAlmostFull', cause: '', unit: 'ratio' },
  { detector: 'clock', reason: 'ClockUnusable', cause: '', unit: 's' },
  { detector: 'conntrack', reason: 'ConntrackAlmostFull', cause: '', unit: 'ratio' },
  { detector: 'net-errors', reason: 'InterfaceErrors', cause: 'eth0', unit: 'per second' },
] as const

/** It begins, and is over a minute later: now and then an agent that is not heard, mostly something that a detector finds. */
function fault(number: number, ms: number, turn: number): readonly Event[] {
  const node = nodeName(number)
  const [at, over] = [new Date(ms).toISOString(), new Date(ms + 60_000).toISOString()]
  if ((number + turn) % 10 === 0) {
    const id = `suspected/${node}/aggregator-1.7.${ms}`
    const data = { first: nodeName((number + 1) % 5_000), silentMs: 1_200 + (number % 700) }
    return [
      { id, at, kind: 'suspected', node, tone: 'info', summary: `${data.first} missed it first`, causedBy: '', data },
      {
        id: `un${id}`,
        at: over,
        kind: 'unsuspected',
        node,
        tone: 'good',
        summary: 'it answers',
        causedBy: id,
        data: {},
      },
    ]
  }
  const { detector, reason, cause, unit } = FAULTS[(number * 7 + turn) % FAULTS.length] ?? FAULTS[0]
  const value = 0.8 + ((number * 31 + turn * 17) % 1_900) / 10_000
  const id = `finding/${node}/${detector}/${reason}/${cause}#${at}`
  const said = `${cause === '' ? 'it' : cause} is at ${value} of 1, ${(value * 960_000).toFixed(0)} used`
  const evidence = [
    { name: 'used', value, limit: 0.85, unit },
    { name: 'usedNow', value: Math.round(value * 960_197_124_096), unit: 'bytes' },
  ]
  return [
    {
      id,
      at,
      kind: 'finding',
      node,
      tone: 'bad',
      summary: `${reason} (warn): ${said}`,
      causedBy: '',
      data: { detector, evidence },
    },
    {
      id: `${id}/cleared`,
      at: over,
      kind: 'finding',
      node,
      tone: 'good',
      summary: `cleared: ${said}`,
      causedBy: id,
      data: { detector },
    },
  ]
}

/** Each hour when it is over, as an aggregator does. */
async function writeMeasures(history: History, { nodes, days }: StoreSize, progress: Progress) {
  for (let day = 0; day < days; day++) {
    // A day at once: written hour by hour it is as large, and only takes 24 times as long here.
    for (let first = 0; first < nodes; first += 100) {
      const hours: HourOfMeasures[] = []
      for (let node = first; node < Math.min(nodes, first + 100); node++) {
        for (let hour = 0; hour < 24; hour++) {
          const wave = (per: number) => 50 + 40 * Math.sin((node * 13 + hour * per + day) / 7)
          hours.push({
            node: nodeName(node),
            hour: new Date(START + day * DAY_MS + hour * HOUR_MS).toISOString(),
            averages: {
              cpu: wave(1),
              memory: wave(2),
              swap: 0,
              load: wave(3) / 60,
              'pressure-cpu': wave(4) / 30,
              'pressure-memory': 0,
              'pressure-io': wave(5) / 50,
              disk: 40 + (node % 50) + hour / 100,
              inodes: 5 + (node % 20),
              'network-in': wave(6) * 1e6,
              'network-out': wave(7) * 1e6,
              conntrack: wave(8) / 4,
            },
          })
        }
      }
      await history.keepMeasures(hours)
    }
    progress(`day ${day + 1} of ${days}: measures`)
  }
}

async function ask(history: History, { nodes, days, queries }: StoreSize, progress: Progress) {
  const time = (ms: number) => new Date(START + ms).toISOString()
  const limit = PAGE
  const of = (n: number) => nodeName((n * 7_919) % nodes)
  const kinds = ['suspected', 'unsuspected', 'finding', 'verdict'] as const
  const some = (await history.query({ limit: 1_000 })).map(({ id }) => id)
  const whole = { from: time(0), until: time(days * DAY_MS) }
  const within = (n: number) => {
    const from = ((n * 7_919) % (days * 24)) * HOUR_MS
    return { from: time(from), until: time(from + HOUR_MS) }
  }
  const asked: Readonly<Record<string, (n: number) => Promise<unknown>>> = {
    'newest 200': () => history.query({ limit }),
    'newest 200 of a node': (n) => history.query({ limit, node: of(n) }),
    'newest 200 of a kind': (n) => history.query({ limit, kinds: [kinds[n % kinds.length] ?? 'finding'] }),
    'newest 200 of several kinds': () => history.query({ limit, kinds }),
    'newest 200 of a tone and kind': () => history.query({ limit, kinds: ['finding'], tones: ['bad'] }),
    'an hour, newest 200': (n) => history.query({ limit, ...within(n) }),
    'an hour of a kind': (n) => history.query({ limit, ...within(n), kinds: ['suspected'] }),
    'one event by its id': (n) => history.byId(some[n % some.length] ?? ''),
    "a node's day of measures": (n) => {
      const from = (n * 31) % days
      return history.measures({ nodes: [of(n)], from: time(from * DAY_MS), until: time((from + 1) * DAY_MS) })
    },
    "a node's days of measures": (n) => history.dailyMeasures({ nodes: [of(n)], ...whole }),
    'events by day': () => history.eventsByDay(whole.from, whole.until),
  }
  const times: { readonly name: string; readonly ms: readonly number[] }[] = []
  for (const [name, query] of Object.entries(asked)) {
    progress(name)
    const ms: number[] = []
    for (let n = 0; n < queries; n++) {
      const began = performance.now()
      await query(n)
      ms.push(performance.now() - began)
    }
    times.push({ name, ms })
  }
  return times
}

function nodeName(number: number): string {
  return `node-${String(number).padStart(4, '0')}`
}
