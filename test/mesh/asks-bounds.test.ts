/** What is left of a question that failed, and how much of a node one who asks can take: bare libp2p nodes on real sockets. */
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2p } from 'libp2p'
import { afterEach, expect, test } from 'vitest'
import type { Member } from '../../mesh/core/model.ts'
import { Asks } from '../../mesh/libp2p/asks.ts'
import { sampleMember } from './sample-mesh.ts'
import { PATIENCE } from './sockets.ts'

interface Bare {
  readonly libp2p: Libp2p
  readonly member: Member
  readonly asks: Asks
}

const members = new Map<string, Member>()
const running: Libp2p[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((libp2p) => libp2p.stop()))
  members.clear()
})

async function bare(name: string): Promise<Bare> {
  const libp2p = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.9.172/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
    connectionGater: { denyDialMultiaddr: () => false },
  })
  running.push(libp2p)
  const member = sampleMember(name, '', { peerId: libp2p.peerId.toString() })
  members.set(member.peerId, member)
  const asks = new Asks(libp2p, {
    memberOf: (peerId) => members.get(peerId),
    addressesOf: ({ peerId }) => running.find((one) => one.peerId.toString() === peerId)?.getMultiaddrs() ?? [],
    hasEdge: () => false,
    answer: async (_, __, bytes) => bytes,
  })
  return { libp2p, member, asks }
}

test('no connection stays of a question that one cannot even be asked', async () => {
  const [one, other] = await Promise.all([bare('one'), bare('other')])
  await expect(one.asks.ask(other.member, 'echo', new Uint8Array(), 10_000)).rejects.toThrow()
  await expect.poll(() => one.libp2p.getConnections().length, PATIENCE).toBe(0)
})

test('one who opens questions and asks none leaves room for others', async () => {
  const [one, greedy, other] = await Promise.all([bare('one'), bare('greedy'), bare('other')])
  await one.asks.listen()
  const connection = await greedy.libp2p.dial(one.libp2p.getMultiaddrs())
  const opened = Array.from({ length: 64 }, () => connection.newStream('/starling/ask/1', { maxOutboundStreams: 64 }))
  await Promise.allSettled(opened)
  const bytes = new Uint8Array([1, 2, 3])
  expect(await other.asks.ask(one.member, 'echo', bytes, 10_000)).toEqual(bytes)
})
