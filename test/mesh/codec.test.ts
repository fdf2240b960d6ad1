import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RECOVER_BEATS_MAX } from '../../mesh/core/flaps.ts'
import { type Heard, KEYS_PER_AGGREGATOR, NOTE_BYTES_MAX, SYNC_STATEMENTS } from '../../mesh/core/gossip.ts'
import type { Message } from '../../mesh/core/message.ts'
import { LEAVE_MS_MAX, ROSTER_BYTES_MAX, type StatementBody } from '../../mesh/core/model.ts'
import { HOPS_MAX } from '../../mesh/core/route.ts'
import { decodeMessage, encodeMessage, encodeValue, FRAME_BYTES_MAX } from '../../mesh/wire/codec.ts'
import { messageSchema } from '../../mesh/wire/schema.ts'
import { ANY_MESSAGE, anyMessage, anyMutations, mutated } from './any-message.ts'
import { FIRST_LIFE } from './sample-mesh.ts'

describe('a message', () => {
  test.each(Object.keys(ANY_MESSAGE) as Message['kind'][])(
    'of kind %s is the same after encoding and decoding',
    (kind) => {
      fc.assert(
        fc.property(ANY_MESSAGE[kind] as fc.Arbitrary<Message>, (message) => {
          expect(decodeMessage(encodeMessage(message))).toEqual(message)
        }),
      )
    },
  )

  test('gives the same bytes whatever order its fields were written in', () => {
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed)
      if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
      return Object.fromEntries(
        Object.entries(value)
          .toReversed()
          .map(([key, inner]) => [key, reversed(inner)]),
      )
    }
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(encodeValue(reversed(message))).toEqual(encodeMessage(message))
      }),
    )
  })

  test('has one encoding, which is part of the protocol: what was signed once must verify for ever', () => {
    const value = { seq: 24, b: 1.5, aa: [true, 'x'], c: Uint8Array.of(1), n: 1e300 }
    expect(Buffer.from(encodeValue(value)).toString('hex')).toBe(
      'a561' +
        '62f93e00' +
        '6163' +
        '4101' +
        '616e' +
        'fb7e37e43c8800759c' +
        '626161' +
        '82f56178' +
        '63736571' +
        '1818',
    )
  })

  test('gives the same bytes again after it was decoded, so that what was signed can be checked', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const bytes = encodeMessage(message)
        expect(encodeMessage(decodeMessage(bytes))).toEqual(bytes)
      }),
    )
  })
})

/** What decoding may do with any bytes: refuse them, or give a message that the schema holds to be one. */
function acceptsOnlyMessages(bytes: Uint8Array): 'message' | 'refused' {
  let message: Message
  try {
    message = decodeMessage(bytes)
  } catch (error) {
    expect(error).toBeInstanceOf(Error)
    return 'refused'
  }
  expect(messageSchema.parse(message)).toEqual(message)
  // No prototype of the sender's choosing, and not much larger than the frame: a byte that is no UTF-8 takes three.
  expect(Object.getPrototypeOf(message)).toBe(Object.prototype)
  expect(encodeMessage(message).length).toBeLessThanOrEqual(bytes.length * 3)
  return 'message'
}

describe('hostile bytes', () => {
  test('at random are refused or are a message, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void acceptsOnlyMessages(bytes)),
      { numRuns: 2_000 },
    )
  })

  test('made from a valid frame are refused or are a message, never anything else', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(anyMessage, anyMutations, (message, mutations) => {
        seen.add(acceptsOnlyMessages(mutated(encodeMessage(message), mutations)))
      }),
      { numRuns: 2_000 },
    )
    expect(seen).toEqual(new Set(['message', 'refused']))
  })

  test.each([
    { what: 'nothing', bytes: [] },
    { what: 'an array said to have 2^32 entries', bytes: [0x9a, 0xff, 0xff, 0xff, 0xff] },
    { what: 'a string said to have 2^40 bytes', bytes: [0x7b, 0, 0, 1, 0, 0, 0, 0, 0] },
    { what: 'half a million arrays in each other', bytes: new Uint8Array(FRAME_BYTES_MAX).fill(0x81) },
    { what: 'half a million maps in each other', bytes: new Uint8Array(FRAME_BYTES_MAX).fill(0xa1) },
    { what: 'fields without end', bytes: [0xbf, ...text('kind'), ...text('probe'), ...text('seq'), 1, 0xff] },
    { what: 'a second value after the first', bytes: [...encodeMessage({ kind: 'probe', seq: 1 }), 0x00] },
    {
      what: 'a field given twice',
      bytes: [0xa3, ...text('kind'), ...text('probe'), ...text('seq'), 1, ...text('seq'), 2],
    },
    { what: 'a field nobody knows', bytes: encodeValue({ kind: 'probe', seq: 1, more: 1 }) },
    {
      what: 'its kind in the prototype',
      bytes: [0xa1, ...text('__proto__'), 0xa2, ...text('kind'), ...text('probe'), ...text('seq'), 1],
    },
    {
      what: 'a number that is none',
      bytes: [0xa2, ...text('kind'), ...text('probe'), ...text('seq'), 0xf9, 0x7e, 0x00],
    },
    { what: 'a number beyond 2^53', bytes: encodeValue({ kind: 'probe', seq: 2n ** 60n }) },
  ])('are refused: $what', ({ bytes }) => {
    expect(acceptsOnlyMessages(Uint8Array.from(bytes))).toBe('refused')
  })
})

function text(value: string): number[] {
  return [0x60 + value.length, ...Buffer.from(value)]
}

describe('bounds', () => {
  const signature = new Uint8Array(64)
  const NOBODY = new Uint8Array(0)
  const saying = (body: StatementBody): Heard => {
    return { signed: { statement: { signer: 'a', serial: 1, boot: 1, seq: 1, ttlMs: 1, body }, signature }, ageMs: 0 }
  }
  const noteOf = (bytes: Uint8Array) => saying({ kind: 'note', topic: 't', bytes })
  const leaveOf = (forMs: number): Message => {
    return { kind: 'gossip', items: [saying({ kind: 'leave', incarnation: FIRST_LIFE, reason: '', forMs })] }
  }
  const downFor = (recoverBeats: number): Message => {
    const about = { subject: 'b', incarnation: FIRST_LIFE, latest: FIRST_LIFE } as const
    const verdict = { verdict: 'NodeDown', verdictId: 'v', standing: true } as const
    return { kind: 'gossip', items: [saying({ kind: 'down', ...about, ...verdict, recoverBeats, heard: false })] }
  }
  const repeat = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)
  const subject = { node: 'a', incarnation: FIRST_LIFE }
  const callOf = (subjects: number): Message => {
    const rollCall = { leader: 'a', epoch: 1, term: 1, nonce: 'a', subjects: repeat(subjects, subject) }
    return { kind: 'roll-call', call: { rollCall, signature } }
  }
  const answerOf = (reason: string): Message => {
    const answer = {
      nonce: 'a',
      epoch: 1,
      voter: 'a',
      voterSerial: 1,
      subject: 'b',
      incarnation: FIRST_LIFE,
      opinion: 'Abstain',
      channel: 'unknown',
      forMs: 0,
      reason,
    } as const
    return {
      kind: 'answers',
      nonce: 'a',
      present: new Uint8Array(1),
      degraded: NOBODY,
      answers: [{ answer, signature }],
    }
  }
  const partOf = (parts: number): Message => ({ kind: 'digest', part: 0, parts, entries: [] })
  const hintVia = (path: string[]): Message => ({ kind: 'hint', path, from: 'a', subject: 'b' })

  test.each<{ what: string; fits: Message; tooMuch: Message }>([
    { what: 'hops of a hint', fits: hintVia(repeat(HOPS_MAX, 'a')), tooMuch: hintVia(repeat(HOPS_MAX + 1, 'a')) },
    { what: 'letters of a name', fits: hintVia(['a'.repeat(253)]), tooMuch: hintVia(['a'.repeat(254)]) },
    { what: 'letters of a name at least', fits: hintVia(['a']), tooMuch: hintVia(['']) },
    {
      what: 'statements',
      fits: { kind: 'gossip', items: repeat(SYNC_STATEMENTS, noteOf(new Uint8Array(1))) },
      tooMuch: { kind: 'gossip', items: repeat(SYNC_STATEMENTS + 1, noteOf(new Uint8Array(1))) },
    },
    {
      what: 'bytes of a note',
      fits: { kind: 'gossip', items: [noteOf(new Uint8Array(NOTE_BYTES_MAX))] },
      tooMuch: { kind: 'gossip', items: [noteOf(new Uint8Array(NOTE_BYTES_MAX + 1))] },
    },
    {
      what: 'entries of a digest',
      fits: { kind: 'digest', part: 0, parts: 1, entries: repeat(2 * KEYS_PER_AGGREGATOR, ['a', 'b', 1, 1] as const) },
      tooMuch: {
        kind: 'digest',
        part: 0,
        parts: 1,
        entries: repeat(2 * KEYS_PER_AGGREGATOR + 1, ['a', 'b', 1, 1] as const),
      },
    },
    { what: 'parts of a digest', fits: partOf(256), tooMuch: partOf(257) },
    { what: 'parts of a digest at least', fits: partOf(1), tooMuch: partOf(0) },
    { what: 'subjects of a roll-call', fits: callOf(256), tooMuch: callOf(257) },
    { what: 'letters of a reason', fits: answerOf('x'.repeat(100)), tooMuch: answerOf('x'.repeat(101)) },
    {
      what: 'presence bits',
      fits: { kind: 'answers', nonce: 'a', present: new Uint8Array(8_192), degraded: NOBODY, answers: [] },
      tooMuch: { kind: 'answers', nonce: 'a', present: new Uint8Array(8_193), degraded: NOBODY, answers: [] },
    },
    {
      what: 'bits of the degraded',
      fits: { kind: 'answers', nonce: 'a', present: NOBODY, degraded: new Uint8Array(8_192), answers: [] },
      tooMuch: { kind: 'answers', nonce: 'a', present: NOBODY, degraded: new Uint8Array(8_193), answers: [] },
    },
    {
      what: 'bytes of a roster',
      fits: { kind: 'roster', epoch: 1, bytes: new Uint8Array(ROSTER_BYTES_MAX) },
      tooMuch: { kind: 'roster', epoch: 1, bytes: new Uint8Array(ROSTER_BYTES_MAX + 1) },
    },
    { what: 'length of a leave', fits: leaveOf(LEAVE_MS_MAX), tooMuch: leaveOf(LEAVE_MS_MAX + 1) },
    { what: 'beats of a recovery', fits: downFor(RECOVER_BEATS_MAX), tooMuch: downFor(RECOVER_BEATS_MAX + 1) },
    { what: 'beats of a recovery at least', fits: downFor(1), tooMuch: downFor(0) },
    { what: 'sequence numbers below zero', fits: { kind: 'probe', seq: 0 }, tooMuch: { kind: 'probe', seq: -1 } },
  ])('hold: $what', ({ fits, tooMuch }) => {
    expect(acceptsOnlyMessages(encodeMessage(fits))).toBe('message')
    expect(acceptsOnlyMessages(encodeMessage(tooMuch))).toBe('refused')
  })

  test('leave a full load of statements room in one frame', () => {
    const items = repeat(SYNC_STATEMENTS, noteOf(new Uint8Array(500)))
    expect(encodeMessage({ kind: 'gossip', items }).length).toBeLessThanOrEqual(FRAME_BYTES_MAX)
  })
})
