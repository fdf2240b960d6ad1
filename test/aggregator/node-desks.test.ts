/** Questions to nodes that answer, answer for others, answer late, or never. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createNodeDesks } from '../../aggregator/node-desks.ts'
import { decodeRecordingAsk, encodeRecordingTold, RECORDING_TOPIC } from '../../detectors/recording/notes.ts'
import { decodeAsk, encodeTold, USAGE_TOPIC, type UsageAnswer } from '../../detectors/usage/notes.ts'
import type { SignedStatement } from '../../mesh/core/model.ts'

const QUERY = { subject: '', minutes: 60 }
const answerOf = (node: string): UsageAnswer => ({
  node,
  from: null,
  to: null,
  step: 1,
  held: 0,
  matching: 0,
  subjects: [],
})
const said = (signer: string, topic: string, bytes: Uint8Array) =>
  ({ statement: { signer, body: { kind: 'note', topic, bytes } } }) as SignedStatement

let desk: ReturnType<typeof createNodeDesks>['usage']
let ids: string[]
beforeEach(() => {
  vi.useFakeTimers()
  ids = []
  desk = createNodeDesks().usage
  desk.start((_topic, bytes) => ids.push(decodeAsk(bytes).id))
})
afterEach(() => vi.useRealTimers())

it('takes the answer of the node that was asked, and of no other', async () => {
  const asked = desk.ask('node-1', QUERY)
  const [id = ''] = ids
  const other = encodeTold({ id, answer: answerOf('node-2') })
  expect(desk.hear(said('node-2', USAGE_TOPIC, other))).toBe(true)
  expect(() => desk.hear(said('node-1', USAGE_TOPIC, other))).toThrow('node-1 spoke for node-2')
  expect(desk.hear(said('node-1', 'finding/memory', other))).toBe(false)
  desk.hear(said('node-1', USAGE_TOPIC, encodeTold({ id, answer: answerOf('node-1') })))
  expect(await asked).toEqual(answerOf('node-1'))
  expect(desk.hear(said('node-1', USAGE_TOPIC, encodeTold({ id, answer: answerOf('node-1') })))).toBe(true)
})

it('waits 5 s, and has four questions open at most', async () => {
  const asked = Array.from({ length: 4 }, () => desk.ask('node-1', QUERY).catch((error: unknown) => error))
  await expect(desk.ask('node-1', QUERY)).rejects.toThrow('4 questions are open already')
  await vi.advanceTimersByTimeAsync(5_000)
  for (const one of asked) expect(await one).toMatchObject({ message: 'node-1 did not answer within 5 s' })
  const later = desk.ask('node-1', QUERY)
  desk.hear(said('node-1', USAGE_TOPIC, encodeTold({ id: ids.at(-1) ?? '', answer: answerOf('node-1') })))
  expect(await later).toEqual(answerOf('node-1'))
})

it('asks nobody before there is a mesh', async () => {
  await expect(createNodeDesks().usage.ask('node-1', QUERY)).rejects.toThrow('the mesh is starting')
})

it('waits a minute for a recording, and says what else can be done', async () => {
  const { recordings } = createNodeDesks()
  const asked: [string, string][] = []
  recordings.start((topic, bytes) => asked.push([topic, decodeRecordingAsk(bytes).query.detector]))
  const none = recordings.ask('node-1', { detector: 'memory' }).catch((error: unknown) => error)
  await vi.advanceTimersByTimeAsync(59_999)
  const some = recordings.ask('node-2', { detector: 'load' })
  await vi.advanceTimersByTimeAsync(1)
  expect(await none).toMatchObject({
    message: 'node-1 did not answer within 60 s',
    remedy: expect.stringContaining('older than this question; run there: starling plugin record memory --here'),
  })
  expect(asked).toEqual([
    ['recording-ask/node-1', 'memory'],
    ['recording-ask/node-2', 'load'],
  ])
  expect(recordings.hear(said('node-2', USAGE_TOPIC, new Uint8Array()))).toBe(false)
  expect(() => recordings.hear(said('node-2', RECORDING_TOPIC, new Uint8Array([1])))).toThrow()
  void some.catch(() => {})
})

it('takes a recording, or a refusal, of the node that was asked', async () => {
  const { recordings } = createNodeDesks()
  let id = ''
  recordings.start((_, bytes) => {
    id = decodeRecordingAsk(bytes).id
  })
  const hears = (signer: string, answer: Parameters<typeof encodeRecordingTold>[0]['answer']) =>
    recordings.hear(said(signer, RECORDING_TOPIC, encodeRecordingTold({ id, answer })))
  const first = recordings.ask('node-1', { detector: 'memory' })
  hears('node-2', { refused: 'no', remedy: '' })
  hears('node-1', { packed: new Uint8Array([1, 2]) })
  expect(await first).toEqual({ packed: new Uint8Array([1, 2]) })
  const second = recordings.ask('node-1', { detector: 'memory' })
  hears('node-1', { refused: 'no', remedy: 'none' })
  expect(await second).toEqual({ refused: 'no', remedy: 'none' })
})
