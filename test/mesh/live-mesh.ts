/** Members of a mesh in one process, on loopback addresses: honest ones that run as shipped, and one that may do anything. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2p } from 'libp2p'
import { afterAll, onTestFinished, vi } from 'vitest'
import type { Message, Notice } from '../../mesh/core/message.ts'
import type { Certificate, Incarnation, Member, SignedStatement } from '../../mesh/core/model.ts'
import { DEFAULT_TIMING, type Timing } from '../../mesh/core/timing.ts'
import type { KeyPair } from '../../mesh/identity/keys.ts'
import { startMeshNode } from '../../mesh/libp2p/mesh-node.ts'
import { Questions } from '../../mesh/libp2p/questions.ts'
import type { MeshNode, Reach, Traffic } from '../../mesh/libp2p/running-node.ts'
import { createTransport, type Transport } from '../../mesh/libp2p/transport.ts'
import { decodeMessage, encodeMessage, encodeValue } from '../../mesh/wire/codec.ts'
import { foundMesh, type RealMesh } from './real-mesh.ts'
import { LEADER } from './sample-mesh.ts'
import { freePort, PATIENCE } from './sockets.ts'

/** A third of the usual times, so that a test need not wait for a whole beat. */
export const QUICK: Timing = {
  ...DEFAULT_TIMING,
  beatMs: 300,
  lateMs: 150,
  burstEveryMs: 30,
  silentMs: 200,
  abortMs: 900,
  redialMinMs: 300,
  redialMaxMs: 600,
}

/** What a puppet says of itself, and takes everybody else for. */
const LIFE = { serial: 1, boot: 1, refutations: 0 }

const stops: (() => Promise<void>)[] = []
afterAll(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()))
})

/** `nodes` members and an aggregator, each with an address of its own; nothing runs yet. */
export async function foundOnLoopback(nodes: number, firstHost: number): Promise<RealMesh> {
  const hosts = Array.from({ length: nodes + 1 }, (_, index) => `127.0.9.${firstHost + index}`)
  const ports = await Promise.all(hosts.map(freePort))
  return foundMesh(nodes, (index) => ({ hosts: [hosts[index] ?? ''], meshPort: ports[index] ?? 0, kubeletPort: 1 }))
}

function placeOf({ hosts, meshPort }: Member): { host: string; port: number } {
  return { host: hosts[0] ?? '', port: meshPort }
}

/** What a node told its owner. */
class Told {
  readonly commits: Certificate[] = []
  readonly notices = new Map<Notice['kind'], number>()
  /** How its roll-calls and canvasses ended. */
  readonly reaches: Reach[] = []
  readonly drops = new Map<string, number>()
  readonly received = new Map<string, number>()
  /** Those in which somebody is not called alive. */
  readonly accusations: { readonly signer: string; readonly boot: number; readonly about: string }[] = []

  count(traffic: Traffic): void {
    const [counts, what] = traffic.kind === 'dropped' ? [this.drops, traffic.why] : [this.received, traffic.message]
    if (traffic.kind !== 'sent') counts.set(what, (counts.get(what) ?? 0) + 1)
  }

  heard({ statement: { signer, boot, body } }: SignedStatement): void {
    if (body.kind !== 'accusation' || body.opinion === 'Alive') return
    this.accusations.push({ signer, boot, about: body.subject })
  }
}

/** An honest node, and what it told its owner. */
export class LiveNode {
  readonly node: MeshNode
  readonly told: Told
  /** What others may ask of it. */
  readonly questions: Questions

  constructor(node: MeshNode, told: Told, questions: Questions) {
    this.node = node
    this.told = told
    this.questions = questions
  }

  get commits(): readonly Certificate[] {
    return this.told.commits
  }

  drops(why: string): number {
    return this.told.drops.get(why) ?? 0
  }

  received(kind: Message['kind']): number {
    return this.told.received.get(kind) ?? 0
  }

  /** Waits for a fresh answer of `peer` on the edge to it. */
  async hears(peer: string): Promise<void> {
    const from = this.node.now()
    await vi.waitFor(() => {
      const heard = this.node.peerClocks.some(({ node, atMs }) => node === peer && atMs > from)
      if (!heard) throw new Error(`${peer} has not answered`)
    }, PATIENCE)
  }
}

/** `hear`: told of every statement that its owner is told of. */
export async function live(
  mesh: RealMesh,
  name: string,
  hear: (signed: SignedStatement) => void = () => {},
): Promise<LiveNode> {
  const { member, keys, certificate } = mesh.enrolled(name)
  const told = new Told()
  const questions = new Questions()
  const incarnation = { serial: member.serial, boot: 1, refutations: 0 }
  const node = await startMeshNode({
    identity: { node: name, keys, certificate, caKey: mesh.ca.publicKey, incarnation },
    roster: mesh.roster,
    rosterBytes: mesh.signedRoster(),
    listen: placeOf(member),
    timing: QUICK,
    ...(name === LEADER
      ? { aggregator: { saidBefore: [], onReach: (reach) => void told.reaches.push(reach), onCalled: () => {} } }
      : {}),
    onStatement: (signed) => {
      told.heard(signed)
      hear(signed)
    },
    onAsked: questions.answer,
    onRoster: () => {},
    onDocument: () => {},
    onCommit: (certificate) => void told.commits.push(certificate),
    onNotice: ({ kind }) => void told.notices.set(kind, (told.notices.get(kind) ?? 0) + 1),
    onTraffic: (one) => told.count(one),
  })
  if (name === LEADER) node.lead(1, [])
  stops.push(() => node.stop())
  return new LiveNode(node, told, questions)
}

export interface PuppetOptions {
  readonly keys: KeyPair
  readonly listen: { readonly host: string; readonly port: number }
  readonly hello: Uint8Array
  /** Whether it answers probes, so that the others leave its connections alone. */
  readonly acks: boolean
  /** Told of each frame that it is sent. */
  readonly onFrame?: ((frame: Uint8Array) => void) | undefined
}

const LINES_MAX = 1_000

class Log {
  readonly lines: string[] = []
  readonly counts = new Map<string, number>()

  note(what: string): void {
    if (this.lines.length < LINES_MAX) this.lines.push(what)
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }
}

/** Speaks the mesh's own transport, and says only what the test tells it to. */
export class Puppet {
  readonly #log: Log
  readonly transport: Transport
  /** Members on whom it has a stream of its own. */
  readonly open: ReadonlySet<string>

  constructor(transport: Transport, log: Log, open: ReadonlySet<string>) {
    this.transport = transport
    this.#log = log
    this.open = open
  }

  /** Opens a stream and waits until it was accepted; dials again when the other side was cutting an old one just then. */
  async opens(member: Member): Promise<void> {
    const before = this.count('opened')
    let closed = -1
    await vi.waitFor(() => {
      if (this.count('opened') > before) return
      if (this.count('closed') > closed) this.transport.dial(member)
      closed = this.count('closed')
      throw new Error(`${member.node} does not accept: ${this.log.join(', ')}`)
    }, PATIENCE)
  }

  /** Waits without a pause, so that thousands of frames get their turn. */
  async until(holds: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + PATIENCE.timeout
    while (!holds()) {
      if (performance.now() > deadline) throw new Error(`not in time: ${what}`)
      await nextTurn()
    }
  }

  async dials(member: Member): Promise<void> {
    let closed = -1
    await this.until(() => {
      if (this.open.has(member.node)) return true
      if (this.count('closed') > closed) this.transport.dial(member)
      closed = this.count('closed')
      return false
    }, `accepted by ${member.node}`)
  }

  /** Sends a frame on a stream of its own that is open, or is opened for it. Waits while the other side does not read. */
  async says(member: Member, frame: Uint8Array): Promise<void> {
    for (;;) {
      if (!this.open.has(member.node)) await this.dials(member)
      const before = this.count('backpressure')
      this.transport.send(member.node, 'mine', frame)
      if (this.count('backpressure') === before) return
      await nextTurn()
    }
  }

  /** The first things that happened to it. */
  get log(): readonly string[] {
    return this.#log.lines
  }

  count(what: string): number {
    return this.#log.counts.get(what) ?? 0
  }

  async happens(what: string, times = 1): Promise<void> {
    await vi.waitFor(() => {
      if (this.count(what) < times)
        throw new Error(`${what} ${this.count(what)} times, not ${times}: ${this.log.join(', ')}`)
    }, PATIENCE)
  }
}

export async function puppet(
  mesh: RealMesh,
  { keys, listen, hello, acks, onFrame = () => {} }: PuppetOptions,
): Promise<Puppet> {
  const log = new Log()
  const open = new Set<string>()
  const byPeerId = new Map(
    [...mesh.roster.members, ...mesh.roster.aggregators].map((member) => [member.peerId, member]),
  )
  const transport = await createTransport({
    keys,
    listen,
    memberOf: (peerId) => byPeerId.get(peerId),
    hello: () => hello,
    readHello: () => LIFE,
    onOpened: (peer, by) => {
      if (by === 'me') open.add(peer)
      log.note(by === 'me' ? 'opened' : 'opened by them')
    },
    onClosed: (peer, by) => {
      if (by === 'me') open.delete(peer)
      log.note(by === 'me' ? 'closed' : 'closed by them')
    },
    onFrame: (peer, frame) => {
      log.note('frame')
      onFrame(frame)
      const message = decodeMessage(frame)
      if (!acks || message.kind !== 'probe') return
      const ack = { kind: 'ack', seq: message.seq, wallMs: 0, incarnation: LIFE } as const
      transport.send(peer, 'theirs', encodeMessage(ack))
    },
    answer: async () => new Uint8Array(),
    onDropped: (_peer, why) => void log.note(why),
  })
  onTestFinished(() => transport.stop())
  return new Puppet(transport, log, open)
}

export function helloOf(certificate: Uint8Array, incarnation: Incarnation): Uint8Array {
  return encodeValue({ certificate, incarnation })
}

/** In which ways a puppet differs from one with everything in order that answers probes. */
type PuppetWays = { readonly [K in 'hello' | 'acks' | 'onFrame']?: PuppetOptions[K] | undefined }

/** A member of the roster, with everything in order, whose agent is a puppet. */
export async function memberPuppet(
  mesh: RealMesh,
  name: string,
  { hello, acks = true, onFrame }: PuppetWays = {},
): Promise<Puppet> {
  const { member, keys, certificate } = mesh.enrolled(name)
  const inOrder = helloOf(certificate, { serial: member.serial, boot: 1, refutations: 0 })
  return puppet(mesh, { keys, listen: placeOf(member), hello: hello ?? inOrder, acks, onFrame })
}

/** libp2p with a member's key and nothing of ours on it. */
export async function bareNode({ libp2pKey }: KeyPair): Promise<Libp2p> {
  const node = await createLibp2p({
    privateKey: libp2pKey,
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
    connectionGater: { denyDialMultiaddr: () => false },
  })
  onTestFinished(async () => node.stop())
  return node
}
