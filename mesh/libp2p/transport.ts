/**
 * The mesh's edges on libp2p: TCP, Noise and Yamux, one long-lived stream each way between two nodes that share an edge.
 * Everything libp2p stays in this file, asks.ts and frugal.ts. A stream starts with a hello, by which each side proves its
 * enrolment; then come length-prefixed messages.
 */
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Libp2p, PeerId, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import * as lengthPrefixed from 'it-length-prefixed'
import { pipe } from 'it-pipe'
import { createLibp2p } from 'libp2p'
import type { Incarnation, Member } from '../core/model.ts'
import type { KeyPair } from '../identity/keys.ts'
import { FRAME_BYTES_MAX } from '../wire/codec.ts'
import { type Answerer, Asks } from './asks.ts'
import { joinWrites, updateWindowLate } from './frugal.ts'
import type { Proof } from './host-channel.ts'

const PROTOCOL = '/starling/mesh/1'

/** A dial that takes longer has failed: the peer's host accepts and its agent does not, or nothing is there. */
const DIAL_TIMEOUT_MS = 2_000

/** Who opens a stream says hello within this time, or is cut off. */
const HELLO_TIMEOUT_MS = 2_000

/** Connections waiting for their handshake; a mass restart stalls on libp2p's default of 10. */
const PENDING_INBOUND_MAX = 1_000

export type StreamOwner = 'me' | 'them'

export interface TransportOptions {
  readonly keys: KeyPair
  readonly listen: { readonly host: string; readonly port: number }
  /** The enrolled member behind a peer id; undefined refuses the connection. */
  memberOf(peerId: string): Member | undefined
  hello(): Uint8Array
  /** Checks a peer's hello. Throws an Error to refuse it. */
  readHello(member: Member, bytes: Uint8Array): Incarnation
  onOpened(peer: string, by: StreamOwner, incarnation: Incarnation): void
  onClosed(peer: string, by: StreamOwner): void
  onFrame(peer: string, frame: Uint8Array): void
  readonly answer: Answerer
  /** Something was refused or discarded; it is counted, and nothing more. */
  onDropped(peer: string, why: 'hello' | 'frame' | 'backpressure', error?: unknown): void
}

export interface Transport {
  /** Opens my stream to a member, unless it is open. Ends in onOpened or onClosed. */
  dial(member: Member): void
  /** Best effort: without an open stream, or with one that is blocked, the frame is dropped. */
  send(peer: string, via: 'mine' | 'theirs' | 'any', frame: Uint8Array): void
  /** Cuts all connections with a member. My stream's end is not reported, theirs is. */
  abort(member: Member): void
  /** As `Asks.ask`. */
  ask(member: Member, topic: string, bytes: Uint8Array, withinMs: number): Promise<Uint8Array>
  /** Who completes a fresh handshake at a member's address. */
  prove(member: Member, signal: AbortSignal): Promise<Proof>
  stop(): Promise<void>
}

/** Throws the listener's error, such as EADDRINUSE, when it cannot listen. */
export async function createTransport(options: TransportOptions): Promise<Transport> {
  const { host, port } = options.listen
  const node = await createLibp2p({
    privateKey: options.keys.libp2pKey,
    addresses: { listen: [`/ip4/${host}/tcp/${port}`] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    // Its pings would come on top of our beats, on the same connections.
    streamMuxers: [yamux({ enableKeepAlive: false })],
    // Made to keep strangers out, which Noise does here; it is the one place that is given each connection as it opens.
    connectionProtector: () => ({ protect: async (connection) => joinWrites(connection) }),
    // Its pings abort connections of starved processes, which are the ones to be patient with.
    connectionMonitor: { enabled: false },
    connectionManager: {
      maxConnections: Number.MAX_SAFE_INTEGER,
      maxIncomingPendingConnections: PENDING_INBOUND_MAX,
      inboundConnectionThreshold: Number.MAX_SAFE_INTEGER,
    },
    connectionGater: {
      denyDialMultiaddr: () => false,
      denyInboundEncryptedConnection: (peerId: PeerId) => options.memberOf(peerId.toString()) === undefined,
    },
  })
  const edges = new Edges(node, options)
  await node.handle(PROTOCOL, (stream, connection) => edges.accept(stream, connection.remotePeer.toString()), {
    maxInboundStreams: 8,
  })
  const { memberOf, answer } = options
  const asks = new Asks(node, { memberOf, addressesOf, hasEdge: (peer) => edges.has(peer), answer })
  await asks.listen()
  return {
    dial: (member) => edges.dial(member),
    send: (peer, via, frame) => edges.send(peer, via, frame),
    abort: (member) => edges.abort(member),
    ask: (member, topic, bytes, withinMs) => asks.ask(member, topic, bytes, withinMs),
    prove: (member, signal) => edges.prove(member, signal),
    stop: async () => node.stop(),
  }
}

class Edges {
  readonly #node: Libp2p
  readonly #options: TransportOptions
  readonly #mine = new Map<string, Stream>()
  readonly #theirs = new Map<string, Stream>()
  readonly #dials = new Map<string, Promise<void>>()

  constructor(node: Libp2p, options: TransportOptions) {
    this.#node = node
    this.#options = options
  }

  has(peer: string): boolean {
    return this.#mine.has(peer) || this.#theirs.has(peer) || this.#dials.has(peer)
  }

  dial(member: Member): void {
    const { node: peer } = member
    if (this.#mine.has(peer)) return
    const dialled = this.#inTurn(peer, async () => {
      const signal = AbortSignal.timeout(DIAL_TIMEOUT_MS)
      this.#run(member, await this.#node.dialProtocol(addressesOf(member), PROTOCOL, { signal }), 'me')
    })
    dialled.catch(() => {
      // libp2p would try the same half-dead connection again the next time.
      this.abort(member)
      this.#options.onClosed(peer, 'me')
    })
  }

  /**
   * A handshake of its own: an answer on an open connection would only prove that the connection is buffered. Whoever is
   * there may say who he is: asked for the member's key alone, a stranger could not be told from a failure.
   */
  async prove(member: Member, signal: AbortSignal): Promise<Proof> {
    let proof: Proof = 'nobody'
    try {
      await this.#inTurn(member.node, async () => {
        const connection = await this.#node.dial(socketsOf(member), { force: true, signal })
        proof = connection.remotePeer.toString() === member.peerId ? 'own' : 'stranger'
        connection.abort(new Error('proved'))
      })
    } catch {
      // Nobody, then.
    }
    return proof
  }

  /** Dials to one peer come one after another: libp2p joins two at a time into one, and a proof would cut the edge's. */
  async #inTurn(peer: string, dial: () => Promise<void>): Promise<void> {
    const before = this.#dials.get(peer) ?? Promise.resolve()
    const mine = before.catch(() => {}).then(dial)
    this.#dials.set(peer, mine)
    try {
      await mine
    } finally {
      if (this.#dials.get(peer) === mine) this.#dials.delete(peer)
    }
  }

  accept(stream: Stream, peerId: string): void {
    const member = this.#options.memberOf(peerId)
    if (member === undefined) stream.abort(new Error('not enrolled'))
    else this.#run(member, stream, 'them')
  }

  send(peer: string, via: 'mine' | 'theirs' | 'any', frame: Uint8Array): void {
    const mine = via === 'theirs' ? undefined : this.#mine.get(peer)
    const stream = mine ?? (via === 'mine' ? undefined : this.#theirs.get(peer))
    if (stream === undefined) return
    // A peer that does not read must not make us keep what it should have read: what matters is repeated anyway.
    if (stream.writableNeedsDrain || stream.writeStatus !== 'writable') {
      this.#options.onDropped(peer, 'backpressure')
      return
    }
    stream.send(lengthPrefixed.encode.single(frame))
  }

  abort(member: Member): void {
    this.#mine.delete(member.node)
    for (const connection of this.#node.getConnections(peerIdFromString(member.peerId))) {
      connection.abort(new Error('edge is silent'))
    }
  }

  /** Hello first, then frames, until the stream ends in whatever way. */
  #run(member: Member, stream: Stream, by: StreamOwner): void {
    const { node: peer } = member
    const streams = by === 'me' ? this.#mine : this.#theirs
    const { onOpened, onClosed, onDropped, readHello, hello } = this.#options
    let isOpen = false
    // A later stream of the same peer replaces an earlier one, whose end is then of no interest.
    const isCurrent = () => streams.get(peer) === stream
    updateWindowLate(stream)
    const impatient = setTimeout(() => stream.abort(new Error('no hello')), HELLO_TIMEOUT_MS)
    const onFrame = (frame: Uint8Array) => {
      if (isOpen) {
        if (isCurrent()) this.#options.onFrame(peer, frame)
        return
      }
      clearTimeout(impatient)
      const incarnation = readHello(member, frame)
      isOpen = true
      if (by === 'them') stream.send(lengthPrefixed.encode.single(hello()))
      streams.get(peer)?.abort(new Error('replaced'))
      streams.set(peer, stream)
      onOpened(peer, by, incarnation)
    }
    if (by === 'me') stream.send(lengthPrefixed.encode.single(hello()))
    void pipe(
      stream,
      (source) => lengthPrefixed.decode(source, { maxDataLength: FRAME_BYTES_MAX }),
      async (source) => {
        for await (const frame of source) onFrame(frame.subarray())
      },
    )
      .catch((error: unknown) => {
        // A reset is how edges end when a peer dies; only what a living peer sent wrongly is worth counting.
        if (stream.status === 'open') onDropped(peer, isOpen ? 'frame' : 'hello', error)
        stream.abort(new Error('malformed'))
      })
      .finally(() => {
        clearTimeout(impatient)
        if (isOpen ? !isCurrent() : by === 'them') return
        streams.delete(peer)
        if (stream.status === 'open') stream.abort(new Error('ended'))
        onClosed(peer, by)
      })
  }
}

function addressesOf(member: Member) {
  return socketsOf(member).map((address) => address.encapsulate(`/p2p/${member.peerId}`))
}

function socketsOf({ hosts, meshPort }: Member) {
  return hosts.map((host) => multiaddr(`/${host.includes(':') ? 'ip6' : 'ip4'}/${host}/tcp/${meshPort}`))
}
