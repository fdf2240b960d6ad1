/** Questions between real nodes on real sockets. */
import { beforeAll, expect, test } from 'vitest'
import { ASK_BYTES_MAX } from '../../mesh/libp2p/asks.ts'
import { foundOnLoopback, type LiveNode, live, puppet } from './live-mesh.ts'
import { keysNamed, type RealMesh } from './real-mesh.ts'
import { LEADER, nodeName } from './sample-mesh.ts'
import { freePort } from './sockets.ts'

const [ONE, TWO] = [nodeName(0), nodeName(1)]
const WITHIN_MS = 20_000

let mesh: RealMesh
let one: LiveNode
let leader: LiveNode

beforeAll(async () => {
  mesh = await foundOnLoopback(2, 150)
  ;[one, leader] = await Promise.all([live(mesh, ONE), live(mesh, LEADER)])
  one.questions.on('echo', async (from, bytes) => Buffer.concat([Buffer.from(`${from}:`), bytes]))
  one.questions.on('whole', async (_, bytes) => bytes)
  one.questions.on('never', async () => await new Promise<Uint8Array>(() => {}))
  await leader.hears(ONE)
})

test('the answer comes, and whoever answers knows who asks', async () => {
  const answer = await leader.node.ask(ONE, 'echo', Buffer.from('how are you'), WITHIN_MS)
  expect(Buffer.from(answer).toString()).toBe(`${LEADER}:how are you`)
})

test('question and answer may be as large as is said, and no larger', async () => {
  const bytes = new Uint8Array(ASK_BYTES_MAX).fill(7)
  expect(Buffer.from(await leader.node.ask(ONE, 'whole', bytes, WITHIN_MS)).equals(bytes)).toBe(true)
  const more = new Uint8Array(ASK_BYTES_MAX + 1)
  await expect(leader.node.ask(ONE, 'whole', more, WITHIN_MS)).rejects.toThrow('over 262144')
})

test('what is not answered there is refused in words, and so is what goes wrong', async () => {
  await expect(leader.node.ask(ONE, 'nothing', new Uint8Array(), WITHIN_MS)).rejects.toThrow(
    `${ONE} refused: nothing cannot be asked here`,
  )
})

test('nobody waits longer than was said', async () => {
  await expect(leader.node.ask(ONE, 'never', new Uint8Array(), 300)).rejects.toThrow()
  await expect(leader.node.ask(TWO, 'echo', new Uint8Array(), 2_000)).rejects.toThrow()
})

test('a stranger is not answered', async () => {
  const keys = await keysNamed('stranger')
  const host = '127.0.9.170'
  const stranger = await puppet(mesh, {
    keys,
    listen: { host, port: await freePort(host) },
    hello: new Uint8Array(),
    acks: false,
  })
  const { member } = mesh.enrolled(ONE)
  await expect(stranger.transport.ask(member, 'echo', new Uint8Array(), WITHIN_MS)).rejects.toThrow()
  await leader.hears(ONE)
})
