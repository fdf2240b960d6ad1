/** Two aggregators whose questions to each other go straight to the other: what each has on record in the end. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readBatch } from '../../../aggregator/copies/batch.ts'
import { Copies } from '../../../aggregator/copies/copies.ts'
import type { Event, StoredEvent } from '../../../aggregator/model.ts'
import { Recorder } from '../../../aggregator/recorder.ts'
import { openJournal, type SqliteJournal } from '../../../aggregator/store/sqlite.ts'
import { Questions } from '../../../mesh/libp2p/questions.ts'
import { rosterOf, sampleMember } from '../../mesh/sample-mesh.ts'
import { event } from '../event.ts'
import { SILENT_LOG } from '../serve-sample.ts'

const [ONE, TWO] = ['aggregator-1', 'aggregator-2'] as const
const PATIENCE = { timeout: 20_000, interval: 10 }
const WAY = 'copies/append'

class Side {
  readonly node: string
  readonly questions = new Questions()
  readonly told: boolean[] = []
  journal = openJournal(':memory:')
  leads: boolean
  recorder: Recorder
  copies: Copies

  readonly #history: string | undefined

  constructor(node: string, leads: boolean, history?: string) {
    this.node = node
    this.leads = leads
    this.#history = history
    this.recorder = this.#recorder()
    this.copies = this.#copies()
  }

  /** As after its disk was lost. */
  lose(): void {
    this.journal = openJournal(':memory:')
    Object.assign(this, { questions: new Questions() })
    this.recorder = this.#recorder()
    this.copies = this.#copies()
  }

  get ids(): readonly string[] {
    return this.journal.query({ limit: 1_000 }).map(({ id }) => id)
  }

  #recorder(): Recorder {
    return new Recorder(this.journal, `${this.node}.1`, (stored: StoredEvent) => this.copies.stored(stored))
  }

  #copies(): Copies {
    return new Copies({
      node: this.node,
      journal: this.journal,
      take: (events: readonly Event[]) => this.recorder.copy(events, this.leads),
      leads: () => this.leads,
      leader: () => sides.find(({ leads }) => leads)?.node ?? '',
      tell: (isSingle) => void (this.told.at(-1) !== isSingle && this.told.push(isSingle)),
      questions: this.questions,
      history: this.#history,
      log: SILENT_LOG,
    })
  }
}

let sides: readonly Side[]
let isCut: boolean
let asked: { readonly to: string; readonly events: number }[]
const roster = { ...rosterOf([]), aggregators: [ONE, TWO].map((node) => sampleMember(node)) }

beforeEach(() => {
  isCut = false
  asked = []
  sides = [new Side(ONE, true), new Side(TWO, false)]
})
afterEach(() => {
  vi.useRealTimers()
  for (const { copies } of sides) copies.stop()
})

function start(side: Side, among = roster): void {
  const ask = async (to: string, topic: string, bytes: Uint8Array) => {
    const other = sides.find(({ node }) => node === to)
    if (isCut || other === undefined) throw new Error(`${to} is not there`)
    asked.push({ to, events: readBatch(bytes).events.length })
    return await other.questions.answer(side.node, topic, bytes)
  }
  side.copies.start({ ask, roster: among })
}

function both(): readonly [Side, Side] {
  const [one, two] = sides
  if (one === undefined || two === undefined) throw new Error('two sides')
  for (const side of sides) start(side)
  return [one, two]
}

const put = (journal: SqliteJournal, copies: Copies, id: string, parts: Partial<Event> = {}) => {
  const stored = journal.append(event(id, parts))
  if (stored !== null) copies.stored(stored)
}

describe('what the leader records', () => {
  it('is with the other under the same ids, in a chain of its own, and acknowledged', async () => {
    const [one, two] = both()
    for (const id of ['a', 'b', 'c']) put(one.journal, one.copies, id, { data: { nested: [1, '漢'] } })
    expect(await one.copies.acknowledged('c')).toBe(false)
    expect(two.journal.query({ limit: 9 })).toEqual(one.journal.query({ limit: 9 }))
    expect(two.journal.trail.rows(0).every(({ hash }) => hash !== null)).toBe(true)
    expect(one.copies.view()).toEqual({ others: [TWO], behind: 0, isSingle: false })
  })

  it('is not given back by the other, and what that recorded too is there once', async () => {
    const [one, two] = both()
    put(two.journal, two.copies, 'finding')
    for (const id of ['a', 'finding', 'b']) put(one.journal, one.copies, id)
    expect(await one.copies.acknowledged('b')).toBe(false)
    expect(two.ids).toEqual(['finding', 'a', 'b'])
    two.leads = true
    one.leads = false
    put(two.journal, two.copies, 'later')
    expect(await two.copies.acknowledged('later')).toBe(false)
    expect(one.ids).toEqual(['a', 'finding', 'b', 'later'])
    expect(asked.filter(({ to }) => to === ONE).reduce((sum, { events }) => sum + events, 0)).toBeLessThanOrEqual(2)
  })

  it('is a single copy after a second, and copied when the other is back, in order', async () => {
    const [one, two] = both()
    put(one.journal, one.copies, 'a')
    expect(await one.copies.acknowledged('a')).toBe(false)
    isCut = true
    for (const id of ['b', 'c']) put(one.journal, one.copies, id)
    expect(await one.copies.acknowledged('c')).toBe(true)
    await vi.waitFor(() => expect(one.copies.view()).toEqual({ others: [TWO], behind: 2, isSingle: true }), PATIENCE)
    isCut = false
    await vi.waitFor(() => expect(two.ids).toEqual(['a', 'b', 'c']), PATIENCE)
    expect(one.told).toEqual([false, true])
  })

  it('is given from the beginning to one that lost its disk, while the leader goes on', async () => {
    const [one, two] = both()
    one.journal.appendAll(Array.from({ length: 500 }, (_, index) => event(`e${index}`)))
    put(one.journal, one.copies, 'last')
    await vi.waitFor(() => expect(two.journal.byId('last')).not.toBeNull(), PATIENCE)
    two.copies.stop()
    two.lose()
    start(two)
    put(one.journal, one.copies, 'meanwhile')
    await vi.waitFor(() => expect(two.journal.byId('meanwhile')).not.toBeNull(), PATIENCE)
    expect(two.journal.trail.frame().given).toBe(502)
    expect(two.journal.query({ limit: 1_000 })).toEqual(one.journal.query({ limit: 1_000 }))
  })

  it('is not to be copied where there is one aggregator', async () => {
    const [one] = sides
    if (one === undefined) throw new Error('no side')
    start(one, { ...roster, aggregators: roster.aggregators.slice(0, 1) })
    put(one.journal, one.copies, 'a')
    expect(await one.copies.acknowledged('a')).toBe(false)
    expect(one.copies.view()).toEqual({ others: [], behind: 0, isSingle: false })
  })
})

it('takes nothing from who is no aggregator, and nothing that is no batch', async () => {
  const [, two] = both()
  await expect(two.questions.answer('node-1', WAY, new Uint8Array())).rejects.toThrow('node-1 is no aggregator')
  await expect(two.questions.answer(ONE, WAY, new Uint8Array([1]))).rejects.toThrow()
  expect(two.ids).toEqual([])
})

describe('a disk that takes nothing', () => {
  it('ends no aggregator: how far the others are is kept when there is room again', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const [one] = both()
    put(one.journal, one.copies, 'a')
    expect(await one.copies.acknowledged('a')).toBe(false)
    const { writeFact } = one.journal
    one.journal.writeFact = () => {
      throw new Error('database or disk is full')
    }
    await vi.advanceTimersByTimeAsync(10_000)
    expect(one.journal.readFact('copies/given/aggregator-2')).toBeNull()
    one.journal.writeFact = writeFact
    await vi.advanceTimersByTimeAsync(10_000)
    expect(one.journal.readFact('copies/given/aggregator-2')).toContain('"upTo":1')
    one.journal.writeFact = () => {
      throw new Error('database or disk is full')
    }
    put(one.journal, one.copies, 'b')
    expect(await one.copies.acknowledged('b')).toBe(false)
    expect(() => one.copies.stop()).not.toThrow()
    one.journal.writeFact = writeFact
  })
})

it('keeps nobody waiting who asks when it has stopped', async () => {
  const [one] = both()
  isCut = true
  one.copies.stop()
  put(one.journal, one.copies, 'late')
  expect(await one.copies.acknowledged('late')).toBe(true)
})

describe('an alarm on record', () => {
  it('begins and ends once, and whoever takes over goes on with it', () => {
    const [one, two] = sides
    if (one === undefined || two === undefined) throw new Error('two sides')
    for (const behind of [3, 4]) one.recorder.mesh.singleCopy(true, behind, [TWO])
    const [begun] = one.journal.query({ limit: 9 })
    expect(begun).toMatchObject({ kind: 'single-copy', tone: 'bad', causedBy: '', data: { behind: 3, others: [TWO] } })
    expect(begun?.summary).toBe(`3 events have no second copy: ${TWO} did not take them in a second`)
    two.recorder.copy(one.journal.query({ limit: 9 }), false)
    two.recorder.mesh.singleCopy(true, 1, [ONE])
    for (const _ of [1, 2]) two.recorder.mesh.singleCopy(false, 0, [ONE])
    expect(two.journal.query({ limit: 9 }).map(({ kind, causedBy }) => [kind, causedBy])).toEqual([
      ['single-copy', ''],
      ['copied', begun?.id],
    ])
  })

  it('of a detector of which a version is held counts at whoever has the copy, whether it leads or not', () => {
    const hold = { detector: 'disk', version: '2', is: 'held', why: 'it finds more' }
    for (const { recorder, leads } of sides) {
      recorder.copy([event('detector/disk/2/held', { kind: 'finding', data: { hold } })], leads)
      expect(recorder.holds.held).toMatchObject([{ detector: 'disk', version: '2' }])
    }
  })

  it('of a node that fell silent is gone on with, not told again, by one that stood by', () => {
    const [one, two] = sides
    if (one === undefined || two === undefined) throw new Error('two sides')
    one.recorder.mesh.notice({ kind: 'agentDown', subject: 'node-1', voters: ['node-2'] })
    two.recorder.copy(one.journal.query({ limit: 9 }), false)
    two.recorder.mesh.notice({ kind: 'agentDown', subject: 'node-1', voters: ['node-2'] })
    two.recorder.mesh.notice({ kind: 'agentUp', subject: 'node-1', voters: [] })
    const [down, up] = two.journal.query({ limit: 9 })
    expect([down?.kind, up?.kind, up?.causedBy]).toEqual(['agent-down', 'agent-up', down?.id])
  })
})

describe('with a history elsewhere', () => {
  it('is acknowledged by it, where there is no other aggregator or none answers', async () => {
    sides = [new Side(ONE, true, 'PostgreSQL'), new Side(TWO, false, 'PostgreSQL')]
    const [one] = both()
    isCut = true
    put(one.journal, one.copies, 'a')
    expect(await one.copies.acknowledged('a')).toBe(true)
    put(one.journal, one.copies, 'b')
    const acknowledged = one.copies.acknowledged('b')
    one.copies.carried(2)
    expect(await acknowledged).toBe(false)
    expect(one.copies.view().others).toEqual([TWO, 'PostgreSQL'])
  })

  it('is with the other aggregator all the same, which reads from its own journal what it acts on', async () => {
    sides = [new Side(ONE, true, 'PostgreSQL'), new Side(TWO, false, 'PostgreSQL')]
    const [one, two] = both()
    put(one.journal, one.copies, 'a')
    expect(await one.copies.acknowledged('a')).toBe(false)
    expect(two.ids).toEqual(['a'])
  })
})
