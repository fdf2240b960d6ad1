/** Any message that the mesh may send, for property tests. */
import fc from 'fast-check'
import { RECOVER_BEATS_MAX } from '../../mesh/core/flaps.ts'
import type { Message } from '../../mesh/core/message.ts'
import { LEAVE_MS_MAX, type StatementBody } from '../../mesh/core/model.ts'
import { HOPS_MAX } from '../../mesh/core/route.ts'

const bytes = (maxLength: number) => fc.uint8Array({ maxLength })
const signature = fc.uint8Array({ minLength: 64, maxLength: 64 })
const ms = fc.oneof(fc.nat({ max: 86_400_000 }), fc.double({ min: 1, max: 86_400_000, noNaN: true }))
const channel = fc.constantFrom('userland', 'lossy', 'mute', 'refused', 'nothing', 'unknown')
const opinion = fc.constantFrom('Alive', 'NodeDown', 'HostHung', 'AgentDown', 'LinkFault')
const kind = <K extends string>(value: K) => fc.constant(value)

export interface Alphabet {
  /** Of nodes. */
  readonly name: fc.Arbitrary<string>
  /** Serials, boots, epochs, terms, sequence numbers. */
  readonly count: fc.Arbitrary<number>
  readonly nonce: fc.Arbitrary<string>
}

const ANYTHING: Alphabet = {
  name: fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,40}$/),
  count: fc.nat(),
  nonce: fc.stringMatching(/^[0-9a-f]{1,32}$/),
}

/** Messages of each kind, made of these. */
function messagesOf({ name, count, nonce }: Alphabet) {
  const incarnation = fc.record({ serial: count, boot: count, refutations: count })
  const path = fc.array(name, { maxLength: HOPS_MAX })
  const body: fc.Arbitrary<StatementBody> = fc.oneof(
    fc.record({
      kind: kind('accusation'),
      subject: name,
      incarnation,
      epoch: count,
      term: count,
      opinion,
      channel,
      silentMs: ms,
    }),
    fc.record({ kind: kind('announcement'), incarnation }),
    fc.record({
      kind: kind('leave'),
      incarnation,
      reason: fc.string({ maxLength: 100 }),
      forMs: fc.nat({ max: LEAVE_MS_MAX }),
    }),
    fc.record({
      kind: kind('down'),
      subject: name,
      incarnation,
      verdict: fc.constantFrom('NodeDown', 'HostHung', 'Isolated'),
      verdictId: name,
      standing: fc.boolean(),
      latest: incarnation,
      recoverBeats: fc.integer({ min: 1, max: RECOVER_BEATS_MAX }),
      heard: fc.boolean(),
    }),
    fc.record({ kind: kind('note'), topic: fc.string({ minLength: 1, maxLength: 60 }), bytes: bytes(200) }),
  )

  const hash = fc.constantFrom('ab'.repeat(32), '01'.repeat(32))
  const statement = fc.record({ signer: name, serial: count, boot: count, seq: count, ttlMs: ms, body })
  const heard = fc.record({ signed: fc.record({ statement, signature }), ageMs: ms })

  const question = {
    leader: name,
    epoch: count,
    term: count,
    nonce,
    subjects: fc.array(fc.record({ node: name, incarnation }), { maxLength: 4 }),
  }
  const rollCall = fc.oneof(fc.record(question), fc.record({ ...question, canvass: fc.constant(true as const) }))

  const answer = fc.record({
    nonce,
    epoch: count,
    voter: name,
    voterSerial: count,
    subject: name,
    incarnation,
    opinion: fc.oneof(opinion, kind('Abstain')),
    channel,
    forMs: ms,
    reason: fc.string({ maxLength: 100 }),
  })

  return {
    probe: fc.record({ kind: kind('probe'), seq: count }),
    ack: fc.record({ kind: kind('ack'), seq: count, wallMs: ms, incarnation }),
    hint: fc.record({ kind: kind('hint'), path, from: name, subject: name }),
    'indirect-ack': fc.record({ kind: kind('indirect-ack'), path, from: name, subject: name, ageMs: ms }),
    gossip: fc.record({ kind: kind('gossip'), items: fc.array(heard, { maxLength: 4 }) }),
    'want-roster': fc.record({ kind: kind('want-roster'), epoch: count }),
    roster: fc.record({ kind: kind('roster'), epoch: count, bytes: bytes(200) }),
    'want-document': fc.record({ kind: kind('want-document'), hash }),
    document: fc.record({ kind: kind('document'), hash, bytes: bytes(200) }),
    digest: fc.record({
      kind: kind('digest'),
      part: fc.nat(),
      parts: fc.integer({ min: 1, max: 256 }),
      entries: fc.array(fc.tuple(name, fc.string({ maxLength: 60 }), count, count), { maxLength: 10 }),
    }),
    'roll-call': fc.record({ kind: kind('roll-call'), call: fc.record({ rollCall, signature }) }),
    answers: fc.record({
      kind: kind('answers'),
      nonce,
      present: bytes(40),
      degraded: bytes(40),
      answers: fc.array(fc.record({ answer, signature }), { maxLength: 4 }),
    }),
  } satisfies { readonly [K in Message['kind']]: fc.Arbitrary<Extract<Message, { kind: K }>> }
}

export const ANY_MESSAGE = messagesOf(ANYTHING)

export const anyMessage: fc.Arbitrary<Message> = fc.oneof(...Object.values(ANY_MESSAGE))

/** Of a few names and numbers, so that most of them concern somebody. */
export function anyMessageOf(alphabet: Alphabet): fc.Arbitrary<Message> {
  return fc.oneof(...Object.values(messagesOf(alphabet)))
}

export type Mutation = readonly [how: 'flip' | 'cut' | 'repeat' | 'insert', at: number, byte: number]

export const anyMutations: fc.Arbitrary<readonly Mutation[]> = fc.array(
  fc.tuple(fc.constantFrom('flip', 'cut', 'repeat', 'insert'), fc.nat(), fc.nat({ max: 255 })),
  { minLength: 1, maxLength: 4 },
)

/** A frame as a liar or a fault would send it. */
export function mutated(frame: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  return mutations.reduce(mutate, frame)
}

function mutate(bytes: Uint8Array, [how, dice, byte]: Mutation): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(byte)
  const at = dice % bytes.length
  const [before, after] = [bytes.slice(0, at), bytes.slice(at)]
  switch (how) {
    case 'flip':
      return bytes.with(at, byte)
    case 'cut':
      return before
    case 'repeat':
      return Buffer.concat([before, after, after])
    case 'insert':
      return Buffer.concat([before, Uint8Array.of(byte), after])
  }
}
