import { encode } from 'cborg'
import { describe, expect, it } from 'vitest'
import type { Finding } from '../../detectors/contract.ts'
import { decodeReport, encodeReport, reportTopic } from '../../detectors/engine/report-note.ts'

const finding: Finding = {
  id: 'node-7/disk-usage/DiskSpaceLow//var#2026-01-01T00:00:00.000Z',
  node: 'node-7',
  detector: 'disk-usage',
  reason: 'DiskSpaceLow',
  cause: '/var',
  status: 'warn',
  summary: '/var is 87 % full, 900 MiB are left',
  evidence: [{ name: 'bytes used', value: 87, limit: 100, unit: 'bytes' }],
  since: '2026-01-01T00:00:00.000Z',
  observedAt: '2026-01-01T00:01:00.000Z',
  ttlMs: 180_000,
  version: '1.2.3',
}
const topic = reportTopic('disk-usage')
const roundTrip = (findings: readonly unknown[]) => decodeReport('node-7', topic, encode(findings))

describe('a report as a note', () => {
  it('comes out as it went in', () => {
    expect(decodeReport('node-7', topic, encodeReport([finding]))).toEqual([finding])
  })

  it('of an agent that announces no versions yet is understood', () => {
    const { version, ...older } = finding
    expect(roundTrip([older])).toEqual([older])
    expect(version).toBe('1.2.3')
  })

  it('of a newer agent is understood as far as it goes', () => {
    expect(roundTrip([{ ...finding, colour: 'red' }])).toEqual([finding])
  })

  it.each([
    ['another node', { ...finding, node: 'node-8' }],
    ['another detector', { ...finding, detector: 'conntrack' }],
    ['an id of another node', { ...finding, id: 'node-8/disk-usage' }],
    ['a status that does not exist', { ...finding, status: 'fine' }],
    ['a time that never ends', { ...finding, ttlMs: 1e12 }],
    ['a version of any length', { ...finding, version: '1'.repeat(64) }],
  ])('is refused with %s', (_, wrong) => {
    expect(() => roundTrip([wrong])).toThrow()
  })

  it('holds the worst that fit', () => {
    const large = { ...finding, evidence: Array(64).fill({ name: 'n'.repeat(900), value: 1, unit: '' }) }
    const bytes = encodeReport(Array(64).fill(large))
    expect(bytes.length).toBeLessThanOrEqual(64 * 1024)
    expect(decodeReport('node-7', topic, bytes)).toEqual([large])
  })
})
