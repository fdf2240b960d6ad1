/** What beats cost on the wire, beyond what they say. */
import { Socket } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { encodeMessage, FRAME_BYTES_MAX } from '../../mesh/wire/codec.ts'
import { foundOnLoopback, memberPuppet } from './live-mesh.ts'
import { nodeName } from './sample-mesh.ts'

const [ONE, TWO] = [nodeName(0), nodeName(1)]

/** Two members with a stream from the first to the second that has been used. */
async function edge(firstHost: number) {
  const mesh = await foundOnLoopback(2, firstHost)
  const [one, two] = await Promise.all([memberPuppet(mesh, ONE), memberPuppet(mesh, TWO)])
  await one.opens(mesh.enrolled(TWO).member)
  let seq = 0
  const beat = async () => {
    one.transport.send(TWO, 'mine', encodeMessage({ kind: 'probe', seq: ++seq }))
    await one.happens('frame', seq)
  }
  await beat()
  return { one, two, beat }
}

test('a beat is one packet there and one back', async () => {
  const { beat } = await edge(120)
  const written = [vi.spyOn(Socket.prototype, '_write'), vi.spyOn(Socket.prototype, '_writev')]
  onTestFinished(() => void vi.restoreAllMocks())
  for (let beats = 0; beats < 10; beats++) await beat()
  expect(written.reduce((sum, { mock }) => sum + mock.calls.length, 0)).toBe(20)
})

test('more than a window holds passes, frame after frame', async () => {
  const { one, two, beat } = await edge(124)
  const entry = ['n'.repeat(253), 'k'.repeat(300), 1, 1] as const
  const entries = Array.from({ length: Math.floor(FRAME_BYTES_MAX / 600) }, () => entry)
  const before = two.count('frame')
  for (let frames = 1; frames <= 6; frames++) {
    one.transport.send(TWO, 'mine', encodeMessage({ kind: 'digest', part: 0, parts: 1, entries }))
    await two.happens('frame', before + frames)
  }
  await beat()
})
