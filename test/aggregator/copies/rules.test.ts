/** The rules by which events are copied: what goes together, who waits for how long, what is given to whom. */
import { describe, expect, it } from 'vitest'
import { Acknowledgements } from '../../../aggregator/copies/acknowledgements.ts'
import { SingleCopyAlarm } from '../../../aggregator/copies/alarm.ts'
import { BATCH_BYTES_MAX, BATCH_EVENTS_MAX, batchOf, type Row, readBatch } from '../../../aggregator/copies/batch.ts'
import { Given } from '../../../aggregator/copies/given.ts'
import { ASK_BYTES_MAX } from '../../../mesh/libp2p/asks.ts'
import { encodeValue } from '../../../mesh/wire/codec.ts'

const AT = '2026-03-01T12:00:00.000Z'
const BETWEEN = { from: 'one', to: 'other' }
const row = (seq: number, parts: Partial<Row> = {}): Row => {
  return {
    seq,
    id: `e${seq}`,
    at: AT,
    kind: 'finding',
    node: 'a',
    tone: 'bad',
    summary: 's',
    causedBy: '',
    data: '{}',
    ...parts,
  }
}
const rows = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => row(from + index))
const placesOf = (some: readonly Row[]) => some.map(({ seq }) => seq)

describe('a batch', () => {
  it('holds events as they are, whatever is in them', () => {
    const nasty = `<img src=x> =cmd|' /C calc'!A0 \r\nBcc: x \u001b[31m 漢字 \u0000`
    const data = JSON.stringify({ nasty, list: [1, null, { deep: true }] })
    const { bytes, taken } = batchOf(BETWEEN, [
      row(7, { id: nasty, node: nasty, summary: nasty, causedBy: nasty, data }),
    ])
    expect(taken).toBe(1)
    const { seq: _, ...sent } = row(7, { id: nasty, node: nasty, summary: nasty, causedBy: nasty })
    expect(readBatch(bytes)).toEqual({ ...BETWEEN, events: [{ ...sent, data: JSON.parse(data) }] })
  })

  it('is no larger than one question, and leaves the rest for the next', () => {
    const large = rows(1, 40).map((one) => ({ ...one, summary: 'x'.repeat(10_000) }))
    const { bytes, taken } = batchOf(BETWEEN, large)
    expect(bytes.length).toBeLessThanOrEqual(ASK_BYTES_MAX)
    expect(taken).toBe(Math.floor(BATCH_BYTES_MAX / 10_140))
    expect(batchOf(BETWEEN, rows(1, 2_000)).taken).toBe(BATCH_EVENTS_MAX)
    expect(batchOf(BETWEEN, []).taken).toBe(0)
  })

  it('leaves out the data that no question holds, and says how much that was', () => {
    const data = JSON.stringify({ nodes: Array.from({ length: 20_000 }, (_, index) => `node-${index}`) })
    const { bytes, taken } = batchOf(BETWEEN, [row(1, { data }), row(2)])
    expect(taken).toBe(2)
    expect(readBatch(bytes).events.map((event) => event.data)).toEqual([{ leftOutBytes: data.length }, {}])
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['another thing', encodeValue({ ...BETWEEN, events: [], more: 1 })],
    ['data that is no JSON', encodeValue({ ...BETWEEN, events: [{ ...sample(), data: '{' }] })],
    ['data that is a list', encodeValue({ ...BETWEEN, events: [{ ...sample(), data: '[]' }] })],
    ['a time that is none', encodeValue({ ...BETWEEN, events: [{ ...sample(), at: 'yesterday' }] })],
    ['a kind that is markup', encodeValue({ ...BETWEEN, events: [{ ...sample(), kind: '<b>' }] })],
    ['too many events', encodeValue({ ...BETWEEN, events: Array(BATCH_EVENTS_MAX + 1).fill(sample()) })],
  ])('is not %s', (_, bytes) => {
    expect(() => readBatch(bytes)).toThrow()
  })
})

function sample() {
  const { seq: _, ...event } = row(1)
  return event
}

describe('whoever waits for the second copy', () => {
  const settled = async (promise: Promise<boolean>) => await Promise.race([promise, Promise.resolve('waits')])

  it('is told as soon as it is there', async () => {
    const acknowledgements = new Acknowledgements()
    const [first, second] = [acknowledgements.of(1, 0), acknowledgements.of(2, 0)]
    acknowledgements.copied(1)
    expect([await settled(first), await settled(second)]).toEqual([false, 'waits'])
    acknowledgements.copied(5)
    expect([await settled(second), await settled(acknowledgements.of(5, 0))]).toEqual([false, false])
  })

  it('is told after a second that there is one alone, and waits anew when the copy is lost', async () => {
    const acknowledgements = new Acknowledgements()
    const first = acknowledgements.of(1, 0)
    acknowledgements.tick(999)
    expect(await settled(first)).toBe('waits')
    acknowledgements.tick(1_000)
    expect(await settled(first)).toBe(true)
    acknowledgements.copied(9)
    acknowledgements.copied(0)
    const later = acknowledgements.of(2, 5_000)
    expect(await settled(later)).toBe('waits')
    acknowledgements.end(true)
    expect(await settled(later)).toBe(true)
  })
})

describe('the alarm', () => {
  it('begins when an event was alone for a second, and is over when none was for ten', () => {
    const alarm = new SingleCopyAlarm()
    alarm.recorded(1, 0)
    alarm.copied(1, 20)
    expect([alarm.look(5_000), alarm.behind]).toEqual([false, 0])
    alarm.recorded(2, 5_000)
    alarm.recorded(3, 5_900)
    expect([alarm.look(5_999), alarm.look(6_000), alarm.behind]).toEqual([false, true, 2])
    alarm.copied(2, 6_100)
    expect([alarm.look(6_200), alarm.behind]).toEqual([true, 1])
    alarm.copied(3, 6_300)
    expect([alarm.look(6_400), alarm.look(15_999), alarm.look(16_300)]).toEqual([true, true, false])
  })

  it('begins anew when the other has lost what it had', () => {
    const alarm = new SingleCopyAlarm()
    alarm.recorded(9, 0)
    alarm.copied(9, 0)
    alarm.copied(0, 20_000)
    expect([alarm.look(20_999), alarm.look(21_000), alarm.behind]).toEqual([false, true, 9])
  })
})

describe('what one other aggregator is given', () => {
  const met = (journal = 'theirs') => {
    const given = new Given(null)
    expect(given.answered(3, { journal, last: 0 })).toBe(false)
    return given
  }

  it('is everything, from the beginning, when it was never heard or has another journal', () => {
    const given = met()
    expect([given.journal, given.upTo]).toEqual(['theirs', 0])
    expect(given.answered(3, { journal: 'theirs', last: 3 })).toBe(true)
    expect(given.upTo).toBe(3)
    expect(given.answered(4, { journal: 'new', last: 0 })).toBe(false)
    expect([given.journal, given.upTo]).toEqual(['new', 0])
  })

  it('is everything again when it has gone back to a backup', () => {
    const given = met()
    given.answered(8, { journal: 'theirs', last: 8 })
    given.answered(9, { journal: 'theirs', last: 2 })
    expect(given.upTo).toBe(0)
    expect(given.answered(5, { journal: 'theirs', last: 5 })).toBe(true)
  })

  it('is not what came from it', () => {
    const given = met()
    given.answered(1, { journal: 'theirs', last: 1 })
    for (const seq of [2, 3, 5]) given.has(seq)
    expect(placesOf(given.wanted(rows(2, 6)))).toEqual([4, 6])
    expect(given.upTo).toBe(3)
    given.answered(4, { journal: 'theirs', last: 9 })
    expect(placesOf(given.wanted(rows(5, 6)))).toEqual([6])
    expect(given.upTo).toBe(5)
    given.has(6)
    expect(given.wanted([row(6)])).toEqual([])
    expect(given.upTo).toBe(6)
  })

  it('is known after a restart; what was kept in another form is as nothing', () => {
    const given = met()
    given.answered(12, { journal: 'theirs', last: 12 })
    const again = new Given(given.toKeep())
    expect([again.journal, again.upTo]).toEqual(['theirs', 12])
    again.met('theirs')
    expect(again.upTo).toBe(12)
    again.met('another')
    expect(again.upTo).toBe(0)
    for (const kept of [null, '', '{', '{"journal":1}']) expect(new Given(kept).upTo).toBe(0)
  })
})
