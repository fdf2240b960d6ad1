/** Real nodes on real sockets, and peers that are hostile, broken, or nobody we know. */
import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { decodeMessage, encodeMessage, FRAME_BYTES_MAX } from '../../mesh/wire/codec.ts'
import { anyMessage, anyMutations, mutated } from './any-message.ts'
import { bareNode, foundOnLoopback, helloOf, type LiveNode, live, memberPuppet, puppet } from './live-mesh.ts'
import { certify, keysNamed, type RealMesh } from './real-mesh.ts'
import { LEADER, nodeName } from './sample-mesh.ts'
import { connected, freePort, PATIENCE } from './sockets.ts'

const [ONE, TWO, HOSTILE] = [nodeName(0), nodeName(1), nodeName(2)]

let mesh: RealMesh
let one: LiveNode
let two: LiveNode
let leader: LiveNode

beforeAll(async () => {
  mesh = await foundOnLoopback(3, 110)
  ;[one, two, leader] = await Promise.all([live(mesh, ONE), live(mesh, TWO), live(mesh, LEADER)])
  await Promise.all([two.hears(ONE), one.hears(TWO), leader.hears(ONE)])
})

/** Whatever was done to `one`: it answers the others, and nobody was marked. */
async function isUnharmed(): Promise<void> {
  await Promise.all([two.hears(ONE), one.hears(TWO), leader.hears(ONE)])
  expect(leader.commits).toEqual([])
}

function decodes(frame: Uint8Array): boolean {
  try {
    decodeMessage(frame)
    return true
  } catch {
    return false
  }
}

describe('an enrolled member that has gone bad', () => {
  test('may send any frames: those that are no message are counted and end its stream, and nobody is harmed', async () => {
    const bad = await memberPuppet(mesh, HOSTILE)
    const { member } = mesh.enrolled(ONE)
    const frames = fc
      .sample(fc.tuple(anyMessage, anyMutations), 60)
      .map(([message, mutations]) => mutated(encodeMessage(message), mutations))
    const before = one.drops('frame')
    let malformed = 0
    await bad.opens(member)
    for (const frame of frames) {
      bad.transport.send(ONE, 'mine', frame)
      if (decodes(frame)) continue
      malformed++
      await vi.waitFor(() => expect(one.drops('frame')).toBe(before + malformed), PATIENCE)
      await bad.happens('closed', malformed)
      await bad.opens(member)
    }
    expect(malformed).toBeGreaterThan(20)
    expect(one.drops('frame')).toBe(before + malformed)
    await isUnharmed()
  })

  test('cannot make it keep a frame that is too large', async () => {
    const bad = await memberPuppet(mesh, HOSTILE)
    const before = one.drops('frame')
    await bad.opens(mesh.enrolled(ONE).member)
    bad.transport.send(ONE, 'mine', new Uint8Array(FRAME_BYTES_MAX + 1))
    await vi.waitFor(() => expect(one.drops('frame')).toBe(before + 1), PATIENCE)
    await isUnharmed()
  })

  test('is cut off when it says hello and then nothing', async () => {
    const mute = await memberPuppet(mesh, HOSTILE, { acks: false })
    await mute.happens('opened by them', 3)
    await mute.happens('frame')
    await mute.happens('closed by them', 3)
    await isUnharmed()
  })

  test('is cut off when it opens a stream and says no hello', async () => {
    // The transport alone, without a core that would cut a silent edge sooner.
    await memberPuppet(mesh, HOSTILE)
    const { hosts, meshPort, peerId } = mesh.enrolled(HOSTILE).member
    const bare = await bareNode(mesh.enrolled(TWO).keys)
    const address = multiaddr(`/ip4/${hosts[0]}/tcp/${meshPort}/p2p/${peerId}`)
    const stream = await bare.dialProtocol(address, '/starling/mesh/1')
    expect(stream.status).toBe('open')
    await vi.waitFor(() => expect(stream.status).not.toBe('open'), PATIENCE)
  })
})

describe('a hello that is not in order is refused and counted', () => {
  const life = { serial: 3, boot: 1, refutations: 0 }
  const forHostile = async (): Promise<Record<string, Uint8Array>> => {
    const { member, certificate } = mesh.enrolled(HOSTILE)
    return {
      'a certificate of another CA': helloOf(certify(await keysNamed('another ca'), member), life),
      'a certificate that has expired': helloOf(certify(mesh.ca, member, { notAfterMs: Date.now() - 3_600_000 }), life),
      'a certificate for another node': helloOf(mesh.enrolled(TWO).certificate, life),
      'a certificate for its name and another key': helloOf(
        certify(mesh.ca, member, { peerId: mesh.enrolled(TWO).member.peerId }),
        life,
      ),
      'a certificate of another enrolment': helloOf(certify(mesh.ca, member, { serial: 9 }), { ...life, serial: 9 }),
      'a certificate of another mesh': helloOf(certify(mesh.ca, member, { mesh: 'other' }), life),
      'a life of another enrolment': helloOf(certificate, { ...life, serial: 9 }),
      'no hello at all': new Uint8Array([0xff, 0x00]),
    }
  }

  test('from whoever dials, for each thing that can be wrong with it', async () => {
    for (const [what, hello] of Object.entries(await forHostile())) {
      const bad = await memberPuppet(mesh, HOSTILE, { hello })
      const before = one.drops('hello')
      bad.transport.dial(mesh.enrolled(ONE).member)
      await vi.waitFor(() => expect(one.drops('hello'), what).toBeGreaterThan(before), PATIENCE)
      await bad.happens('closed')
      expect(bad.count('opened'), what).toBe(0)
      await bad.transport.stop()
    }
    await isUnharmed()
  })

  test('from whoever is dialled', async () => {
    const hello = (await forHostile())['a certificate of another CA']
    const before = two.drops('hello')
    const bad = await memberPuppet(mesh, HOSTILE, { hello })
    await vi.waitFor(() => expect(two.drops('hello')).toBeGreaterThan(before), PATIENCE)
    // Nothing is ever said to it beyond the hello.
    expect(bad.count('frame')).toBe(0)
  })
})

describe('somebody who is not in the roster', () => {
  test('is not let in, even with a certificate of our CA', async () => {
    const keys = await keysNamed('stranger')
    const member = { ...mesh.enrolled(HOSTILE).member, node: 'stranger', peerId: keys.peerId }
    const host = '127.0.9.119'
    const hello = helloOf(certify(mesh.ca, member), { serial: 3, boot: 1, refutations: 0 })
    const stranger = await puppet(mesh, { keys, listen: { host, port: await freePort(host) }, hello, acks: false })
    stranger.transport.dial(mesh.enrolled(ONE).member)
    await stranger.happens('closed')
    expect(stranger.log).toEqual(['closed'])
    await isUnharmed()
  })

  test('does not even keep a connection', async () => {
    const { hosts, meshPort, peerId } = mesh.enrolled(ONE).member
    const bare = await bareNode(await keysNamed('stranger'))
    const address = multiaddr(`/ip4/${hosts[0]}/tcp/${meshPort}/p2p/${peerId}`)
    // Whether the dial itself fails or the connection is cut right after it is a matter of timing.
    const connection = await bare.dial(address).catch(() => undefined)
    await vi.waitFor(() => expect(connection?.status).not.toBe('open'), PATIENCE)
  })

  test('does no harm with bytes that are not even libp2p', async () => {
    const { hosts, meshPort } = mesh.enrolled(ONE).member
    const texts = [
      'GET / HTTP/1.1\r\n\r\n',
      '\x16\x03\x01\x02\x00',
      '\x13/multistream/1.0.0\n\x00\xff\xff',
      'x'.repeat(100_000),
    ]
    for (const text of texts) {
      const socket = await connected(hosts[0] ?? '', meshPort)
      socket.end(Buffer.from(text, 'latin1'))
      socket.resume()
      await vi.waitFor(() => expect(socket.closed).toBe(true), PATIENCE)
    }
    await isUnharmed()
  })
})

describe("the agent's own port", () => {
  test('proves its agent to another member, and somebody else on it is a stranger', async () => {
    const asking = await memberPuppet(mesh, HOSTILE)
    const { member } = mesh.enrolled(ONE)
    const signal = () => AbortSignal.timeout(PATIENCE.timeout)
    expect(await asking.transport.prove(member, signal())).toBe('own')
    const elsewhere = {
      ...member,
      meshPort: mesh.enrolled(TWO).member.meshPort,
      hosts: mesh.enrolled(TWO).member.hosts,
    }
    expect(await asking.transport.prove(elsewhere, signal())).toBe('stranger')
  })
})
