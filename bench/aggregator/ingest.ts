/**
 * How fast what happens on nodes is on record and told, and what that costs whoever reads along: findings come and go on 5,000
 * nodes, a thousand a second. The time is taken from when one was due to be said to when a reader of the stream has its
 * event, so whatever holds the aggregator up in between counts.
 */
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoredEvent } from '../../aggregator/model.ts'
import { readEventStream } from '../../cli/event-stream.ts'
import { AGGREGATOR_NODE_FLAGS } from '../../cli/local/mesh.ts'
import type { Measure } from '../../detectors/contract.ts'
import type { Progress } from '../bench.ts'
import { median, percentile } from '../statistics.ts'
import type { IngestOrder, IngestWord } from './ingest-process.ts'
import type { Part, PartOutcome } from './part.ts'

const NODES = 5_000
const PER_SECOND = 1_000
const TOKEN = 'bench'
/** After the last was said: a machine that does not keep up has a backlog. */
const PATIENCE_MS = 120_000

/** Beside what comes and goes nodes say nothing. */
export const ingest: Part = {
  name: 'ingest',
  run: ({ seconds }, progress) => ingested('ingest', { detectors: 0, seconds }, progress),
}

/** Each of all detectors has found its node to be well. The targets are said for no such fleet: these are figures only. */
export const ingestOfAll: Part = {
  name: 'ingest-all',
  async run({ seconds }, progress) {
    const { results, targets } = await ingested('ingest-all', { detectors: 40, seconds }, progress)
    return { results: [...results, ...targets.map(({ name, value, unit }) => ({ name, value, unit }))], targets: [] }
  },
}

interface Told {
  events: number
  changes: number
  /** Of whole states. */
  stateBytes: number
  changeBytes: number
  /** Of everything. */
  bytes: number
}

async function ingested(
  name: string,
  { detectors, seconds }: { readonly detectors: number; readonly seconds: number },
  progress: Progress,
): Promise<PartOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'starling-bench-'))
  const child = fork(new URL('./ingest-process.ts', import.meta.url), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: AGGREGATOR_NODE_FLAGS,
  })
  const line = new AbortController()
  const word = () =>
    new Promise<IngestWord>((resolve, reject) => {
      child.once('message', (said) => resolve(said as IngestWord))
      child.once('exit', (code) => reject(new Error(`the aggregator ended with code ${code}`)))
    })
  try {
    child.send({ folder, nodes: NODES, detectors, perSecond: PER_SECOND, seconds, token: TOKEN } satisfies IngestOrder)
    const ready = await word()
    if (ready.kind !== 'ready') throw new Error('the aggregator did not start')
    const answer = await fetch(`${ready.url}/api/v1/stream`, {
      headers: { authorization: `Bearer ${TOKEN}` },
      signal: line.signal,
    })
    const delays: number[] = []
    const told: Told = { events: 0, changes: 0, stateBytes: 0, changeBytes: 0, bytes: 0 }
    const began = performance.now()
    const reading = readDelays(answer, delays, told, Date.now)
    const finished = word()
    child.send('go')
    progress(
      `${NODES} nodes, ${detectors} findings of what is well on each, ${PER_SECOND} transitions a second for ${seconds} s`,
    )
    const done = await finished
    if (done.kind !== 'done') throw new Error('the aggregator did not finish')
    const tookS = (performance.now() - began) / 1_000
    const deadline = performance.now() + PATIENCE_MS
    while (told.events < done.stored && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    line.abort()
    await reading
    child.send('stop')
    const p99 = percentile(delays, 0.99)
    const rss = done.rssMax / 1e6
    return {
      results: [
        { name: `${name}: to the stream, median`, value: median(delays), unit: 'ms' },
        { name: `${name}: changes told`, value: told.changes, unit: '' },
        { name: `${name}: whole states told`, value: told.stateBytes, unit: 'bytes' },
        { name: `${name}: changes told to a page`, value: told.changeBytes / tookS, unit: 'bytes/s' },
        { name: `${name}: all told to a page`, value: (told.bytes - told.stateBytes) / tookS, unit: 'bytes/s' },
        { name: `${name}: took`, value: tookS, unit: 's' },
        // Of all threads: what it costs on a machine that others use as well.
        { name: `${name}: processor time`, value: done.cpuS / seconds, unit: 's each second' },
      ],
      targets: [
        { name: `${name}: to the stream, p99`, value: p99, unit: 'ms', op: '<=', target: 100 },
        { name: `${name}: memory, most`, value: rss, unit: 'MB', op: '<=', target: 400 },
        {
          name: `${name}: transitions on record`,
          value: done.stored,
          unit: '',
          op: '>=',
          target: PER_SECOND * seconds,
        },
        // A reader that was cut off would make the delays those of a part.
        { name: `${name}: events told`, value: told.events, unit: '', op: '>=', target: PER_SECOND * seconds },
      ],
    }
  } finally {
    line.abort()
    if (child.exitCode === null) {
      await new Promise((resolve) => {
        child.once('exit', resolve)
        setTimeout(() => child.kill('SIGKILL'), 10_000).unref()
      })
    }
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Of each event that tells when it was due the time since then: what is gone again does not. */
async function readDelays(answer: Response, delays: number[], told: Told, now: () => number): Promise<void> {
  try {
    for await (const { name, data } of readEventStream(
      (answer.body ?? new ReadableStream()).pipeThrough(counted(told)),
    )) {
      if (name === 'state') told.stateBytes += Buffer.byteLength(data)
      if (name === 'change') {
        told.changes++
        told.changeBytes += Buffer.byteLength(data)
      }
      if (name !== 'event') continue
      told.events++
      const [due] = ((JSON.parse(data) as StoredEvent).data.evidence ?? []) as readonly Measure[]
      if (due !== undefined) delays.push(now() - Number(due.value))
    }
  } catch {
    // The line was cut on purpose.
  }
}

function counted(told: Pick<Told, 'bytes'>): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(chunk, controller) {
      told.bytes += chunk.length
      controller.enqueue(chunk)
    },
  })
}
