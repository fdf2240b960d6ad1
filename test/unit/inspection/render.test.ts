import { describe, expect, it, test } from 'vitest'
import { LANGUAGES } from '../../../common/languages.ts'
import { inspectionPath, readInspectionHash } from '../../../inspection/links.ts'
import { renderChanges } from '../../../inspection/render/changes.ts'
import { cellsOf } from '../../../inspection/render/columns.ts'
import { renderCsv } from '../../../inspection/render/csv.ts'
import { renderHtml } from '../../../inspection/render/html.ts'
import { renderJson } from '../../../inspection/render/json.ts'
import { renderMarkdown } from '../../../inspection/render/markdown.ts'
import { renderTable } from '../../../inspection/render/table.ts'
import type { RenderOptions } from '../../../inspection/render/view.ts'
import { zonedTime } from '../../../inspection/zoned-time.ts'
import { HOSTILE, hostileRun, sampleDeltas, sampleRun } from './sample-run.ts'

const link: NonNullable<RenderOptions['link']> = (place) => `https://starling.example${inspectionPath(place)}`
const HOSTILE_OPTIONS = { language: 'en', zone: 'UTC', link, notes: HOSTILE } as const
/** What moves a cursor, colours a terminal, or turns the order of what is read. */
const OBEYED = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u

describe.each(LANGUAGES)('in %s', (language) => {
  const options = { language, zone: 'Asia/Shanghai', deltas: sampleDeltas, link, notes: ['2 fixes await approval'] }

  it.each([
    ['wide.txt', () => renderTable(sampleRun, options)],
    ['narrow.txt', () => renderTable(sampleRun, { ...options, room: 60, all: true })],
    ['md', () => renderMarkdown(sampleRun, options)],
    ['html', () => renderHtml(sampleRun, options)],
    ['csv', () => renderCsv(sampleRun, options)],
    ['changes.txt', () => renderChanges(sampleRun, sampleDeltas, options)],
  ])('is as it was agreed: %s', async (name, render) => {
    await expect(render()).toMatchFileSnapshot(`fixtures/sample.${language}.${name}`)
  })
})

test('in JSON it is the run itself, with what changed', () => {
  expect(JSON.parse(renderJson(sampleRun, { deltas: sampleDeltas }))).toEqual({
    apiVersion: 'starling.mesh/v1alpha1',
    kind: 'InspectionRun',
    ...JSON.parse(JSON.stringify(sampleRun)),
    deltas: JSON.parse(JSON.stringify(sampleDeltas)),
  })
})

describe('a table', () => {
  it('stays within its room, however narrow and whatever the language', () => {
    for (const language of LANGUAGES) {
      for (const room of [60, 80, 120]) {
        const lines = renderTable(sampleRun, { language, zone: 'UTC', deltas: sampleDeltas, room }).split('\n')
        expect(Math.max(...lines.map(cellsOf))).toBeLessThanOrEqual(room)
      }
    }
  })

  it('colours only where it is told how to', () => {
    const style = (name: string, text: string) => `<${name}>${text}</${name}>`
    expect(renderTable(sampleRun, { language: 'en', zone: 'UTC', style })).toContain('<red>1</red>')
  })

  it('says that all is fine without a row for each check', () => {
    const fine = { ...sampleRun, sections: sampleRun.sections.slice(0, 1), troubles: [], silent: [] }
    const lines = renderTable(fine, { language: 'en', zone: 'UTC' })
    expect(lines).toContain('nothing to report')
    expect(lines).not.toContain('disk-usage')
  })
})

describe('hostile names, titles and messages', () => {
  it('are obeyed by no terminal', () => {
    for (const room of [80, Infinity]) {
      const lines = renderTable(hostileRun, { ...HOSTILE_OPTIONS, room }).split('\n')
      expect(lines.filter((line) => OBEYED.test(line))).toEqual([])
    }
    const changes = renderChanges(hostileRun, { ...sampleDeltas, appeared: hostileRun.troubles }, HOSTILE_OPTIONS)
    expect(changes.split('\n').filter((line) => OBEYED.test(line))).toEqual([])
  })

  it('are text in HTML: what is in it is only what we put there', async () => {
    const html = renderHtml(hostileRun, HOSTILE_OPTIONS)
    const names = new Set([...html.matchAll(/<\/?([a-z0-9]+|!doctype)/gi)].map(([, name]) => name?.toLowerCase()))
    expect([...names].sort()).toEqual(
      '!doctype a body br h1 h2 head html meta p span strong table td th title tr'.split(' '),
    )
    const tags = [...html.matchAll(/<[^>]*>/g)].map(([tag]) => tag.replace(/"[^"]*"/g, '""'))
    const attributes = new Set(tags.flatMap((tag) => [...tag.matchAll(/ ([^\s=>]+)/g)].map(([, name]) => name)))
    expect([...attributes].sort()).toEqual(
      'align cellpadding cellspacing charset content href html lang name style valign'.split(' '),
    )
    for (const [, href] of html.matchAll(/href="([^"]*)"/g)) expect(href).toMatch(/^https:\/\/starling\.example\/#\//)
    expect(html).toContain('&lt;script&gt;')
    expect(html.isWellFormed()).toBe(true)
  })

  it('are no formula in a spreadsheet, and no cell or line of their own', () => {
    const [header = '', ...lines] = renderCsv(hostileRun, HOSTILE_OPTIONS).split('\r\n')
    expect(lines.filter((line) => line !== '')).toHaveLength(HOSTILE.length)
    for (const line of lines.filter((one) => one !== '')) {
      const cells = [...line.matchAll(/"((?:[^"]|"")*)"(?:,|$)|([^",]*)(?:,|$)/g)].map(
        ([, quoted, bare]) => quoted ?? bare,
      )
      // The match ends with an empty one.
      expect(cells.slice(0, header.split(',').length)).toHaveLength(header.split(',').length)
      expect(cells.filter((cell) => /^\s*[=+\-@\t\r]/.test(cell ?? ''))).toEqual([])
      expect(line).not.toMatch(OBEYED)
    }
  })

  it.each(['=1', '+1', '-1', '@x', '\t=1', '\r=1', ' =1', '＝1'])('as %j are text in a spreadsheet', (title) => {
    const [section] = sampleRun.sections
    if (section === undefined) throw new Error('no section')
    const csv = renderCsv({ ...sampleRun, sections: [{ ...section, title }] }, HOSTILE_OPTIONS)
    expect(csv.split('\r\n')[1]?.split(',')[2]).toMatch(/^"'/)
  })

  it('are neither markup nor links in Markdown', () => {
    const markdown = renderMarkdown(hostileRun, HOSTILE_OPTIONS)
    expect(markdown).not.toMatch(/<(?!https:\/\/starling\.example)/)
    for (const [, target] of markdown.matchAll(/(?<!\\)\]\(([^)]*)/g))
      expect(target).toMatch(/^<https:\/\/starling\.example/)
    const widths = markdown.split('\n').filter((line) => line.startsWith('|'))
    for (const line of widths) expect([4, 6, 9]).toContain(line.match(/(?<!\\)\|/g)?.length)
  })

  it('come back from a link as they were, but for what is no character', () => {
    for (const text of HOSTILE) {
      const place = { id: text, role: text, check: text, node: text, column: 'error' as const }
      const clean = text.toWellFormed()
      expect(readInspectionHash(inspectionPath(place).slice(1))).toEqual({
        ...place,
        id: clean,
        role: clean,
        check: clean,
        node: clean,
      })
    }
  })
})

test('links other than ours are none', () => {
  for (const hash of ['', '#', '#events', '#/inspections', '#/inspections/', '#/inspections/a/b'])
    expect(readInspectionHash(hash)).toBeUndefined()
  expect(readInspectionHash('#/inspections/a?role=%E0%A4%A&x=1&check=')).toEqual({ id: 'a', role: '%E0%A4%A' })
})

test.each([
  ['2026-11-21T00:00:00.000Z', 'Asia/Shanghai', '2026-11-21 08:00 +08:00'],
  ['2026-11-21T00:00:00Z', 'UTC', '2026-11-21 00:00 +00:00'],
  ['2026-07-01T23:30:00Z', 'Asia/Kathmandu', '2026-07-02 05:15 +05:45'],
  ['2026-03-29T01:00:00Z', 'Europe/Berlin', '2026-03-29 03:00 +02:00'],
  ['2026-07-01T02:00:00Z', 'America/New_York', '2026-06-30 22:00 -04:00'],
  ['yesterday', 'UTC', 'yesterday'],
])('%s is shown in %s as %s', (at, zone, shown) => {
  expect(zonedTime(at, zone)).toBe(shown)
})
