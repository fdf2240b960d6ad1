/** Sinks that hang, break, refuse or forget: each by itself, bounded, and nothing is lost without being told. */
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Notification } from '../../../aggregator/alerting/model.ts'
import { ATTEMPTS_MAX, waitMs } from '../../../aggregator/sinks/back-off.ts'
import { QUEUE_MAX } from '../../../aggregator/sinks/courier.ts'
import { type DeadLetter, Dispatch } from '../../../aggregator/sinks/dispatch.ts'
import { type Sink, SinkError } from '../../../aggregator/sinks/sink.ts'
import { SILENT_LOG } from '../serve-sample.ts'
import { notification } from './samples.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A sink that does with each notification what `answers` says next; when those are used up it takes it. */
function sink(...answers: readonly (() => Promise<void>)[]) {
  const left = [...answers]
  const taken: Notification[] = []
  const notify: Sink['notify'] = async (one) => {
    await left.shift()?.()
    taken.push(one)
  }
  return { notify, taken }
}
const hangs = () => new Promise<void>(() => {})
const breaks = async () => {
  throw new SinkError('connection refused')
}
const refuses = async () => {
  throw new SinkError('it answers 400', { isFinal: true })
}

/** Whether it takes nothing. */
const disk = { isFull: false }

function dispatchOf(sinks: Readonly<Record<string, Sink>>, facts = new Map<string, string>()) {
  const lost: DeadLetter[] = []
  const journal = {
    readFact: (key: string) => facts.get(key) ?? null,
    writeFact: (key: string, value: string) => {
      if (disk.isFull) throw new Error('database or disk is full')
      facts.set(key, value)
    },
  }
  const dispatch = new Dispatch({
    sinks: new Map(Object.entries(sinks)),
    journal,
    lost: (one) => lost.push(one),
    log: SILENT_LOG,
  })
  return { dispatch, lost, facts }
}
const of = (id: string, more: Partial<Notification> = {}) => notification(more, { id })
const ids = (taken: readonly Notification[]) => taken.map(({ incident: { id }, state }) => `${id} ${state}`)

it('waits longer each time, never less than half, never more than five minutes unless it is asked to', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.double({ min: 0, max: 1, noNaN: true }), (failed, random) => {
      const whole = Math.min(1_000 * 2 ** (failed - 1), 300_000)
      expect(waitMs(failed, random)).toBeGreaterThanOrEqual(whole / 2)
      expect(waitMs(failed, random)).toBeLessThanOrEqual(whole)
      expect(waitMs(failed, random, 1_800_000)).toBe(1_800_000)
    }),
  )
})

it('one that breaks is asked again, in order, and others do not wait for it', async () => {
  const [broken, fine] = [sink(breaks, breaks), sink()]
  const { dispatch, lost } = dispatchOf({ broken, fine })
  for (const name of ['broken', 'fine']) {
    dispatch.send({ sink: name, notification: of('one') })
    dispatch.send({ sink: name, notification: of('one', { state: 'resolved' }) })
  }
  await vi.advanceTimersByTimeAsync(0)
  expect([ids(fine.taken), ids(broken.taken)]).toEqual([['one firing', 'one resolved'], []])
  expect(dispatch.view()[0]).toEqual({ sink: 'broken', waiting: 2, problem: 'connection refused' })
  await vi.advanceTimersByTimeAsync(5_000)
  expect([ids(broken.taken), lost]).toEqual([['one firing', 'one resolved'], []])
  expect(dispatch.view()[0]).toEqual({ sink: 'broken', waiting: 0, problem: null })
})

it('what is refused for good, or long enough, is a dead letter that can be sent again, also after a restart', async () => {
  const refusing = sink(refuses, ...Array.from({ length: ATTEMPTS_MAX }, () => breaks))
  const { dispatch, lost, facts } = dispatchOf({ refusing })
  dispatch.send({ sink: 'refusing', notification: of('one') })
  dispatch.send({ sink: 'refusing', notification: of('two') })
  await vi.advanceTimersByTimeAsync(3_600_000)
  expect(lost.map(({ why, notification: { incident } }) => `${incident.id}: ${why}`)).toEqual([
    'one: it answers 400',
    'two: connection refused',
  ])
  expect(dispatch.failing).toEqual(new Map([['refusing', 'connection refused']]))
  const next = sink()
  const { dispatch: later } = dispatchOf({ refusing: next }, facts)
  expect(later.dead).toEqual(lost)
  expect(later.failing.size).toBe(1)
  expect(later.sendAgain([lost[1]?.id ?? ''])).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(0)
  expect([ids(next.taken), later.dead.length, later.failing.size]).toEqual([['two firing'], 1, 0])
})

it('on a full disk people are told all the same, and what became of it is on record when there is room again', async () => {
  const [fine, refusing] = [sink(), sink(refuses)]
  const { dispatch, lost, facts } = dispatchOf({ fine, refusing })
  disk.isFull = true
  for (const name of ['fine', 'refusing']) dispatch.send({ sink: name, notification: of('one') })
  await vi.advanceTimersByTimeAsync(0)
  expect([ids(fine.taken), lost.length, facts.size]).toEqual([['one firing'], 1, 0])
  disk.isFull = false
  dispatch.keepAgain()
  const { dispatch: later } = dispatchOf({ fine, refusing }, facts)
  expect(later.dead).toEqual(lost)
  later.resume(() => true)
  await vi.advanceTimersByTimeAsync(0)
  expect(ids(fine.taken)).toEqual(['one firing'])
})

it('one that hangs is left alone after its time, and its queue is bounded', async () => {
  const hanging = sink(hangs, ...Array.from({ length: 99 }, () => hangs))
  const { dispatch, lost } = dispatchOf({ hanging })
  for (let index = 0; index < QUEUE_MAX + 5; index++) dispatch.send({ sink: 'hanging', notification: of(`i${index}`) })
  expect(dispatch.view()[0]?.waiting).toBe(QUEUE_MAX)
  // The first is being delivered; of the others the oldest goes.
  expect(lost.map(({ notification: { incident } }) => incident.id)).toEqual(['i1', 'i2', 'i3', 'i4', 'i5'])
  dispatch.clear()
  expect(dispatch.view()[0]?.waiting).toBe(0)
})

it('what waits survives a restart, but for what is over and was never said', async () => {
  const { dispatch, facts } = dispatchOf({ broken: sink(...Array.from({ length: 9 }, () => breaks)) })
  dispatch.send({ sink: 'broken', notification: of('open') })
  dispatch.send({ sink: 'broken', notification: of('gone') })
  dispatch.send({ sink: 'broken', notification: of('gone', { state: 'resolved' }) })
  await vi.advanceTimersByTimeAsync(0)
  dispatch.stop()
  const next = sink()
  const { dispatch: later } = dispatchOf({ broken: next }, facts)
  later.resume((id) => id === 'open')
  await vi.advanceTimersByTimeAsync(0)
  expect(ids(next.taken)).toEqual(['open firing', 'gone resolved'])
})

it('what waits when it leads no more is not said then, and is when it leads again', async () => {
  const slow = sink(breaks, breaks)
  const { dispatch } = dispatchOf({ slow })
  dispatch.send({ sink: 'slow', notification: of('one') })
  dispatch.send({ sink: 'slow', notification: of('two') })
  await vi.advanceTimersByTimeAsync(0)
  dispatch.clear()
  await vi.advanceTimersByTimeAsync(600_000)
  expect([ids(slow.taken), dispatch.view()[0]?.waiting]).toEqual([[], 0])
  dispatch.resume(() => true)
  await vi.advanceTimersByTimeAsync(600_000)
  expect(ids(slow.taken)).toEqual(['one firing', 'two firing'])
})

it('what is only said to be kept up is not said late', async () => {
  const broken = sink(breaks, breaks)
  const { dispatch, lost } = dispatchOf({ broken })
  dispatch.send({ sink: 'broken', notification: of('one', { why: 'kept' }) })
  await vi.advanceTimersByTimeAsync(600_000)
  expect([broken.taken, lost]).toEqual([[], []])
})
