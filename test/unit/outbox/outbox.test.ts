/** What a node keeps of what it said, on its own disk. */
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Finding } from '../../../detectors/contract.ts'
import { encodeReport } from '../../../detectors/engine/report-note.ts'
import { verifierOf } from '../../../mesh/identity/keys.ts'
import { OutboxFiles } from '../../../node-agent/outbox/files.ts'
import { frameOf, framesIn } from '../../../node-agent/outbox/frames.ts'
import { Outbox } from '../../../node-agent/outbox/outbox.ts'
import { outOf } from '../../../node-agent/outbox/ring.ts'
import { type OutboxRecord, readRecord, recordIn, signRecord } from '../../../outbox/record.ts'
import { SILENT_LOG } from '../../aggregator/serve-sample.ts'
import { keysNamed } from '../../mesh/real-mesh.ts'

const KEYS = await keysNamed('a')
const MESH = 'sample'
const START = Date.parse('2026-03-01T12:00:00Z')
const ALL = { outbox: '', after: 0, since: '' } as const

let dir: string
let nowMs: number
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'starling-outbox-'))
  nowMs = START
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const open = (bytes = 1024 * 1024, serial = 1) =>
  new Outbox({
    stateDir: dir,
    node: 'a',
    serial,
    mesh: MESH,
    sign: KEYS.sign,
    bytes,
    wallNow: () => nowMs,
    log: SILENT_LOG,
  })

const found = (id: string, parts: Partial<Finding> = {}): Finding => {
  const at = new Date(nowMs).toISOString()
  const of = { node: 'a', detector: 'disk-usage', reason: 'DiskAlmostFull', cause: '/', summary: id, evidence: [] }
  return { id: `a/${id}`, ...of, status: 'warn', since: at, observedAt: at, ttlMs: 60_000, ...parts }
}
const recordsOf = (outbox: Outbox, ask: Parameters<Outbox['page']>[0] = ALL): OutboxRecord[] =>
  outbox.page(ask).records.map(recordIn)
const filesIn = () => readdirSync(join(dir, 'outbox')).filter((file) => file.endsWith('.log'))
const newest = () => join(dir, 'outbox', filesIn().toSorted().at(-1) ?? '')

describe('an outbox', () => {
  it('keeps what begins and what ends, each with what was before it, and signed', () => {
    const outbox = open()
    outbox.report('disk-usage', [found('full'), found('well', { status: 'ok' })])
    outbox.report('disk-usage', [found('full', { summary: 'fuller' })])
    outbox.report('disk-usage', [])
    outbox.report('conntrack', [found('none', { status: 'not-applicable' })])
    const page = outbox.page(ALL)
    expect(page.records.map(recordIn).map(({ seq, topic, before }) => [seq, topic, before])).toEqual([
      [1, 'finding/disk-usage', {}],
      [2, 'finding/disk-usage', { 'a/full': 'full' }],
    ])
    const [first] = page.records
    const bytes = first ?? new Uint8Array()
    expect(readRecord(bytes, MESH, verifierOf(KEYS.publicKey)).node).toBe('a')
    expect(() => readRecord(bytes, 'another mesh', verifierOf(KEYS.publicKey))).toThrow('is not signed by a')
  })

  it('goes on after a restart where it was, also when the last record was torn', () => {
    const before = open()
    for (const id of ['one', 'two', 'three']) before.report('disk-usage', [found(id)])
    const { outbox: name } = before.page(ALL)
    truncateSync(newest(), statSync(newest()).size - 5)
    const after = open()
    expect(recordsOf(after).map(({ seq }) => seq)).toEqual([1, 2])
    after.report('disk-usage', [found('two')])
    after.report('disk-usage', [])
    const [last] = recordsOf(after, { outbox: name, after: 2, since: '' })
    expect(last).toMatchObject({ outbox: name, before: { 'a/two': 'two' } })
    // The torn one may have been told to somebody: its place is not given again.
    expect(last?.seq).toBeGreaterThan(3)
  })

  it('gives what is asked for: after a place, since a time, in pages; of another outbox from the beginning', () => {
    const outbox = open()
    for (let count = 0; count < 40; count++) {
      nowMs += 60_000
      outbox.report('disk-usage', [
        found(`f${count}`, {
          evidence: [{ name: 'x'.repeat(999), value: 1, unit: '' }],
          summary: 'y'.repeat(900),
          cause: 'z'.repeat(1_000),
        }),
      ])
      for (let part = 0; part < 4; part++)
        outbox.report(`detector-${part}`, [
          found(`f${count}-${part}`, { detector: `detector-${part}`, summary: 'y'.repeat(1_000) }),
        ])
    }
    const first = outbox.page(ALL)
    expect(first.hasMore).toBe(true)
    const all: number[] = []
    for (let page = first; ; page = outbox.page({ outbox: page.outbox, after: page.upTo, since: '' })) {
      all.push(...page.records.map((bytes) => recordIn(bytes).seq))
      if (!page.hasMore) break
    }
    expect(all).toEqual(Array.from({ length: 200 }, (_, index) => index + 1))
    const since = new Date(START + 39 * 60_000).toISOString()
    expect(recordsOf(outbox, { ...ALL, since }).map(({ seq }) => seq)).toEqual([
      191, 192, 193, 194, 195, 196, 197, 198, 199, 200,
    ])
    expect(recordsOf(outbox, { outbox: '0123456789abcdef', after: 198, since }).length).toBe(10)
    expect(outbox.page({ outbox: first.outbox, after: 200, since: '' })).toMatchObject({
      records: [],
      upTo: 200,
      hasMore: false,
    })
  })

  it('takes no more than its room: the oldest go, and are counted', () => {
    const bytes = 64 * 1024
    const outbox = open(bytes)
    for (let count = 0; count < 400; count++) outbox.report('disk-usage', [found(`f${count}`)])
    expect(outbox.bytes).toBeLessThanOrEqual(bytes)
    expect(filesIn().reduce((sum, file) => sum + statSync(join(dir, 'outbox', file)).size, 0)).toBe(outbox.bytes)
    const kept: number[] = []
    for (let page = outbox.page(ALL); ; page = outbox.page({ outbox: page.outbox, after: page.upTo, since: '' })) {
      kept.push(...page.records.map((one) => recordIn(one).seq))
      if (!page.hasMore) break
    }
    expect(kept.at(-1)).toBe(400)
    expect(outbox.lost).toBe(400 - kept.length)
    expect(outbox.lost).toBeGreaterThan(0)
  })

  it('lets go of what is a day old, and that is no loss', () => {
    const outbox = open()
    for (let hour = 0; hour < 60; hour++) {
      nowMs += 3_600_000
      for (let count = 0; count < 10; count++) outbox.report('disk-usage', [found(`f${hour}-${count}`)])
    }
    expect(outbox.lost).toBe(0)
    expect(recordsOf(outbox)[0]?.seq).toBeGreaterThan(200)
  })

  it('keeps in memory what the disk does not take, tells it all the same, and writes it when it can', () => {
    const outbox = open()
    outbox.report('disk-usage', [found('before')])
    const append = OutboxFiles.prototype.append
    OutboxFiles.prototype.append = () => {
      throw new Error('ENOSPC: no space left on device')
    }
    try {
      for (let count = 0; count < 300; count++) outbox.report('disk-usage', [found(`f${count}`)])
      expect(outbox.lost).toBe(300 - 256)
      expect(recordsOf(outbox).length).toBe(257)
    } finally {
      OutboxFiles.prototype.append = append
    }
    outbox.report('disk-usage', [found('after')])
    expect(recordsOf(open()).length).toBe(258)
  })

  it('begins anew under another name when it is gone, and leaves out what an earlier enrolment signed', () => {
    const first = open()
    first.report('disk-usage', [found('one')])
    const renewed = open(1024 * 1024, 2)
    expect([recordsOf(renewed), renewed.lost]).toEqual([[], 1])
    rmSync(join(dir, 'outbox'), { recursive: true })
    const second = open()
    second.report('disk-usage', [found('two')])
    expect(second.page(ALL).outbox).not.toBe(first.page(ALL).outbox)
    expect(recordsOf(second).length).toBe(1)
  })

  it('starts on whatever is in its place', () => {
    writeFileSync(join(dir, 'outbox'), 'a file')
    const outbox = open()
    outbox.report('disk-usage', [found('one')])
    expect(recordsOf(outbox).length).toBe(1)
    rmSync(join(dir, 'outbox'))
    open().report('disk-usage', [found('one')])
    appendFileSync(newest(), frameOf(Buffer.from('no record')))
    const after = open()
    expect([recordsOf(after), after.lost]).toEqual([[], 2])
  })

  it('starts where its files cannot be read, and keeps in memory what it cannot write', () => {
    open().report('disk-usage', [found('one')])
    rmSync(newest())
    mkdirSync(join(dir, 'outbox', '0000000000000001.log'))
    const outbox = open()
    outbox.report('disk-usage', [found('two')])
    expect(recordsOf(outbox).map(({ before }) => before)).toEqual([{}])
  })

  it('reads a torn file without writing to it, and cuts it off when it goes on there', () => {
    const before = open()
    for (const id of ['one', 'two']) before.report('disk-usage', [found(id)])
    truncateSync(newest(), statSync(newest()).size - 5)
    const torn = readFileSync(newest())
    const after = open()
    expect(readFileSync(newest()).equals(torn)).toBe(true)
    after.report('disk-usage', [found('three')])
    expect(recordsOf(open()).map(({ seq }) => seq)).toEqual([1, expect.any(Number)])
  })
})

it('a record of what another node had found is none', () => {
  const at = new Date(START).toISOString()
  const record = { node: 'a', serial: 1, outbox: '0123456789abcdef', seq: 1, at, topic: 'finding/disk-usage' }
  const signed = (before: Record<string, string>) =>
    signRecord({ ...record, bytes: encodeReport([]), before }, MESH, KEYS.sign)
  const read = (bytes: Uint8Array) => readRecord(bytes, MESH, verifierOf(KEYS.publicKey))
  expect(read(signed({ 'a/full': 'full' })).before).toEqual({ 'a/full': 'full' })
  expect(() => read(signed({ 'a/full': 'full', 'b/full': 'full' }))).toThrow('b/full')
})

it('frames end where one is not whole', () => {
  const whole = Buffer.concat([frameOf(Buffer.from('one')), frameOf(Buffer.from('two'))])
  expect(framesIn(whole)).toEqual({ frames: [Buffer.from('one'), Buffer.from('two')], wholeBytes: whole.length })
  const damaged = Buffer.from(whole)
  damaged[whole.length - 1] = 0
  for (const bytes of [whole.subarray(0, -1), Buffer.concat([whole.subarray(0, 11), Buffer.alloc(4)]), damaged]) {
    expect(framesIn(bytes)).toEqual({ frames: [Buffer.from('one')], wholeBytes: 11 })
  }
  expect(framesIn(readFileSync('/dev/null')).frames).toEqual([])
})

it('the oldest files go first, and the newest never', () => {
  const segment = (first: number, bytes: number, lastAt = '2026-03-01') => ({ first, last: first + 9, lastAt, bytes })
  const room = { bytes: 100, keptSince: '2026-02-01' }
  expect(outOf([segment(1, 60), segment(11, 60), segment(21, 60)], room)).toEqual({
    gone: [segment(1, 60), segment(11, 60)],
    lost: 20,
  })
  const old = segment(1, 10, '2026-01-01')
  expect(outOf([old, segment(11, 10)], room)).toEqual({ gone: [old], lost: 0 })
  expect(outOf([segment(1, 900)], room)).toEqual({ gone: [], lost: 0 })
})
