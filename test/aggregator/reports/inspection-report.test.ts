import { describe, expect, test } from 'vitest'
import { htmlOf } from '../../../aggregator/reports/html.ts'
import type { InspectionReportInput } from '../../../aggregator/reports/inspection-input.ts'
import { inspectionReport } from '../../../aggregator/reports/inspection-report.ts'
import { plainTextOf, widthOf } from '../../../aggregator/reports/plain-text.ts'
import { LANGUAGES } from '../../../common/languages.ts'
import { deltasOf } from '../../../inspection/deltas.ts'
import { COLUMNS, type InspectionRun } from '../../../inspection/model.ts'
import { fleetToday, fleetYesterday } from './fleet-1832.ts'

/** Mail programs that cut do so at 102 KB. */
const HTML_BYTES_MAX = 100_000

function inputFor(role: string, more: Partial<InspectionReportInput> = {}): InspectionReportInput {
  const page = 'https://starling.example.org'
  return {
    run: fleetToday(),
    deltas: deltasOf(fleetYesterday(), fleetToday()),
    role,
    language: 'en',
    zone: 'Asia/Shanghai',
    page,
    ...more,
  }
}

test('the fleet of the tests is one of 1,832 nodes, and each row of its matrix sums to the nodes of its role', () => {
  const { nodes, sections } = fleetToday()
  expect(nodes).toBe(1_832)
  for (const section of sections) {
    for (const { check, counts } of section.checks) {
      const sum = COLUMNS.reduce((total, column) => total + counts[column], 0)
      expect(sum, `${section.role} ${check}`).toBe(section.nodes)
    }
  }
})

describe.each(['etcd', 'control-plane', 'compute'])('the report of %s nodes', (role) => {
  test.each(LANGUAGES)('is as it was, in %s', async (language) => {
    const layout = inspectionReport(inputFor(role, { language }))
    const html = htmlOf(layout)
    await expect(html).toMatchFileSnapshot(`fixtures/${role}-${language}.html`)
    await expect(`${layout.subject}\n\n${plainTextOf(layout)}`).toMatchFileSnapshot(`fixtures/${role}-${language}.txt`)
    expect(Buffer.byteLength(html)).toBeLessThan(HTML_BYTES_MAX)
  })
})

test("a subject has the users' form, with counts, and says when nodes are silent", () => {
  const subject = (role: string, language: 'en' | 'zh') => inspectionReport(inputFor(role, { language })).subject
  expect(subject('control-plane', 'zh')).toBe('prod-a 控制节点巡检(错误:有 1 告警:无 警告:有 2)')
  expect(subject('control-plane', 'en')).toBe(
    'prod-a control nodes inspection (errors: yes 1, alarms: none, warnings: yes 2)',
  )
  expect(subject('compute', 'zh')).toBe('prod-a 计算节点巡检(错误:有 3 告警:有 5 警告:有 60 未知:有 5 失联:有 5)')
})

test('every figure of the matrix leads to what it counts', () => {
  const html = htmlOf(inspectionReport(inputFor('compute')))
  const run = 'https://starling.example.org/#/inspections/daily%402026-11-21T00%3A00%3A00Z'
  expect(html).toContain(`href="${run}?role=compute&amp;check=conntrack&amp;column=warn"`)
  const unlinked = inspectionReport(inputFor('compute', { page: undefined }))
  expect(htmlOf(unlinked)).not.toContain('href')
  expect(plainTextOf(unlinked)).not.toContain('http')
})

test('a mail brings all that it shows', () => {
  const html = htmlOf(inspectionReport(inputFor('compute')))
  expect(html).not.toMatch(/<(img|link|script|iframe|svg|object)\b|url\(|@import|src=/i)
})

test('what nobody was heard about is not called fine', () => {
  const run = fleetToday()
  const [section] = run.sections
  if (section === undefined) throw new Error('no section')
  const counts = { error: 0, alarm: 0, warn: 0, info: 0, unknown: 0, silent: 5, notApplicable: 0 }
  const checks = section.checks.map(({ check }) => ({ check, counts }))
  const silent = [1, 2, 3, 4, 5].map((n) => ({ node: `etcd-${n}`, roles: ['etcd'], why: 'unreachable' as const }))
  const dark: InspectionRun = { ...run, sections: [{ ...section, checks }], troubles: [], silent }
  const layout = inspectionReport(inputFor('etcd', { run: dark, deltas: undefined }))
  expect(layout.subject).toContain('silent: yes 5')
  const text = plainTextOf(layout)
  expect(text).toContain('5 silent')
  expect(text).not.toContain('Nothing wrong')
  expect(text).toMatch(/etcd-3\n +unreachable/)
})

test('a role without nodes, and one that the profile has not, say so', () => {
  const run = { ...fleetToday(), sections: [{ role: 'etcd', nodes: 0, checks: [] }] }
  expect(plainTextOf(inspectionReport(inputFor('etcd', { run })))).toContain('There are no nodes of this role')
  expect(plainTextOf(inspectionReport(inputFor('gpu', { run })))).toContain('The profile has no such role')
})

test('however much is wrong, the mail is not cut', () => {
  const run = fleetToday()
  const nodes = Array.from({ length: 1_806 }, (_, n) => `compute-${n}`)
  const checks = run.sections.find(({ role }) => role === 'compute')?.checks ?? []
  const troubles = checks.flatMap(({ check }) =>
    nodes.map((node) => ({
      node,
      roles: ['compute'],
      check,
      column: 'error' as const,
      reason: `Reason${Number(node.slice(8)) % 7}`,
      summary: `${node} is ${'very '.repeat(200)}bad`,
    })),
  )
  const sections = run.sections.map((section) => ({
    ...section,
    checks: section.checks.map((row) => ({ ...row, counts: { ...row.counts, error: 1 } })),
  }))
  const html = htmlOf(inspectionReport(inputFor('compute', { run: { ...run, sections, troubles } })))
  expect(Buffer.byteLength(html)).toBeLessThan(HTML_BYTES_MAX)
})

describe('what nodes wrote is shown and does nothing', () => {
  const HOSTILE = '<script>x</script>"\r\nBcc: all@example.org\u001b[31m\u202egnp\ud800=1+1\u2028' + '坏'
  const run = fleetToday()
  const checks = [
    { check: HOSTILE, counts: { error: 1, alarm: 0, warn: 0, info: 0, unknown: 0, silent: 1, notApplicable: 0 } },
  ]
  const hostile: InspectionRun = {
    ...run,
    id: HOSTILE,
    mesh: HOSTILE,
    sections: [{ role: HOSTILE, nodes: 2, checks }],
    troubles: [{ node: HOSTILE, roles: [HOSTILE], check: HOSTILE, column: 'error', reason: HOSTILE, summary: HOSTILE }],
    silent: [{ node: `${HOSTILE}2`, roles: [HOSTILE], why: 'unreachable' }],
  }
  const layout = inspectionReport(inputFor(HOSTILE, { run: hostile, deltas: deltasOf(hostile, hostile) }))

  test('in the subject', () => {
    expect(layout.subject).not.toMatch(/[\p{Cc}\u2028\u202e]/u)
    expect(layout.subject.isWellFormed()).toBe(true)
    expect([...layout.subject].length).toBeLessThan(250)
  })

  test('in the page', () => {
    const html = htmlOf(layout)
    expect(html).not.toContain('<script')
    expect(html).toContain('&lt;script&gt;')
    expect(html).not.toMatch(/[\u202e\u2028]|(?!\n)\p{Cc}/u)
    expect(html.isWellFormed()).toBe(true)
  })

  test('in the text', () => {
    const text = plainTextOf(layout)
    expect(text).not.toMatch(/[\u202e\u2028]|(?!\n)\p{Cc}/u)
    expect(text.split('\n').filter((line) => line.startsWith('Bcc:'))).toEqual([])
  })
})

test('Chinese characters are two columns wide', () => {
  expect(widthOf('错误:有')).toBe(7)
})
