/** Questions to many, on short streams between real nodes: an aggregator asks, every node answers and brings others' rows. */
import { randomBytes } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import {
  type Gathered,
  groupsOf,
  HOP_MS,
  type Hop,
  type Query,
  rowPayload,
  type SignedQuery,
  type SignedRow,
  type Unheard,
} from '../core/convergecast.ts'
import { Inquiry } from '../core/convergecast-inquiry.ts'
import { Relay } from '../core/convergecast-relay.ts'
import { Round } from '../core/convergecast-round.ts'
import { decodeGathered, decodeHop, encodeGathered, encodeHop, ROW_BYTES_MAX } from '../wire/convergecast.ts'
import { ASK_BYTES_MAX, NotReached } from './asks.ts'
import type { Questions } from './questions.ts'
import type { MeshNode } from './running-node.ts'

const TOPIC = 'converge'

/** Rows are much alike, so that a frame can be much larger once it is unpacked; but no larger than it can be of use. */
const UNPACKED_BYTES_MAX = 4 * 1024 * 1024

/** Heard within three beats: an edge that is open and answers. */
const NEAR_MS = 3_000

/** What a node says under a topic, within the time; it is signed by the caller. At most ROW_BYTES_MAX. */
export type RowMaker = (parameters: Uint8Array, withinMs: number) => Promise<Uint8Array>

/** What a convergecast needs of the mesh it runs on. */
export type Convergable = Pick<MeshNode, 'ask' | 'heardWithin' | 'keyring' | 'now' | 'roster'>

export interface ConvergeQuery {
  readonly topic: string
  readonly parameters: Uint8Array
  /** 60 s at most. */
  readonly withinMs: number
  readonly names: readonly string[]
}

/** What came of it, row by row as its node signed it. */
export interface Converged extends Pick<Inquiry, 'rows' | 'refused'> {
  whyMissing(node: string): Unheard
}

/** Answers others' questions from now on. Topics without a maker of rows are refused. */
export function answerConvergecasts(init: {
  readonly node: string
  readonly questions: Questions
  /** Undefined before it runs. */
  readonly mesh: () => Convergable | undefined
  readonly rows: Readonly<Record<string, RowMaker>>
  /** A maker failed: whoever asked hears nothing. */
  readonly onFailed: (topic: string, error: unknown) => void
}): void {
  const { node, questions, rows, onFailed } = init
  const running = (): Convergable => {
    const mesh = init.mesh()
    if (mesh === undefined) throw new Error('the mesh is starting')
    return mesh
  }
  const relay = new Relay<Promise<SignedRow | undefined>>({
    node,
    isAggregator: (name) => running().roster.aggregators.some((one) => one.node === name),
    verify: (...signed) => running().keyring.verify(...signed),
  })
  const makeRow = async ({ topic, parameters, nonce }: Query, withinMs: number): Promise<SignedRow | undefined> => {
    try {
      const maker = rows[topic]
      if (maker === undefined) throw new Error(`nothing is said here about ${topic}`)
      const bytes = await maker(parameters, withinMs)
      if (bytes.length > ROW_BYTES_MAX) throw new RangeError(`a row of ${bytes.length} bytes is over ${ROW_BYTES_MAX}`)
      return { node, bytes, signature: running().keyring.sign('row', rowPayload(nonce, { node, bytes })) }
    } catch (error) {
      onFailed(topic, error)
      return undefined
    }
  }
  questions.on(TOPIC, async (_from, bytes) => {
    const hop = decodeHop(bytes)
    const mesh = running()
    const rowMs = hop.leftMs - HOP_MS / 3
    const { row, names } = relay.take(hop, (query) => makeRow(query, rowMs))
    try {
      const near = nearOf(mesh)
      const round = new Round({ groups: groupsOf(names, near), endsAt: mesh.now() + hop.leftMs })
      const [own] = await Promise.all([inTime(row, hop.leftMs), run(mesh, hop.query, round, () => {})])
      const { rows: brought, unheard } = round.end()
      return pack({ rows: own === undefined ? brought : [own, ...brought], unheard }).bytes
    } finally {
      relay.done(hop.query.query.nonce)
    }
  })
}

/** Asks all those names, as the aggregator `asker`. `onProgress`: told how many have answered. Never rejects. */
export async function converge(
  mesh: Convergable,
  asker: string,
  { names, ...asked }: ConvergeQuery,
  onProgress: (answered: number) => void,
): Promise<Converged> {
  const query: Query = { asker, nonce: randomBytes(16).toString('hex'), ...asked }
  const signed = { query, signature: mesh.keyring.sign('query', query) }
  const isGenuine = (row: SignedRow) =>
    mesh.keyring.verify(row.node, 'row', rowPayload(query.nonce, row), row.signature)
  const { withinMs } = asked
  const inquiry = new Inquiry(mesh.now(), { names, withinMs, isNear: nearOf(mesh), isGenuine, random: Math.random })
  for (let round = inquiry.next(mesh.now()); round !== undefined; round = inquiry.next(mesh.now())) {
    const { rows } = round
    const seen = new Set(inquiry.rows.keys())
    await run(mesh, signed, round, () => {
      for (const node of rows.keys()) seen.add(node)
      onProgress(seen.size)
    })
  }
  const { rows, refused } = inquiry
  return { rows, refused, whyMissing: (node) => inquiry.whyMissing(node) }
}

/** Resolves when the round is over. */
function run(mesh: Convergable, query: SignedQuery, round: Round, onAnswer: () => void): Promise<void> {
  return new Promise((resolve) => {
    // One after another and with a turn of the loop between: a frame takes as long to check as a beat may be late.
    let reading = Promise.resolve()
    const read = async (to: string, bytes: Uint8Array) => {
      await nextTurn()
      round.answered(to, unpack(bytes))
      onAnswer()
    }
    const ask = async (to: string, hop: Hop, withinMs: number) => {
      try {
        const bytes = await mesh.ask(to, TOPIC, encodeHop(hop), withinMs)
        if (!round.arrived(to)) return
        const mine = reading.then(() => read(to, bytes))
        reading = mine.catch(() => {})
        await mine
      } catch (error) {
        round.failed(to, error instanceof NotReached ? 'unreachable' : 'no-answer')
      }
      step()
    }
    const step = () => {
      for (const { to, names, leftMs, withinMs } of round.next(mesh.now()))
        void ask(to, { query, leftMs, names }, withinMs)
      if (!round.isOver(mesh.now())) return
      clearTimeout(end)
      resolve()
    }
    const end = setTimeout(step, round.endsAt - mesh.now() + 1)
    step()
  })
}

function nearOf(mesh: Convergable): (node: string) => boolean {
  const near = new Set(mesh.heardWithin(NEAR_MS))
  return (node) => near.has(node)
}

/** As many rows as a frame holds, and which they are; those that are left out are asked for again. */
export function pack(gathered: Gathered): { readonly bytes: Uint8Array; readonly rows: readonly SignedRow[] } {
  for (let { rows } = gathered; ; rows = rows.slice(0, Math.floor(rows.length * 0.75))) {
    const bytes = deflateRawSync(encodeGathered({ ...gathered, rows }), { level: 1 })
    if (bytes.length <= ASK_BYTES_MAX || rows.length === 0) return { bytes, rows }
  }
}

/** Throws an Error for anything that `pack` does not make. */
export function unpack(packed: Uint8Array): Gathered {
  return decodeGathered(inflateRawSync(packed, { maxOutputLength: UNPACKED_BYTES_MAX }))
}

async function inTime<T>(promise: Promise<T>, withinMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), withinMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
