/** A node's row of an inspection, there and back: as it was, bounded, and refused when it is not one. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { builtinDetectors } from '../../detectors/index.ts'
import type { RowFinding, SummaryRow } from '../../inspection/row.ts'
import { decodeRow, encodeRow } from '../../inspection/row-codec.ts'
import { encodeValue } from '../../mesh/wire/codec.ts'
import { ROW_BYTES_MAX } from '../../mesh/wire/convergecast.ts'

const AT = '2026-03-01T08:00:00.000Z'
const ROW: SummaryRow = {
  node: 'node-1',
  at: AT,
  fine: ['conntrack', 'load'],
  findings: [{ detector: 'disk-usage', status: 'warn', reason: 'DiskFilling', summary: '/var is 83 % full' }],
  measures: { cpu: 12.5, memory: 50 },
  older: { 'kernel-version': 3_600 },
}

function found(summary: string, count = 1): readonly RowFinding[] {
  return builtinDetectors.slice(0, count).map(({ name }) => {
    return { detector: name, status: 'alarm', reason: 'A'.repeat(40), summary }
  })
}

const there = (row: SummaryRow) => decodeRow(row.node, encodeRow(row))

test('comes back as it was', () => {
  expect(there(ROW)).toEqual(ROW)
})

test('of every detector that ships, each with a long finding, fits, and no finding is lost', () => {
  const findings = found('x'.repeat(1_000), builtinDetectors.length)
  const bytes = encodeRow({ ...ROW, findings })
  expect(bytes.length).toBeLessThanOrEqual(ROW_BYTES_MAX)
  expect(decodeRow('node-1', bytes).findings.map(({ detector }) => detector)).toEqual(
    builtinDetectors.map(({ name }) => name),
  )
})

test('of more findings than fit, the first are kept', () => {
  const findings = Array.from({ length: 200 }, (_, index) => ({ ...found('')[0], detector: `plugin-${index}` }))
  const row = there({ ...ROW, findings: findings as RowFinding[] })
  expect(row.findings.length).toBeGreaterThan(30)
  expect(row.findings).toEqual(findings.slice(0, row.findings.length))
})

test('a summary is cut between characters', () => {
  const [cut] = there({ ...ROW, findings: found('磁盘🙂'.repeat(100)) }).findings
  expect([...(cut?.summary ?? '')]).toHaveLength(200)
  expect(cut?.summary.endsWith('…')).toBe(true)
  expect(cut?.summary.isWellFormed()).toBe(true)
})

test('a figure that is none is left out', () => {
  const { measures } = there({ ...ROW, measures: { cpu: Number.NaN, load: Number.POSITIVE_INFINITY, swap: 0 } })
  expect(measures).toEqual({ swap: 0 })
})

test('whatever a summary says, the row can be read, and is as long as it may be', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 400 }), { maxLength: 35 }), (summaries) => {
      const findings = summaries.flatMap((summary, index) => ({ ...found(summary)[0], detector: `d-${index}` }))
      const bytes = encodeRow({ ...ROW, findings: findings as RowFinding[] })
      expect(bytes.length).toBeLessThanOrEqual(ROW_BYTES_MAX)
      expect(decodeRow('node-1', bytes).findings.length).toBe(findings.length)
    }),
  )
})

test('half a surrogate, line breaks and escapes do not break it', () => {
  const summary = `\ud800 =HYPERLINK("x") \u001b[31m\r\nSubject: <b>`
  expect(there({ ...ROW, findings: found(summary) }).findings[0]?.summary).toBe(summary.toWellFormed())
})

describe('is refused', () => {
  const good = [AT, ['load'], [['load', 0, 'Why', '']], { cpu: 1 }, {}] as const
  test.each([
    ['nothing', new Uint8Array()],
    ['no CBOR', new Uint8Array([255, 255])],
    ['a map', encodeValue({})],
    ['no time', encodeValue(['yesterday', ...good.slice(1)])],
    ['another status', encodeValue(good.with(2, [['load', 6, 'Why', '']]))],
    ['another measure', encodeValue(good.with(3, { heat: 1 }))],
    ['a figure that is none', encodeValue(good.with(3, { cpu: Number.NaN }))],
    ['a name without end', encodeValue(good.with(1, ['x'.repeat(64)]))],
    [
      'too many',
      encodeValue(
        good.with(
          1,
          Array.from({ length: 257 }, () => 'load'),
        ),
      ),
    ],
    ['one thing more', encodeValue([...good, 1])],
  ])('%s', (_, bytes) => {
    expect(() => decodeRow('node-1', bytes)).toThrow()
  })
})
