/**
 * Questions from one node to another, each on a short stream of its own that ends with the answer: for what is too much for
 * gossip, or concerns nobody else. Whoever asks knows whom, by the handshake; what may be asked is for the owner to say.
 */
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import * as lengthPrefixed from 'it-length-prefixed'
import { pipe } from 'it-pipe'
import { z } from 'zod'
import type { Member } from '../core/model.ts'
import { decodeValue, encodeValue } from '../wire/codec.ts'

const PROTOCOL = '/starling/ask/1'

/** The most that a question or an answer may hold, bytes; more is asked for in pieces. */
export const ASK_BYTES_MAX = 256 * 1024

/** Room for the topic and the words around the bytes. */
const FRAME_BYTES_MAX = ASK_BYTES_MAX + 4 * 1024

/** Answers under way at once; one more is refused, and asked again by whoever wants it. */
const ANSWERING_MAX = 64
/** Of them to one node, which may open streams and ask nothing. Inspections, copies and measures ask one thing each at a time. */
const ANSWERING_ONE_MAX = 16

/** The longest that an answer may take, ms: who asked has long given up. */
const ANSWER_MS_MAX = 60_000

const questionSchema = z.strictObject({ topic: z.string().min(1).max(100), bytes: z.instanceof(Uint8Array) })
const answerSchema = z.union([
  z.strictObject({ bytes: z.instanceof(Uint8Array) }),
  z.strictObject({ refused: z.string().max(1_000) }),
])

/** Nobody was there to be asked. */
export class NotReached extends Error {
  override name = 'NotReached'
}

/** Answers a question of a member. What it throws is told to whoever asked, in one sentence. */
export type Answerer = (from: string, topic: string, bytes: Uint8Array) => Promise<Uint8Array>

export interface AsksOptions {
  memberOf(peerId: string): Member | undefined
  addressesOf(member: Member): Multiaddr[]
  /** Whether an edge of the mesh runs over the connection with this node: then it is not ours to close. */
  hasEdge(node: string): boolean
  readonly answer: Answerer
}

export class Asks {
  readonly #libp2p: Libp2p
  readonly #options: AsksOptions
  /** By who asks; by whom this node asks. */
  readonly #answering = new Map<string, number>()
  readonly #asking = new Map<string, number>()

  constructor(libp2p: Libp2p, options: AsksOptions) {
    this.#libp2p = libp2p
    this.#options = options
  }

  async listen(): Promise<void> {
    const accept = (stream: Stream, { remotePeer }: Connection) => this.#accept(stream, remotePeer.toString())
    await this.#libp2p.handle(PROTOCOL, accept, { maxInboundStreams: ANSWERING_ONE_MAX })
  }

  /** Rejects with a NotReached; or with an Error: no answer came within `withinMs`, or the other refuses and says why. */
  async ask(member: Member, topic: string, bytes: Uint8Array, withinMs: number): Promise<Uint8Array> {
    if (bytes.length > ASK_BYTES_MAX)
      throw new RangeError(`a question of ${bytes.length} bytes is over ${ASK_BYTES_MAX}`)
    // A signal takes whole milliseconds only.
    const patienceMs = Math.ceil(withinMs)
    const signal = AbortSignal.timeout(patienceMs)
    add(this.#asking, member.node, 1)
    try {
      const connection = await this.#libp2p
        .dial(this.#options.addressesOf(member), { signal })
        .catch((cause: unknown) => {
          throw new NotReached(`${member.node} cannot be reached`, { cause })
        })
      const stream = await connection.newStream(PROTOCOL, { signal })
      const giveUp = () => stream.abort(new Error(`${member.node} did not answer within ${patienceMs} ms`))
      signal.addEventListener('abort', giveUp)
      try {
        signal.throwIfAborted()
        stream.send(lengthPrefixed.encode.single(encodeValue({ topic, bytes })))
        const answer = decodeValue(answerSchema, await firstFrame(stream))
        if ('refused' in answer) throw new Error(`${member.node} refused: ${answer.refused}`)
        return answer.bytes
      } finally {
        signal.removeEventListener('abort', giveUp)
        stream.abort(new Error('answered'))
      }
    } finally {
      add(this.#asking, member.node, -1)
      await this.#hangUp(member)
    }
  }

  async #accept(stream: Stream, peerId: string): Promise<void> {
    const from = this.#options.memberOf(peerId)?.node
    if (from === undefined || this.#isTooMany(from)) {
      stream.abort(new Error(from === undefined ? 'not enrolled' : 'too many questions'))
      return
    }
    add(this.#answering, from, 1)
    const impatient = setTimeout(() => stream.abort(new Error('no question')), ANSWER_MS_MAX)
    try {
      const { topic, bytes } = decodeValue(questionSchema, await firstFrame(stream))
      const answer = await this.#options.answer(from, topic, bytes).then(
        (said) => ({ bytes: said }),
        (error: unknown) => ({ refused: String(error instanceof Error ? error.message : error).slice(0, 1_000) }),
      )
      stream.send(lengthPrefixed.encode.single(encodeValue(answer)))
      await stream.close({ signal: AbortSignal.timeout(ANSWER_MS_MAX) })
    } catch (error) {
      stream.abort(error instanceof Error ? error : new Error(String(error)))
    } finally {
      clearTimeout(impatient)
      add(this.#answering, from, -1)
    }
  }

  #isTooMany(from: string): boolean {
    const all = [...this.#answering.values()].reduce((sum, count) => sum + count, 0)
    return all >= ANSWERING_MAX || (this.#answering.get(from) ?? 0) >= ANSWERING_ONE_MAX
  }

  /** A connection made for the question alone would cost both ends 146 KB for as long as it stays (docs/protocol.md). */
  async #hangUp({ node, peerId }: Member): Promise<void> {
    // Another question may be about to go out over it.
    if (this.#options.hasEdge(node) || this.#asking.has(node)) return
    for (const connection of this.#libp2p.getConnections(peerIdFromString(peerId))) {
      if (connection.direction !== 'outbound' || connection.streams.length > 0) continue
      // Within a second, as libp2p has it: a host that hangs says no goodbye.
      await connection.close().catch((error: Error) => connection.abort(error))
    }
  }
}

/** Those with nothing left are not kept. */
function add(counts: Map<string, number>, node: string, change: number): void {
  const count = (counts.get(node) ?? 0) + change
  if (count === 0) counts.delete(node)
  else counts.set(node, count)
}

async function firstFrame(stream: Stream): Promise<Uint8Array> {
  const frame = await pipe(
    stream,
    (source) => lengthPrefixed.decode(source, { maxDataLength: FRAME_BYTES_MAX }),
    async (source) => {
      for await (const each of source) return each.subarray()
      return undefined
    },
  )
  if (frame === undefined) throw new Error('the stream ended without a word')
  return frame
}
