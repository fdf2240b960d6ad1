/** What is asked and answered of recordings: bounded, and of no harm from whomever it comes. */
import { createHash } from 'node:crypto'
import { brotliCompressSync } from 'node:zlib'
import { encode } from 'cborg'
import { describe, expect, it } from 'vitest'
import {
  decodeRecordingAsk,
  decodeRecordingTold,
  encodeRecordingAsk,
  encodeRecordingTold,
  isRecordingAsk,
  PACKED_BYTES_MAX,
  recordingAskTopic,
} from '../../detectors/recording/notes.ts'
import { packRecording, unpackRecording } from '../../detectors/recording/pack.ts'
import type { Recorded } from '../../detectors/recording/recorded.ts'
import { isAskTopic } from '../../detectors/usage/notes.ts'
import { NOTE_BYTES_MAX } from '../../mesh/core/gossip.ts'

const MIB = 1024 * 1024
const recordedOf = (text: string): Recorded => ({
  detector: 'memory',
  touches: '/proc/meminfo',
  kind: 'judged',
  why: '',
  judgements: [{ severity: 'warn', reason: 'MemoryAlmostFull', cause: '', summary: '90 %' }],
  host: {
    files: { '/proc/meminfo': text },
    links: { '/a': '../b' },
    folders: { '/proc': ['1'] },
    present: ['/c'],
    absent: [],
    unreadable: ['/d'],
    host: { node: 'node-7', missing: ['kmsg'] },
  },
})

describe('a question for a recording', () => {
  const ask = { id: '1', node: 'node-1', query: { detector: 'memory' } }

  it('comes as it was sent, under a topic of its own', () => {
    expect(decodeRecordingAsk(encodeRecordingAsk(ask))).toEqual(ask)
    const topic = recordingAskTopic('node-1')
    expect([isRecordingAsk(topic), isAskTopic(topic), isRecordingAsk('usage-ask/node-1')]).toEqual([true, false, false])
  })

  it.each([
    { ...ask, query: { detector: '' } },
    { ...ask, query: { detector: 'x'.repeat(64) } },
    { ...ask, query: { detector: 'memory', options: {} } },
    { ...ask, more: 1 },
    [],
  ])('is refused as %j', (wrong) => {
    expect(() => decodeRecordingAsk(encode(wrong))).toThrow()
  })

  it('is refused when it is none', () => {
    for (const bytes of [[], [0xff], [0xa2, 0x61]]) expect(() => decodeRecordingAsk(new Uint8Array(bytes))).toThrow()
  })
})

describe('an answer', () => {
  it.each([{ packed: new Uint8Array([1, 2, 3]) }, { refused: 'no', remedy: '' }])(
    'comes as it was sent: %j',
    (answer) => {
      expect(decodeRecordingTold(encodeRecordingTold({ id: '1', answer }))).toEqual({ id: '1', answer })
    },
  )

  it('fits a note at its largest, and is refused when larger', () => {
    const of = (length: number) => {
      return encodeRecordingTold({ id: 'x'.repeat(64), answer: { packed: new Uint8Array(length) } })
    }
    expect(of(PACKED_BYTES_MAX).length).toBeLessThanOrEqual(NOTE_BYTES_MAX)
    expect(decodeRecordingTold(of(PACKED_BYTES_MAX)).answer).toMatchObject({ packed: expect.any(Uint8Array) })
    expect(() => decodeRecordingTold(of(PACKED_BYTES_MAX + 1))).toThrow()
    expect(() => decodeRecordingTold(of(NOTE_BYTES_MAX))).toThrow('a note of')
  })

  it.each([
    { packed: 'text' },
    { refused: '', remedy: '' },
    { refused: 'x'.repeat(1_001), remedy: '' },
    { refused: 'no', remedy: '', packed: new Uint8Array() },
  ])('is refused as %j', (answer) => {
    expect(() => decodeRecordingTold(encode({ id: '1', answer }))).toThrow()
  })
})

describe('a recording', () => {
  it('is packed and unpacked', async () => {
    const recorded = recordedOf('MemTotal: 1 kB\n'.repeat(60_000))
    const packed = await packRecording(recorded)
    expect(packed.length).toBeLessThan(1_000)
    expect(unpackRecording(packed)).toEqual(recorded)
  })

  it('says how large it is when it does not fit', async () => {
    const digests = Array.from({ length: 3_000 }, (_, index) =>
      createHash('sha256').update(`${index}`).digest('base64'),
    )
    const text = digests.join('')
    await expect(packRecording(recordedOf(text))).rejects.toThrow(
      /^the recording is \d{5,6} bytes when packed, and 64512 may pass over the mesh$/,
    )
  })

  it.each([
    ['no packed bytes', new Uint8Array([1, 2, 3])],
    ['no JSON', brotliCompressSync('{')],
    ['something else', brotliCompressSync('{}')],
    ['more than it may swell to', brotliCompressSync(Buffer.alloc(64 * MIB, ' '))],
    [
      'a path out of its folder',
      brotliCompressSync(JSON.stringify(recordedOf('')).replace('/proc/meminfo":""', '/../x":""')),
    ],
  ])('is refused when it is %s', (_, packed) => {
    expect(() => unpackRecording(packed)).toThrow('what the node answered is no recording')
  })
})
