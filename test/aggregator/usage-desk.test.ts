/** Questions to nodes that answer, answer for others, answer late, or never. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { UsageDesk } from '../../aggregator/usage-desk.ts'
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

let desk: UsageDesk
let ids: string[]
beforeEach(() => {
  vi.useFakeTimers()
  ids = []
  desk = new UsageDesk()
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
  await expect(new UsageDesk().ask('node-1', QUERY)).rejects.toThrow('the mesh is starting')
})
