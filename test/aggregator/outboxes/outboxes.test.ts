/** What an aggregator missed comes back from the nodes: the same events, by their times, and each from its own node alone. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Event, StoredEvent } from '../../../aggregator/model.ts'
import { Outboxes } from '../../../aggregator/outboxes/outboxes.ts'
import { Recorder } from '../../../aggregator/recorder.ts'
import { openJournal, type SqliteJournal } from '../../../aggregator/store/sqlite.ts'
import { watchWrites } from '../../../aggregator/store/write-watch.ts'
import type { Finding } from '../../../detectors/contract.ts'
import type { Roster } from '../../../mesh/core/model.ts'
import { Outbox } from '../../../node-agent/outbox/outbox.ts'
import { decodeOutboxAsk, encodeOutboxPage } from '../../../outbox/record.ts'
import { keysNamed } from '../../mesh/real-mesh.ts'
import { sampleMember } from '../../mesh/sample-mesh.ts'
import { SILENT_LOG } from '../serve-sample.ts'

const PATIENCE = { timeout: 20_000, interval: 20 }
const NAMES = ['a', 'b', 'c']
const MINUTE_MS = 60_000

let dir: string
let journal: SqliteJournal
let nowMs: number
let roster: Roster
let outboxes: Map<string, Outbox>
let started: Outboxes[]
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'starling-outboxes-'))
  journal = openJournal(':memory:')
  started = []
  nowMs = Date.now() - 60 * MINUTE_MS
  const members = await Promise.all(
    NAMES.map(async (node) => sampleMember(node, '', { peerId: (await keysNamed(node)).peerId })),
  )
  roster = { mesh: 'sample', epoch: 1, previous: '', seed: '', members, aggregators: [] }
  outboxes = new Map(await Promise.all(NAMES.map(async (node) => [node, await outboxOf(node)] as const)))
})
afterEach(() => {
  vi.useRealTimers()
  for (const one of started) one.stop()
  journal.close()
  rmSync(dir, { recursive: true, force: true })
})

async function outboxOf(node: string, folder = node): Promise<Outbox> {
  const { sign } = await keysNamed(node)
  const of = { node, serial: 1, mesh: 'sample', sign, bytes: 1024 * 1024, wallNow: () => nowMs, log: SILENT_LOG }
  return new Outbox({ ...of, stateDir: join(dir, folder) })
}

function finding(node: string, name: string): Finding {
  const at = new Date(nowMs).toISOString()
  const of = { node, detector: 'disk-usage', reason: 'DiskAlmostFull', cause: '/', evidence: [] }
  return { ...of, id: `${node}/${name}`, summary: name, status: 'warn', since: at, observedAt: at, ttlMs: MINUTE_MS }
}

/** A node says it, a minute after what was said before. */
function says(node: string, ...names: readonly string[]): readonly Finding[] {
  nowMs += MINUTE_MS
  const findings = names.map((name) => finding(node, name))
  outboxes.get(node)?.report('disk-usage', findings)
  return findings
}

type Ask = (peer: string, topic: string, bytes: Uint8Array) => Promise<Uint8Array>
const answering: Ask = async (peer, _, bytes) => {
  const outbox = outboxes.get(peer)
  if (outbox === undefined) throw new Error(`${peer} is not there`)
  return encodeOutboxPage(outbox.page(decodeOutboxAsk(bytes)))
}

function start(
  store: SqliteJournal = journal,
  ask: Ask = answering,
  leads = () => true,
  log: typeof SILENT_LOG = SILENT_LOG,
): Outboxes {
  const take = (events: readonly Event[]) => void store.appendAll(events)
  const collecting = new Outboxes({ journal: store, take, leads, log })
  started.push(collecting)
  collecting.start({ ask, roster })
  return collecting
}

const events = (): readonly StoredEvent[] => journal.query({ limit: 1_000 })
const ids = () => events().map(({ id }) => id)
const until = (what: readonly string[]) => vi.waitFor(() => expect(ids()).toEqual(what), PATIENCE)

it('rebuilds a lost history: the events that the recorder would have made, by their times', async () => {
  const heard = openJournal(':memory:')
  const recorder = new Recorder(
    heard,
    'lost',
    () => {},
    () => new Date(nowMs).toISOString(),
  )
  const told = (node: string, ...names: readonly string[]) => recorder.report(node, 'disk-usage', says(node, ...names))
  told('a', 'full')
  told('b', 'full', `<script>\r\n=1+1\u001b[31m 漢字`)
  told('a')
  told('c', 'full')
  told('b', 'full')
  start()
  await vi.waitFor(() => expect(events().length).toBe(6), PATIENCE)
  expect(events()).toEqual(heard.query({ limit: 100 }))
  heard.close()
})

it('asks for what came after, and leaves out what is on record', async () => {
  says('a', 'one')
  const first = start()
  await until(['finding/a/one'])
  await vi.waitFor(() => expect(journal.readFact('outbox/a')).not.toBeNull(), PATIENCE)
  first.stop()
  says('a')
  says('a', 'two')
  const asked: unknown[] = []
  const second = start(journal, async (peer, topic, bytes) => {
    asked.push({ peer, ...decodeOutboxAsk(bytes) })
    return await answering(peer, topic, bytes)
  })
  await until(['finding/a/one', 'finding/a/one/cleared', 'finding/a/two'])
  expect(asked).toContainEqual(expect.objectContaining({ peer: 'a', after: 1 }))
  // A node that comes back may have said something that nobody heard.
  says('b', 'unheard')
  second.stored({
    seq: 9,
    id: 'x',
    at: '',
    kind: 'recovered',
    node: 'b',
    tone: 'good',
    summary: '',
    causedBy: '',
    data: {},
  })
  await until(['finding/a/one', 'finding/a/one/cleared', 'finding/a/two', 'finding/b/unheard'])
})

it('does not believe a node about another, and does not wait for one that is down', async () => {
  says('a', 'real')
  const forger = await outboxOf('c', 'forger')
  forger.report('disk-usage', [finding('c', 'forged')])
  forger.report('other', [{ ...finding('b', 'forged'), detector: 'other' }])
  outboxes.set('b', forger)
  outboxes.delete('c')
  start()
  await until(['finding/a/real'])
})

it('asks nobody while it stands by, and then a few at once', async () => {
  const member = roster.members[0]
  if (member === undefined) throw new Error('no member')
  const crowd = Array.from({ length: 40 }, (_, index) => ({ ...member, node: `n${index}` }))
  roster = { ...roster, members: crowd }
  let leads = false
  let asked = 0
  const held = new Set<() => void>()
  vi.useFakeTimers({ toFake: ['setInterval'] })
  start(
    journal,
    async () => {
      asked++
      await new Promise<void>((release) => held.add(release))
      return encodeOutboxPage({ outbox: '0123456789abcdef', records: [], upTo: 0, hasMore: false })
    },
    () => leads,
  )
  await vi.advanceTimersByTimeAsync(MINUTE_MS)
  expect(asked).toBe(0)
  leads = true
  await vi.advanceTimersByTimeAsync(MINUTE_MS)
  expect([asked, held.size]).toEqual([8, 8])
  vi.useRealTimers()
  const releasing = setInterval(() => {
    for (const release of held) release()
  })
  await vi.waitFor(() => expect(asked).toBe(40), PATIENCE)
  clearInterval(releasing)
})

it('goes on where it was when it leads again', async () => {
  says('a', 'one')
  says('b', 'two')
  const away = outboxes.get('b')
  outboxes.delete('b')
  let leads = true
  vi.useFakeTimers({ toFake: ['setInterval', 'performance'] })
  start(journal, answering, () => leads)
  await vi.advanceTimersByTimeAsync(1_000)
  await until(['finding/a/one'])
  leads = false
  await vi.advanceTimersByTimeAsync(1_000)
  if (away !== undefined) outboxes.set('b', away)
  leads = true
  await vi.advanceTimersByTimeAsync(MINUTE_MS)
  await until(['finding/a/one', 'finding/b/two'])
})

describe('a disk that is full', () => {
  it('is told once, however long it is tried', async () => {
    let isFull = true
    const appendAll: SqliteJournal['appendAll'] = (all) => {
      if (isFull) throw new Error('database or disk is full')
      return journal.appendAll(all)
    }
    const error = vi.fn()
    says('a', 'one')
    vi.useFakeTimers({ toFake: ['setInterval', 'performance'] })
    start({ ...journal, appendAll }, answering, () => true, { ...SILENT_LOG, error })
    await vi.advanceTimersByTimeAsync(MINUTE_MS)
    expect(error).toHaveBeenCalledOnce()
    isFull = false
    await vi.advanceTimersByTimeAsync(MINUTE_MS)
    await until(['finding/a/one'])
  })

  it('loses nothing that nodes said: it is asked for when there is room again', async () => {
    let isFull = false
    const full = <T>(write: () => T): T => {
      if (isFull) throw new Error('database or disk is full')
      return write()
    }
    const said: string[] = []
    const log = { ...SILENT_LOG, error: (_: object, text: string) => void said.push(text) }
    const watched = watchWrites(
      {
        ...journal,
        append: (event) => full(() => journal.append(event)),
        appendAll: (all) => full(() => journal.appendAll(all)),
        writeFact: (key, value) => full(() => journal.writeFact(key, value)),
      },
      log,
    )
    const recorder = new Recorder(watched, 'life', () => {})
    recorder.report('a', 'disk-usage', says('a', 'before'))
    const collecting = start(watched)
    watched.onWrittenAgain((since) => collecting.missedSince(since))
    isFull = true
    expect(() => recorder.report('a', 'disk-usage', says('a', 'before', 'missed'))).toThrow('full')
    expect(() => recorder.report('b', 'disk-usage', says('b', 'missed'))).toThrow('full')
    says('b')
    expect(said.filter((text) => text === 'the history cannot be written').length).toBe(1)
    isFull = false
    recorder.report('c', 'disk-usage', says('c', 'after'))
    await vi.waitFor(
      () =>
        expect(ids().toSorted()).toEqual([
          'finding/a/before',
          'finding/a/missed',
          'finding/b/missed',
          'finding/b/missed/cleared',
          'finding/c/after',
        ]),
      PATIENCE,
    )
  })
})
