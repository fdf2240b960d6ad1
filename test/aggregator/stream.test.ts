import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { STREAM_ROUTES } from '../../aggregator/http/stream.ts'
import type { StoredEvent } from '../../aggregator/model.ts'
import { applyChange, toldStateOf } from '../../aggregator/stream/changes.ts'
import type { NumberedState, StateChange } from '../../aggregator/stream/told-state.ts'
import { readEventStream } from '../../cli/event-stream.ts'
import { byKey } from './by-key.ts'
import { event } from './event.ts'
import { type ServedSample, STORE_NAME, serveSample, TOKEN } from './serve-sample.ts'

interface Message {
  readonly name: string
  readonly id: string | undefined
  readonly data: unknown
}

let served: ServedSample
let streams: AbortController
beforeEach(async () => {
  served = await serveSample()
  streams = new AbortController()
})
afterEach(async () => {
  streams.abort()
  await served.close()
})

const told = (sample: ServedSample['sample']) => toldStateOf(sample.snapshot())

/** As a page does with a change that it was told. */
function applied(state: NumberedState, change: unknown): NumberedState {
  const next = applyChange(state, change as StateChange)
  if (next === undefined) throw new Error(`the change is not of state ${state.number}`)
  return next
}

const cursor = (stored: StoredEvent | undefined) => `${STORE_NAME}.${stored?.seq}`

/** Opens the stream and returns how to read its next message. */
async function open(headers: Record<string, string> = {}, query = '') {
  const answer = await fetch(`${served.url}/api/v1/stream${query}`, {
    headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    signal: streams.signal,
  })
  expect(answer.status).toBe(200)
  const messages = readEventStream(answer.body ?? new ReadableStream())
  return {
    answer,
    async next(): Promise<Message> {
      const { value, done } = await messages.next()
      if (done) throw new Error('the stream ended')
      return { ...value, data: JSON.parse(value.data) }
    },
    /** The next message of that name, whatever comes before it. */
    async nextOf(name: string): Promise<Message> {
      for (;;) {
        const message = await this.next()
        if (message.name === name) return message
      }
    },
    async ended(): Promise<boolean> {
      for await (const _ of messages);
      return true
    },
  }
}

describe('the stream', () => {
  it('begins with the state, then tells each event with its cursor as id', async () => {
    const stream = await open()
    expect(stream.answer.headers.get('content-type')).toContain('text/event-stream')
    expect(stream.answer.headers.get('content-security-policy')).toContain("default-src 'self'")
    const first = await stream.next()
    expect(first).toEqual({ name: 'state', id: undefined, data: { ...told(served.sample), number: 1 } })

    const hostile = 'line one\n\nevent: state\ndata: {}\r\n\u2028'
    const stored = served.sample.emit(event('new', { summary: hostile }))
    await expectNext(stream, stored)
    await emitAndRead(stream, 'nothing else has changed')
  })

  it('tells what changed: put together it is the state, for whoever was there and for whoever comes', async () => {
    const early = await open()
    let state = (await early.next()).data as NumberedState
    const { sample } = served
    const [first, ...others] = sample.snapshot().members
    if (first === undefined) throw new Error('the sample has no members')
    const changes = [
      () => sample.changeMember(first.node, { state: 'suspected' }),
      () => sample.change({ members: others, notice: 'one has gone' }),
      () => sample.change({ members: [...others, first] }),
    ]
    for (const [n, change] of changes.entries()) {
      change()
      const message = await early.next()
      expect(message).toMatchObject({ name: 'change', data: { basedOn: n + 1, number: n + 2 } })
      state = applied(state, message.data)
      const whole = (await (await open()).next()).data
      expect(byKey(state)).toEqual(byKey(whole as NumberedState))
      expect(byKey(state)).toEqual(byKey({ ...told(sample), number: n + 2 }))
    }
  })

  it('tells as it is described', async () => {
    const { sample } = served
    const stream = await open({ 'last-event-id': 'another.3' })
    const read = [await stream.next(), await stream.next()]
    sample.change({ notice: 'another' })
    read.push(await stream.next())
    sample.emit(event('new'))
    read.push(await stream.next())
    sample.becomes({ role: 'stands-by', leader: 'aggregator-2' })
    read.push(await stream.next())
    expect(read.map(({ name }) => name)).toEqual(['gap', 'state', 'change', 'event', 'office'])
    const { messages = {} } = STREAM_ROUTES[0] ?? {}
    for (const { name, data } of read) expect(messages[name]?.data.parse(data)).toEqual(data)
  })

  it('of one that stands by says so, and goes on through each change of its part', async () => {
    const { sample } = served
    sample.becomes({ role: 'stands-by', leader: 'aggregator-2' })
    const stream = await open()
    const standsBy = { name: 'office', id: undefined, data: sample.office() }
    expect(await stream.next()).toEqual(standsBy)
    sample.becomes()
    expect(await stream.next()).toMatchObject({ name: 'state', data: { number: 2 } })
    sample.becomes({ role: 'stands-by', leader: 'aggregator-2' })
    expect(await stream.next()).toEqual(standsBy)
  })

  it('resumes after the last event that was read, missing and repeating none', async () => {
    const stream = await open()
    await stream.next()
    const seen = [await emitAndRead(stream, 'a'), await emitAndRead(stream, 'b')]
    streams.abort()

    const missed = [served.sample.emit(event('c')), served.sample.emit(event('d'))]
    streams = new AbortController()
    const again = await open({ 'last-event-id': cursor(seen.at(-1)) })
    const after = [await again.nextOf('event'), await again.nextOf('event')]
    expect(after.map(({ data }) => data)).toEqual(missed)
    expect((await emitAndRead(again, 'e')).seq).toBe((missed.at(-1)?.seq ?? 0) + 1)
  })

  it('starts from a cursor in the address, which the header outranks', async () => {
    const all = served.sample.events({ limit: 1000 })
    const stream = await open({}, `?after=${cursor(all.at(-2))}`)
    expect((await stream.next()).data).toEqual(all.at(-1))
    expect((await stream.next()).name).toBe('state')
    const fromHeader = await open({ 'last-event-id': cursor(all.at(-3)) }, `?after=${STORE_NAME}.0`)
    expect((await fromHeader.next()).data).toEqual(all.at(-2))
  })

  it('tells whoever comes from another history that it does not go on from there', async () => {
    const stream = await open({ 'last-event-id': 'another.3' })
    expect(await stream.next()).toMatchObject({ name: 'gap', data: { why: 'another-history' } })
    expect((await stream.next()).name).toBe('state')
    await emitAndRead(stream, 'now')
  })

  it('says so when more was missed than it resends', async () => {
    for (let n = 0; n < 1_100; n++) served.sample.emit(event(`many-${n}`))
    const all = served.sample.events({ limit: 100_000 })
    const oldestSent = all.at(-1_000)
    const stream = await open({ 'last-event-id': `${STORE_NAME}.3` })
    expect(await stream.next()).toMatchObject({ name: 'gap', data: { why: 'too-many' } })
    expect((await stream.next()).data).toEqual(oldestSent)
  })

  it('tells many changes in at most five messages a second, the last of which is right', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    try {
      const stream = await open()
      await stream.next()
      const notice = async () => ((await stream.next()).data as StateChange).parts.notice
      const change = (name: string) => {
        for (let n = 1; n <= 50; n++) served.sample.change({ notice: `${name} ${n}` })
      }
      change('first')
      vi.advanceTimersByTime(200)
      expect(await notice()).toBe('first 50')
      change('second')
      vi.advanceTimersByTime(199)
      // No change has come before this event.
      await expectNext(stream, served.sample.emit(event('marker')))
      vi.advanceTimersByTime(1)
      expect(await notice()).toBe('second 50')
    } finally {
      vi.useRealTimers()
    }
  })

  it('leaves changes out for a client that reads slowly, and then gives it a whole newer state', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    try {
      const slow = await open()
      const quick = await open()
      await quick.next()
      const filler = 'x'.repeat(2 * 1024 * 1024)
      const rounds = 10
      for (let n = 1; n <= rounds; n++) {
        served.sample.change({ notice: `${n} ${filler}` })
        vi.advanceTimersByTime(200)
        await quick.nextOf('change')
      }
      const read: string[] = []
      let state = (await slow.next()).data as NumberedState
      while (state.number < rounds + 1) {
        // What it is owed comes once it has read all else.
        const ticking = setInterval(() => vi.advanceTimersByTime(200), 20)
        const { name, data } = await slow.next().finally(() => clearInterval(ticking))
        read.push(name)
        state = name === 'state' ? (data as NumberedState) : applied(state, data)
      }
      expect(read.length).toBeLessThan(rounds)
      expect(read).toContain('state')
      expect(byKey(state)).toEqual(byKey({ ...told(served.sample), number: rounds + 1 }))
      served.sample.change({ notice: 'after' })
      vi.advanceTimersByTime(200)
      expect(applied(state, (await slow.nextOf('change')).data).notice).toBe('after')
    } finally {
      vi.useRealTimers()
    }
  })

  it('gives a client a state that is larger than what else it may leave unread', async () => {
    served.sample.change({ notice: 'x'.repeat(12 * 1024 * 1024) })
    const reader = await open()
    expect(((await reader.next()).data as NumberedState).notice).toHaveLength(12 * 1024 * 1024)
    expect((await emitAndRead(reader, 'after')).seq).toBeGreaterThan(0)
  })

  it('cuts off a client that does not read, and serves the others', async () => {
    const { port } = new URL(served.url)
    const sleeper = connect(Number(port), '127.0.0.1')
    sleeper.write(`GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`)
    await new Promise((resolve) => sleeper.once('data', resolve))
    sleeper.pause()
    const closed = new Promise((resolve) => sleeper.once('close', resolve))
    sleeper.on('error', () => {})
    const reader = await open()
    await reader.next()

    const connections = () =>
      new Promise<number>((resolve) => served.server.server.getConnections((_, count) => resolve(count)))
    expect(await connections()).toBe(2)
    const filler = 'x'.repeat(512 * 1024)
    let last: StoredEvent | undefined
    for (let n = 0; n < 60 && (await connections()) === 2; n++) {
      last = served.sample.emit(event(`big-${n}`, { data: { filler } }))
      while ((await reader.nextOf('event')).id !== cursor(last));
    }
    expect(await connections()).toBe(1)
    sleeper.destroy()
    await closed
    expect((await emitAndRead(reader, 'after')).seq).toBe((last?.seq ?? 0) + 1)
  })

  it('beats, so that silence means a broken line', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    try {
      const own = await serveSample()
      const answer = await fetch(`${own.url}/api/v1/stream`, {
        headers: { authorization: `Bearer ${TOKEN}` },
        signal: streams.signal,
      })
      const reader = (answer.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader()
      await reader.read()
      vi.advanceTimersByTime(15_000)
      expect((await reader.read()).value).toMatch(/^: beat\nevent: beat\ndata: \d{4}-.*\n\n$/)
      await own.close()
    } finally {
      vi.useRealTimers()
    }
  })

  it('ends when the server closes, and lets go of the aggregator', async () => {
    const own = await serveSample()
    const answer = await fetch(`${own.url}/api/v1/stream`, { headers: { authorization: `Bearer ${TOKEN}` } })
    expect(own.sample.subscribers).toBe(1)
    await own.close()
    expect(await answer.text()).toContain('event: state')
    expect(own.sample.subscribers).toBe(0)
  })

  async function expectNext(stream: Awaited<ReturnType<typeof open>>, stored: StoredEvent): Promise<void> {
    expect(await stream.next()).toEqual({ name: 'event', id: cursor(stored), data: stored })
  }

  async function emitAndRead(stream: Awaited<ReturnType<typeof open>>, id: string): Promise<StoredEvent> {
    const stored = served.sample.emit(event(id))
    const { data } = await stream.nextOf('event')
    expect(data).toEqual(stored)
    return stored
  }
})
