import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Event, Journal } from '../../aggregator/model.ts'
import { reportPart } from '../../aggregator/reports/config.ts'
import { Deliveries } from '../../aggregator/reports/deliveries.ts'
import { deliver } from '../../aggregator/reports/places.ts'
import { Reports } from '../../aggregator/reports/reports.ts'
import { mailPart } from '../../aggregator/sinks/config.ts'
import { smtpMailer } from '../../aggregator/sinks/mail.ts'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import { silentLog } from '../../common/log.ts'
import { deltasOf } from '../../inspection/deltas.ts'
import type { InspectionRun } from '../../inspection/model.ts'
import { fleetToday, fleetYesterday } from '../aggregator/reports/fleet-1832.ts'
import { SmtpReceiver } from '../smtp.ts'

const DAILY = reportPart.parse({
  name: 'daily',
  kind: 'inspection',
  schedule: { cron: '0 8 * * *', timeZone: 'Asia/Shanghai' },
  roles: ['etcd', 'control-plane', 'compute'],
  to: [
    { mail: 'zhiban@example.org', language: 'zh', zone: 'Asia/Shanghai' },
    { mail: 'ops@example.org', language: 'en', zone: 'Europe/Berlin' },
  ],
})

let smtp: SmtpReceiver
let journal: Journal
let deliveries: Deliveries
const lost = vi.fn()

beforeEach(async () => {
  smtp = await SmtpReceiver.start()
  journal = openJournal(':memory:')
  lost.mockClear()
  const mailer = smtpMailer(
    mailPart.parse({ host: '127.0.0.1', port: smtp.port, tls: 'none', from: 'starling@example.org' }),
  )
  deliveries = new Deliveries({
    journal,
    lost: ({ subject }, why) => lost(subject, why),
    deliver: (delivery, stop) => deliver(delivery, mailer, stop),
    patience: { firstMs: 20, longestMs: 100, giveUpMs: 60_000 },
    log: silentLog,
  })
})

afterEach(async () => {
  await deliveries.stop()
  await smtp.stop()
  journal.close()
})

function reportsOn(run: InspectionRun): Reports {
  return new Reports({
    reports: [DAILY],
    page: 'https://starling.example.org',
    mesh: 'prod-a',
    leads: () => true,
    inspect: async () => ({ run, deltas: deltasOf(fleetYesterday(), run) }),
    review: () => Promise.reject(new Error('no review')),
    journal,
    isKnown: async () => false,
    record: (event: Omit<Event, 'at'>) => journal.append({ ...event, at: '2026-11-21T00:00:00Z' }),
    deliveries,
    log: silentLog,
    now: () => Date.parse('2026-11-21T00:00:00Z'),
  })
}

test('the three mails of a fleet of 1,832 nodes arrive as page and text, in the language of whom they are for', async () => {
  await reportsOn(fleetToday()).look()
  const mails = await smtp.until(6)
  const to = (address: string) => mails.filter((mail) => mail.to.includes(address))
  expect(to('zhiban@example.org').map(({ subject }) => subject)).toEqual([
    'prod-a etcd 节点巡检(错误:无 告警:有 1 警告:有 3)',
    'prod-a 控制节点巡检(错误:有 1 告警:无 警告:有 2)',
    'prod-a 计算节点巡检(错误:有 3 告警:有 5 警告:有 60 未知:有 5 失联:有 5)',
  ])
  const [, , compute] = to('ops@example.org')
  expect(compute?.headers.get('content-type')).toContain('multipart/alternative')
  expect(compute?.text).toContain('2026-11-21 01:00 +01:00 · 1,806 nodes, 1,801 heard from')
  expect(compute?.html).toContain('<html lang="en">')
  const [chinese] = to('zhiban@example.org')
  expect(chinese?.text).toContain('一、概要')
  expect(chinese?.html).toContain('2026-11-21 08:00 +08:00')
})

test('a server that says later is asked again, and one that refuses for good is told of', async () => {
  smtp.refuseNext(451, 421, 550)
  await reportsOn(fleetToday()).look()
  const mails = await smtp.until(5)
  await vi.waitFor(() => expect(deliveries.waitingOf('daily')).toBe(0), { timeout: 30_000 })
  expect(mails).toHaveLength(5)
  expect(smtp.offered).toBe(8)
  expect(lost).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('prod-a'), expect.stringContaining('550'))
})

test('what a mesh, a role and a node are called adds no header and no recipient', async () => {
  const hostile = 'prod\r\nBcc: all@example.org\r\n\r\n<script>x</script>\u001b[31m坏'
  const today = fleetToday()
  const run: InspectionRun = {
    ...today,
    mesh: hostile,
    troubles: today.troubles.map((trouble) => ({ ...trouble, node: hostile, summary: hostile })),
    sections: today.sections.map((section) => ({ ...section, title: hostile })),
  }
  await reportsOn(run).look()
  const [mail] = await smtp.until(6)
  expect(mail?.headers.has('bcc')).toBe(false)
  expect(mail?.to).toHaveLength(1)
  expect(mail?.subject).toMatch(/^prod Bcc: all@example\.org <script>/)
  expect(mail?.html).not.toContain('<script')
  expect(mail?.text).not.toMatch(/^Bcc/m)
})
