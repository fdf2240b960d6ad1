/** The API's question for a recording: what a node answers, refuses, or does not answer. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  decodeRecordingAsk,
  encodeRecordingTold,
  RECORDING_TOPIC,
  type RecordingAnswer,
} from '../../detectors/recording/notes.ts'
import type { SignedStatement } from '../../mesh/core/model.ts'
import { type ServedSample, serveSample, TOKEN } from './serve-sample.ts'

let served: ServedSample
let answer: RecordingAnswer = { packed: new Uint8Array() }
beforeAll(async () => {
  served = await serveSample()
})
afterAll(() => served.close())

const BEARER = { authorization: `Bearer ${TOKEN}` }
const post = (node: string, payload: object, headers: Record<string, string> = BEARER) =>
  served.server.inject({ method: 'POST', url: `/api/v1/recordings/${node}`, headers, payload })

it('asks nobody before there is a mesh', async () => {
  const early = await post('node-2', { detector: 'memory' })
  expect([early.statusCode, early.json().detail]).toEqual([504, 'the mesh is starting'])
})

it('gives what the node answered, and its refusal as a conflict', async () => {
  // A mesh of one node, which answers at once.
  served.desks.recordings.start((_, bytes) => {
    const { id, node } = decodeRecordingAsk(bytes)
    const body = { kind: 'note', topic: RECORDING_TOPIC, bytes: encodeRecordingTold({ id, answer }) }
    queueMicrotask(() => served.desks.recordings.hear({ statement: { signer: node, body } } as SignedStatement))
  })
  answer = { packed: new Uint8Array([1, 2, 3]) }
  const told = await post('node-2', { detector: 'memory' })
  expect([told.statusCode, told.json()]).toEqual([200, { node: 'node-2', detector: 'memory', packed: 'AQID' }])
  answer = { refused: 'node-2 refuses recordings', remedy: 'run it there' }
  const refused = await post('node-2', { detector: 'memory' })
  expect([refused.statusCode, refused.json()]).toEqual([
    409,
    expect.objectContaining({ title: 'Not recorded', detail: 'node-2 refuses recordings', remedy: 'run it there' }),
  ])
})

it('needs the token, a node of the mesh and the name of a detector', async () => {
  expect((await post('node-2', { detector: 'memory' }, {})).statusCode).toBe(401)
  const none = await post('nod-2', { detector: 'memory' })
  expect([none.statusCode, none.json().detail]).toEqual([404, 'no node "nod-2" in this mesh; did you mean node-2?'])
  for (const body of [{}, { detector: '' }, { detector: 'memory', options: {} }]) {
    expect((await post('node-2', body)).statusCode).toBe(400)
  }
})
