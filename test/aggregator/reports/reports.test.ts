import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Event, Journal } from '../../../aggregator/model.ts'
import { reportPart, reportsPart, targetName } from '../../../aggregator/reports/config.ts'
import type { Delivery } from '../../../aggregator/reports/places.ts'
import { Reports, type ReportsInit } from '../../../aggregator/reports/reports.ts'
import { openJournal } from '../../../aggregator/store/sqlite.ts'
import { silentLog } from '../../../common/log.ts'
import { deltasOf } from '../../../inspection/deltas.ts'
import { fleetToday, fleetYesterday } from './fleet-1832.ts'

const HOUR_MS = 3_600_000
/** Eight in the morning in Shanghai. */
const DUE = Date.parse('2026-11-21T00:00:00Z')

const daily = reportPart.parse({
  name: 'daily',
  kind: 'inspection',
  schedule: { cron: '0 8 * * *', timeZone: 'Asia/Shanghai' },
  roles: ['etcd', 'compute'],
  to: [
    { mail: 'ops@example.org', language: 'zh', zone: 'Asia/Shanghai' },
    { webhook: 'https://example.org/token-4711' },
  ],
})

let journal: Journal

beforeEach(() => {
  journal = openJournal(':memory:')
})

afterEach(() => journal.close())

function record(event: Omit<Event, 'at'>): void {
  journal.append({ ...event, at: '2026-11-21T00:00:00Z' })
}

function reportsWith(more: Partial<ReportsInit> = {}): { reports: Reports; sent: Delivery[]; clock: { now: number } } {
  const sent: Delivery[] = []
  const clock = { now: DUE - HOUR_MS }
  const reports = new Reports({
    reports: [daily],
    page: undefined,
    mesh: 'prod-a',
    leads: () => true,
    inspect: async () => ({ run: fleetToday(), deltas: deltasOf(fleetYesterday(), fleetToday()) }),
    review: () => Promise.reject(new Error('no review')),
    journal,
    isKnown: async () => false,
    record,
    deliveries: { add: (delivery) => sent.push(delivery), waitingOf: () => 0 },
    log: silentLog,
    now: () => clock.now,
    ...more,
  })
  return { reports, sent, clock }
}

describe('a report', () => {
  test('is sent when it is due, one for each role and place, and once', async () => {
    const { reports, sent, clock } = reportsWith()
    await reports.look()
    expect(sent).toEqual([])
    clock.now = DUE + 5_000
    await reports.look()
    await reports.look()
    expect(sent.map(({ role, to }) => `${role} ${targetName(to)}`)).toEqual([
      'etcd ops@example.org',
      'compute ops@example.org',
      'etcd https://example.org',
      'compute https://example.org',
    ])
    expect(sent[0]?.subject).toBe('prod-a etcd 节点巡检(错误:无 告警:有 1 警告:有 3)')
    expect(sent[0]?.source).toBeUndefined()
    expect(sent[2]?.source).toMatchObject({ inspection: { sections: [{ role: 'etcd' }] } })
    const event = journal.byId('report/daily@2026-11-21T00:00:00.000Z')
    expect(event).toMatchObject({ kind: 'report', causedBy: 'inspection/daily@2026-11-21T00:00:00Z' })
    expect(JSON.stringify(event)).not.toContain('token-4711')
  })

  test('that was due while nobody led is sent late, but not too late', async () => {
    let leads = false
    const { reports, sent, clock } = reportsWith({ leads: () => leads })
    clock.now = DUE + HOUR_MS
    await reports.look()
    expect(sent).toEqual([])
    leads = true
    await reports.look()
    expect(sent).toHaveLength(4)
    clock.now = DUE + 24 * HOUR_MS + 7 * HOUR_MS
    await reports.look()
    expect(sent).toHaveLength(4)
  })

  test('that the leader before has sent is not sent again', async () => {
    const first = reportsWith()
    const second = reportsWith()
    first.clock.now = second.clock.now = DUE + 1
    await first.reports.look()
    await second.reports.look()
    expect(first.sent).toHaveLength(4)
    expect(second.sent).toEqual([])
    const elsewhere = reportsWith({
      journal: openJournal(':memory:'),
      isKnown: async (id) => journal.byId(id) !== null,
    })
    elsewhere.clock.now = DUE + 1
    await elsewhere.reports.look()
    expect(elsewhere.sent).toEqual([])
  })

  test('is not sent by one that lost its office while it inspected', async () => {
    let leads = true
    const { reports, sent, clock } = reportsWith({
      leads: () => leads,
      inspect: async () => {
        leads = false
        return { run: fleetToday(), deltas: undefined }
      },
    })
    clock.now = DUE + 1
    await reports.look()
    expect(sent).toEqual([])
    expect(journal.byId('report/daily@2026-11-21T00:00:00.000Z')).toBeNull()
  })

  test('that could not be made is tried again, and keeps no other from being sent', async () => {
    const inspect = vi.fn(async () => ({ run: fleetToday(), deltas: undefined }))
    inspect.mockRejectedValueOnce(new Error('nobody answers'))
    const { reports, sent, clock } = reportsWith({ reports: [daily, { ...daily, name: 'other' }], inspect })
    clock.now = DUE + 1
    await reports.look()
    expect(new Set(sent.map(({ report }) => report))).toEqual(new Set(['other']))
    await reports.look()
    expect(sent).toHaveLength(8)
  })

  test('that was due before it was configured is left out', async () => {
    const { reports, sent, clock } = reportsWith({ now: () => DUE + HOUR_MS })
    expect(clock.now).toBeLessThan(DUE)
    await reports.look()
    expect(sent).toEqual([])
  })

  test('is sent at once for a person, under the name of that person, each time', async () => {
    const { reports, sent } = reportsWith()
    const event = await reports.send('daily', 'lin')
    expect(event).toMatchObject({ kind: 'report', data: { by: 'lin' } })
    await reports.send('daily', 'lin')
    expect(sent).toHaveLength(8)
    await expect(reports.send('weekly', 'lin')).rejects.toMatchObject({ remedy: 'there are: daily' })
  })

  test('is shown without being sent, and listed', async () => {
    const { reports, sent } = reportsWith()
    const items = await reports.preview('daily', 'en', 'UTC')
    expect(items.map(({ role }) => role)).toEqual(['etcd', 'compute'])
    expect(sent).toEqual([])
    expect(reports.list()).toMatchObject([
      { name: 'daily', next: '2026-11-21T00:00:00.000Z', to: ['ops@example.org', 'https://example.org'] },
    ])
  })
})

describe('the configuration', () => {
  const given = { name: 'a', kind: 'inspection', schedule: { cron: '0 8 * * *' }, to: [{ mail: 'a@example.org' }] }
  const problems = (value: object) => reportsPart.safeParse([{ ...given, ...value }]).error?.issues ?? []

  test('fills in what need not be said', () => {
    expect(reportsPart.parse([given])).toMatchObject([
      { profile: 'default', fresh: true, roles: ['etcd', 'control-plane', 'compute', 'other-services'] },
    ])
  })

  test.each([
    ['a header in an address', { to: [{ mail: 'a@example.org\r\nBcc: all@example.org' }] }],
    ['an expression that is none', { schedule: { cron: '0 8 * *' } }],
    ['a zone that there is not', { schedule: { cron: '0 8 * * *', timeZone: 'Asia/Peking' } }],
    ['a webhook that is no web address', { to: [{ webhook: 'file:///etc/passwd' }] }],
    ['a folder that depends on where one is', { to: [{ file: 'reports' }] }],
    ['two places in one', { to: [{ mail: 'a@example.org', file: '/tmp' }] }],
    ['a name that would be a path', { name: '../a' }],
    ['nobody to send to', { to: [] }],
  ])('refuses %s', (_, value) => {
    expect(problems(value)).not.toEqual([])
  })

  test('refuses two reports of one name', () => {
    expect(reportsPart.safeParse([given, given]).error?.issues[0]?.message).toContain('name of another report')
  })
})
