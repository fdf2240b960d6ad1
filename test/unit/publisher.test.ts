/** What an agent says over the mesh, and how often. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Finding } from '../../detectors/contract.ts'
import { decodeReport, isReportTopic } from '../../detectors/engine/report-note.ts'
import type { MeshNode } from '../../mesh/libp2p/running-node.ts'
import { contestFindings } from '../../node-agent/contest-findings.ts'
import { pluginFindings } from '../../node-agent/plugin-findings.ts'
import { NOTE_TTL_MS, Publisher } from '../../node-agent/publisher.ts'
import { shedFinding } from '../../node-agent/shed-finding.ts'
import type { Remediation } from '../../remediators/contract.ts'
import { remediationTopic } from '../../remediators/notes.ts'
import { APPLIED_TOPIC, decodeApplied, encodeApplied } from '../../settings/notes.ts'

let publisher: Publisher
interface Said {
  readonly topic: string
  readonly bytes: Uint8Array
  readonly findings: readonly Finding[]
  readonly ttlMs: number
  readonly atMs: number
}
let said: Said[]
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] })
  said = []
  publisher = new Publisher()
  const publish = (topic: string, bytes: Uint8Array, ttlMs: number) => {
    const findings = isReportTopic(topic) ? decodeReport('a', topic, bytes) : []
    said.push({ topic, bytes, findings, ttlMs, atMs: performance.now() })
  }
  publisher.start({ publish, convictable: ['b'] } as unknown as MeshNode)
})
afterEach(() => vi.useRealTimers())

const EVERY_MS = 10_000
const shed = { builtin: [{ detector: 'disk-usage', everyMs: 60_000, paceMs: 240_000 }], plugins: [] }
const own = (at: string) => shedFinding({ node: 'a', shed, at, ttlMs: NOTE_TTL_MS })
const ok: Finding = { ...own('2026-01-01T00:00:00Z'), detector: 'conntrack', ttlMs: 3 * EVERY_MS }

it('says again what is not new before it would expire, however the looks fall', () => {
  // At the latest after an interval, a tenth of it and as long as a look may take: here four tenths.
  for (const gapMs of [0.9 * EVERY_MS, 1.1 * EVERY_MS, 1.5 * EVERY_MS]) {
    let lastMs = performance.now()
    publisher.report({ detector: 'conntrack', findings: [ok], changed: true })
    for (let look = 0; look < 20; look++) {
      const before = said.length
      vi.advanceTimersByTime(gapMs)
      publisher.report({ detector: 'conntrack', findings: [ok], changed: false })
      if (said.length === before) continue
      expect(performance.now() - lastMs).toBeLessThan(ok.ttlMs)
      lastMs = performance.now()
    }
    expect(performance.now() - lastMs).toBeLessThan(ok.ttlMs)
  }
  // And not each time.
  expect(said.length).toBeLessThan(3 * 20)
})

it('says its own findings again, which no detector does', () => {
  publisher.reportOwn(own('2026-01-01T00:00:00Z'))
  expect(said).toHaveLength(1)
  for (let hour = 0; hour < 48; hour++) {
    vi.advanceTimersByTime(3_600_000)
    publisher.renew()
  }
  expect(said.length).toBeGreaterThan(3)
  expect(new Set(said.map(({ findings }) => findings[0]?.id)).size).toBe(1)
  expect(new Set(said.map(({ findings }) => findings[0]?.observedAt)).size).toBe(said.length)
})

it('lets nothing that holds expire, of what it says once', () => {
  const problems = ['one', 'two'].map((source) => ({ source, why: 'it does not load' }))
  publisher.reportOwn(...pluginFindings('a', { plugins: [], problems }, '2026-01-01T00:00:00Z', NOTE_TTL_MS))
  publisher.publishLasting(APPLIED_TOPIC, encodeApplied({ version: 1 }))
  publisher.publishLasting(APPLIED_TOPIC, encodeApplied({ version: 2 }))
  for (let minute = 0; minute < 3 * 24 * 60; minute++) {
    vi.advanceTimersByTime(60_000)
    publisher.watching()
    publisher.renew()
  }
  const now = performance.now()
  const topics = Map.groupBy(said, ({ topic }) => topic)
  expect([...topics.keys()].toSorted()).toEqual(['finding/plugins', 'settings-applied', 'watching'])
  for (const notes of topics.values()) {
    expect(notes.length).toBeLessThan(12)
    for (const [index, { atMs, ttlMs }] of notes.entries()) {
      expect((notes[index + 1]?.atMs ?? now) - atMs).toBeLessThan(ttlMs)
    }
  }
  expect(topics.get('finding/plugins')?.every(({ findings }) => findings.length === 2)).toBe(true)
  const applied = topics.get(APPLIED_TOPIC)?.map(({ bytes }) => decodeApplied(bytes).version)
  expect(applied?.slice(0, 2)).toEqual([1, 2])
  expect(new Set(applied?.slice(1))).toEqual(new Set([2]))
})

it('says which detectors are shed, and when none is any more', () => {
  expect(own('2026-01-01T00:00:00Z')).toMatchObject({
    detector: 'detectors-shed',
    reason: 'DetectorsShed',
    status: 'info',
    summary: 'to keep to their budget 1 detector looks more rarely: disk-usage every 4m in place of 1m',
  })
  const both = { ...shed, plugins: [{ detector: 'mail-queue', everyMs: 30_000, paceMs: 60_000 }] }
  expect(shedFinding({ node: 'a', shed: both, at: '', ttlMs: 1 }).summary).toBe(
    'to keep to their budget 2 detectors look more rarely: disk-usage every 4m in place of 1m, mail-queue every 1m in place of 30s',
  )
  const none = { builtin: [], plugins: [] }
  expect(shedFinding({ node: 'a', shed: none, at: '', ttlMs: 1 })).toMatchObject({ reason: 'Ok', status: 'ok' })
})

it('says of each value who sets it back, and when nobody does any more', () => {
  const since = '2026-01-01T00:00:00Z'
  const contests = ['vm.swappiness', 'vm.dirty_ratio'].map((what) => ({ what, why: `contested: ${what}`, since }))
  const parts = { node: 'a', at: since, ttlMs: 1 }
  expect(contestFindings({ ...parts, contests })).toMatchObject([
    { id: `a/fixes-contested/Contested/vm.swappiness#${since}`, reason: 'Contested', cause: 'vm.swappiness', since },
    { reason: 'Contested', cause: 'vm.dirty_ratio', status: 'warn', summary: 'contested: vm.dirty_ratio' },
  ])
  expect(contestFindings({ ...parts, contests: [] })).toMatchObject([{ reason: 'Ok', status: 'ok' }])
})

it('says a plan again while it waits or runs, and its end once', () => {
  const plan = { id: 'plan-1', node: 'a' } as Remediation['plan']
  const bySettings = { policy: 'remediators.sysctl', mode: 'approve', rung: 1, attempt: 1 } as const
  const waits: Remediation = { plan, phase: 'awaiting-approval', why: '', at: '2026-01-01T00:00:00Z', ...bySettings }
  const topic = remediationTopic(plan.id)
  const days = (count: number) => {
    for (let minute = 0; minute < count * 24 * 60; minute++) {
      vi.advanceTimersByTime(60_000)
      publisher.renew()
    }
    return said.splice(0).filter((each) => each.topic === topic)
  }
  publisher.remediation(waits)
  const waiting = days(3)
  const gaps = waiting.map(({ atMs }, index) => (waiting[index + 1]?.atMs ?? performance.now()) - atMs)
  expect(Math.max(...gaps)).toBeLessThan(NOTE_TTL_MS)
  expect(waiting.length).toBeLessThan(9)
  publisher.remediation({ ...waits, phase: 'withdrawn', ended: true })
  expect(days(3)).toHaveLength(1)
})

it('holds the clocks of peers against its own as that is now, also right after it was set', () => {
  const agent = new Publisher()
  const aheadMs = Date.now() - performance.now() + 30_000
  const peerClocks = [{ node: 'b', aheadMs, rttMs: 4, atMs: performance.now() }]
  agent.start({ peerClocks, now: () => performance.now() } as unknown as MeshNode)
  expect(agent.peerOffsets()).toEqual([{ node: 'b', offsetMs: 30_000, errorMs: 2 }])
  vi.setSystemTime(Date.now() + 30_000)
  expect(agent.peerOffsets()).toEqual([{ node: 'b', offsetMs: 0, errorMs: 2 }])
})
