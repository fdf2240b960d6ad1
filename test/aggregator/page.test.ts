import { text } from 'node:stream/consumers'
import type { Page } from 'playwright-core'
import { beforeEach, expect, it } from 'vitest'
import { StarlingError } from '../../common/errors.ts'
import { needsChromium } from '../chromium.ts'
import { describeReal } from '../real-part.ts'
import { sampleIncident } from './alerting/served.ts'
import { event } from './event.ts'
import { pageOfSample } from './sample-page.ts'
import { PLAN_ID, VERDICT_ID } from './sample-port.ts'
import type { ServedSample } from './serve-sample.ts'

const HOSTILE = `<img src=x onerror="globalThis.harmed=1"><script>globalThis.harmed=1</script>"'&amp;\u202e`

describeReal('the page in a browser', needsChromium(), () => {
  const view = pageOfSample()
  const { open, seen, textOf, eventually, eventRows } = view
  let page: Page
  let served: ServedSample
  let complaints: readonly string[]
  beforeEach(() => {
    ;({ page, served, complaints } = view)
  })

  it('shows the mesh, with every state in words, and asks nobody else', async () => {
    await open()
    expect(page.url()).toBe(`${served.url}/`)
    expect(await page.locator('[data-testid^=member-]').count()).toBe(5)
    expect(await textOf('member-node-4')).toMatch(/node-4.*NodeDown.*zone a.*3 silent, 3 needed/s)
    expect(await textOf('notice')).toContain('All five nodes read this one host')
    expect(await textOf('figures')).toMatch(/alive\s+4 of 5.*down\s+1.*leader\s+node-1/s)
    expect(await page.getByTestId('finding').evaluateAll((rows) => rows.map((row) => row.dataset.status))).toEqual([
      'error',
      'alarm',
      'warn',
      'unknown',
    ])
    expect(await textOf('findings-fine')).toBe('8 checks are fine, 1 not applicable.')
    expect(await textOf(`verdict-${VERDICT_ID}`)).toContain('3 for, 0 against, 1 abstained; 3 needed')
    expect(await textOf('line')).toContain('live')
    expect(complaints).toEqual([])
  })

  it("shows each vote, and times in the viewer's zone with the offset on demand", async () => {
    await open()
    const tile = page.getByTestId('member-node-4')
    await tile.getByText('3 silent, 3 needed').click()
    const rows = await tile.locator('tbody tr').allInnerTexts()
    expect(rows.map((row) => row.split(/\s+/))).toEqual([
      ['node-1', 'a', '✕', 'silent', 'nothing', '1.6', 's'],
      ['node-2', 'b', '✕', 'silent', 'nothing', '1.5', 's'],
      ['node-3', 'c', '✕', 'silent', 'nothing', '1.7', 's'],
      ['node-5', 'b', '–', 'abstain', 'unknown', '0.9', 's'],
    ])
    const time = tile.locator('time')
    expect(await seen(time)).toContain('15:11:55')
    expect(await time.getAttribute('title')).toBe('2026-03-14 15:11:55.589 +05:45')
  })

  it('draws who sees a node, with the same in words, while it is looked at', async () => {
    await open()
    const who = page.getByTestId('member-node-4').getByTestId('who-sees')
    await who.getByText('heard by 0 of 4 observers').click()
    await page.getByRole('img', { name: 'node-4 is heard by 0 of its 4 observers' }).waitFor()
    expect(await who.locator('svg .sight-mark').allTextContents()).toEqual(['✕', '✕', '✕', '–'])
    const words = (await who.locator('tbody tr').allInnerTexts()).map((row) => row.split(/\t/))
    expect(words).toEqual([
      ...['a', 'b', 'c'].map((zone, index) => [`node-${index + 1}`, zone, '✕ nothing answers', 'roll-call, 2 s ago']),
      ['node-5', 'b', '– abstains', 'roll-call, 2 s ago'],
    ])
    // As it changes, without a further click.
    const rows = served.sample.matrix()
    served.sample.matrix = () =>
      rows.map((row) => ({ ...row, sights: row.sights.map((sight) => ({ ...sight, sees: 'hears' })) }))
    await page.getByRole('img', { name: 'node-4 is heard by 4 of its 4 observers' }).waitFor()
    expect(complaints).toEqual([])
  })

  it('shows bad links beside the state, and says when the mesh cannot judge', async () => {
    const { mesh } = served.sample.snapshot()
    await open()
    served.sample.changeMember('node-2', { flags: ['LinkFault', 'ObserverFault'] })
    await eventually(() => textOf('member-node-2')).toMatch(/alive.*LinkFault.*ObserverFault/s)
    await eventually(() => textOf('announcer')).toBe('node-2 is alive with LinkFault with ObserverFault')
    served.sample.changeMember('node-3', { state: 'left' })
    await eventually(() => textOf('announcer')).toBe('node-3 is left')
    expect(await page.getByTestId('member-node-2').getAttribute('class')).toBe('tile edge-warn')
    const blind = { why: '2 of 5 members do not vote', subjects: [] }
    served.sample.change({ mesh: { ...mesh, blind, hasQuorum: false } })
    await eventually(() => textOf('blind')).toContain('Blind: 2 of 5 members do not vote')
    expect(await textOf('no-quorum')).toContain('no more than half of the live members answer node-1')
  })

  it('says that nobody is marked, and lets a person end it with a reason, by keyboard alone', async () => {
    const { mesh } = served.sample.snapshot()
    served.sample.change({ mesh: { ...mesh, frozen: '3 of 5 nodes are in question' } })
    await open()
    expect(await textOf('frozen')).toContain('Nobody is marked at present: 3 of 5 nodes are in question')
    await page.getByRole('button', { name: 'End the freeze…' }).focus()
    await page.keyboard.press('Enter')
    await page.keyboard.type('the switch was replaced')
    await page.keyboard.press('Enter')
    await page.getByTestId('frozen').waitFor({ state: 'detached' })
    expect(served.sample.releases).toEqual([{ reason: 'the switch was replaced', via: 'page', by: 'local-token' }])
    expect(complaints).toEqual([])
  })

  it('asks for the token where it is not known, and shows nothing', async () => {
    await page.goto(served.url)
    await page.getByRole('alert').waitFor()
    expect(await seen(page.getByRole('alert'))).toContain('starling up')
    expect(await page.content()).not.toContain('sample-mesh')
  })

  it('shows what a plan would change, and approves it', async () => {
    await open()
    const card = await textOf(`approval-${PLAN_ID}`)
    expect(card).toMatch(/low risk.*restarts nothing.*net.core.somaxconn is 128 and should be 4096/s)
    expect(card).toMatch(/net.core.somaxconn\s+128 → 4096\s+undo: sysctl -w net.core.somaxconn=128/)
    expect(card).toContain('net.core.somaxconn 128 against 4096')

    await page.getByRole('button', { name: 'Approve sysctl on node-2' }).click()
    await page.locator(`[data-testid=remediation-${PLAN_ID}][data-phase=applying]`).waitFor()
    expect(await page.getByTestId('approvals').count()).toBe(0)
    expect(served.sample.decisions).toEqual([
      { planId: PLAN_ID, action: 'approve', reason: '', via: 'page', by: 'local-token' },
    ])
    await eventually(eventRows).toContainEqual(expect.stringContaining('local-token said approve to sysctl'))
    await eventually(() => textOf('announcer')).toContain('sysctl on node-2: applying')
    expect(complaints).toEqual([])
  })

  it('rejects with a reason, by keyboard alone', async () => {
    await open()
    await page.getByRole('button', { name: 'Reject sysctl on node-2' }).focus()
    await page.keyboard.press('Enter')
    await page.keyboard.type('not in office hours')
    await page.keyboard.press('Enter')
    await page.locator(`[data-testid=remediation-${PLAN_ID}][data-phase=rejected]`).waitFor()
    expect(served.sample.decisions).toMatchObject([{ action: 'reject', reason: 'not in office hours', via: 'page' }])
  })

  it('says why a decision was not taken, and lets it be tried again', async () => {
    served.sample.decide = () => {
      throw new StarlingError('node-2 has just left the mesh')
    }
    await open()
    const approve = page.getByRole('button', { name: 'Approve sysctl on node-2' })
    await approve.click()
    await page.getByRole('alert').waitFor()
    expect(await seen(page.getByRole('alert'))).toBe('Not decided: node-2 has just left the mesh')
    expect(await approve.isEnabled()).toBe(true)
  })

  it('follows what happens without a reload', async () => {
    await open()
    served.sample.changeMember('node-2', { state: 'suspected', decidesInMs: 90_000 })
    await page.locator('[data-testid=member-node-2][data-state=suspected]').waitFor()
    await eventually(() => textOf('announcer')).toBe('node-2 is suspected')
    expect(await textOf('countdown')).toMatch(/HostHung decidable in (90|8\d)\ss/)
    served.sample.changeMember('node-2', { state: 'alive' })
    await page.locator('[data-testid=member-node-2][data-state=alive]').waitFor()

    served.sample.emit(event('fresh', { summary: 'something new' }))
    await eventually(eventRows).toContainEqual(expect.stringContaining('something new'))
    expect((await eventRows())[0]).toContain('something new')
  })

  it('says that it is stale when the line breaks, then misses and repeats nothing', async () => {
    await open()
    served.server.server.closeAllConnections()
    await page.getByText(/data is stale since \d\d:\d\d:\d\d/).waitFor()
    served.sample.emit(event('meanwhile', { summary: 'while nobody listened' }))
    await eventually(() => textOf('line')).toContain('live')
    served.sample.emit(event('afterwards', { summary: 'when all was well again' }))
    await eventually(eventRows).toContainEqual(expect.stringContaining('when all was well again'))
    const newest = (await page.getByTestId('event').evaluateAll((rows) => rows.map((row) => row.dataset.seq))).map(
      Number,
    )
    const last = served.sample.events({ limit: 1 })[0]?.seq ?? 0
    expect(newest).toEqual(Array.from({ length: last }, (_, index) => last - index))
  })

  it('takes hostile text for text', async () => {
    const [finding] = served.sample.snapshot().findings
    served.sample.change({
      notice: HOSTILE,
      findings: [{ ...finding, status: 'error', summary: HOSTILE, reason: HOSTILE, cause: HOSTILE } as never],
    })
    served.sample.changeMember('node-1', { node: HOSTILE, zone: HOSTILE, roles: [HOSTILE] })
    served.sample.emit(event('evil', { summary: HOSTILE, node: HOSTILE }))
    await open()
    expect(await textOf('notice')).toBe(HOSTILE)
    expect(await textOf('finding')).toContain(HOSTILE)
    expect((await eventRows())[0]).toContain(HOSTILE)
    expect(await page.locator('img, #page script').count()).toBe(0)
    expect(await page.evaluate('globalThis.harmed')).toBeUndefined()
    expect(complaints).toEqual([])
  })

  it('shows an inspection, leads from each number to what it counts, and asks anew, in two languages', async () => {
    const { inspected, sample } = served
    await inspected.inspections.take({ profile: 'default' })
    const { members, findings } = sample.snapshot()
    sample.change({
      members: members.map((member) => (member.node === 'node-2' ? { ...member, node: HOSTILE } : member)),
      findings: [{ ...findings[0], node: HOSTILE, detector: 'load', status: 'alarm', summary: HOSTILE } as never],
    })
    await inspected.inspections.take({ profile: 'default' })
    await open()
    await page.getByRole('link', { name: 'Inspections' }).click()
    expect(await textOf('inspection-figures')).toMatch(/Error\s+0.*Alarm\s+1.*Silent\s+1/s)
    const load = page.getByTestId('role-compute').getByRole('row', { name: 'load' })
    expect((await load.getByRole('cell').allInnerTexts()).map((cell) => cell.split(/\s+/))).toEqual([
      ['.'],
      ['1', '+1'],
      ['.'],
      ['.'],
      ['2', '-1'],
      ['1'],
      ['.'],
    ])
    await load.getByRole('link', { name: '1', exact: true }).first().click()
    expect(page.url()).toMatch(/#\/inspections\/[^?]+\?role=compute&check=load&column=alarm$/)
    await eventually(() => textOf('filters')).toMatch(/compute nodes.*load.*Alarm/s)
    expect((await textOf('trouble')).replaceAll(/\s+/g, ' ')).toContain(`New ${HOSTILE} ${HOSTILE} load`)
    expect(await page.locator('img, #page script').count()).toBe(0)

    let answer = () => {}
    inspected.fresh = ({ nodes, onProgress }) => {
      onProgress?.({ answered: 2, of: nodes.length })
      const missing = nodes.map((node) => ({ node, why: 'no-answer' as const }))
      return new Promise((resolve) => {
        answer = () => resolve({ rows: [], missing })
      })
    }
    await page.getByRole('button', { name: '中文' }).click()
    await page.getByRole('button', { name: '重新巡检' }).click()
    await eventually(() => textOf('progress')).toContain('5 个节点中 2 个已应答')
    answer()
    await eventually(() => textOf('silent-nodes')).toMatch(/失联节点\s+5.*未应答/s)
    await page.reload()
    await page.getByRole('heading', { name: '巡检 2026' }).waitFor()
    expect(complaints).toEqual([])
  })

  it('shows incidents, the worst first and the silenced last, as they come and go', async () => {
    const until = '2026-03-14T12:00:00.000Z'
    const silence = { id: 's', match: {}, author: 'the on-call', reason: HOSTILE, from: until, until, matches: 1 }
    const down = { ...sampleIncident({ id: 'n', severity: 'error' }), node: 'node-4', title: HOSTILE, count: 0 }
    served.alerts.silences = [silence]
    served.alerts.incidents = [
      sampleIncident({ id: 's', severity: 'error', silencedBy: ['s'] }),
      sampleIncident({ id: 'w', severity: 'warn', announced: false }),
      down,
    ]
    await open()
    const rows = page.getByTestId('incident')
    await eventually(() => rows.evaluateAll((all) => all.map((row) => row.dataset.state))).toEqual([
      ...['firing', 'gathers', 'silenced'],
    ])
    expect(await seen(rows.first())).toContain(`node-4 ${HOSTILE}`)
    expect(await seen(rows.last())).toContain(`silenced by the on-call until 14 Mar, 17:45:00: ${HOSTILE}`)
    await rows.last().getByText('2 parts').click()
    await rows.last().getByText('DiskAlmostFull on worker-2').waitFor()
    await rows.first().getByRole('button', { name: 'node-4' }).click()
    expect(await page.getByTestId('filter-node').inputValue()).toBe('node-4')

    served.alerts.incidents = []
    served.sample.emit(event('over', { kind: 'alert-over' }))
    await page.getByText('None is open.').waitFor()
    expect(complaints).toEqual([])
  })

  it('filters the events by node and by text', async () => {
    await open()
    const all = (await eventRows()).length
    await page.getByTestId('filter-node').selectOption('node-4')
    await page.getByTestId('filter-text').fill('roll-call')
    await eventually(eventRows).toEqual([expect.stringContaining('node-1 asks the mesh about node-4')])
    await page.getByTestId('filter-text').fill('no such thing')
    await page.getByText('No event matches.').waitFor()
    await page.getByTestId('filter-text').fill('')
    await page.getByTestId('filter-node').selectOption('')
    await eventually(async () => (await eventRows()).length).toBe(all)
  })

  it("leads from an event to its cause, out of the filter's way, and from a node to its events", async () => {
    await open()
    await page.getByTestId('filter-text').fill('NodeDown: 3 silent')
    await eventually(async () => (await eventRows()).length).toBe(1)
    await page.getByRole('link', { name: 'roll-call: node-1 asks the mesh about node-4' }).click()
    await eventually(() => page.evaluate<string>('document.activeElement.innerText')).toContain('roll-call')
    expect(await page.getByTestId('filter-text').inputValue()).toBe('')

    await page.getByTestId('member-node-3').getByRole('button').click()
    expect(await page.getByTestId('filter-node').inputValue()).toBe('node-3')
    await eventually(async () => (await eventRows()).every((row) => row.includes('node-3'))).toBe(true)
  })

  it('pages back in a long history', async () => {
    for (let n = 0; n < 250; n++) served.sample.emit(event(`many-${n}`))
    const all = served.sample.events({ limit: 1000 }).length
    await open()
    expect((await eventRows()).length).toBe(200)
    await page.getByRole('button', { name: 'Load older events' }).click()
    await eventually(async () => (await eventRows()).length).toBe(all)
    expect(await page.getByRole('button', { name: 'Load older events' }).count()).toBe(0)
  })

  it("gives a verdict's certificate as a file", async () => {
    await open()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'certificate' }).click(),
    ])
    expect(download.suggestedFilename()).toBe(`verdict-${VERDICT_ID}.cbor`)
    expect(await text(await download.createReadStream())).toBe('sample certificate of node-4')
  })

  it.each([390, 1440])('fits a screen of %d px, however long the names', async (width) => {
    await page.setViewportSize({ width, height: 800 })
    const long = 'a-node-with-a-very-long-name-'.repeat(8)
    served.sample.changeMember('node-4', { node: long, zone: long })
    served.sample.emit(event('long', { node: long, summary: long }))
    await open()
    await page.getByTestId(`member-${long}`).getByText('3 silent, 3 needed').click()
    await page.getByTestId(`member-${long}`).getByTestId('who-sees').locator('summary').click()
    await page.getByRole('img', { name: 'observers' }).waitFor()
    await page.getByRole('button', { name: 'Reject sysctl on node-2' }).click()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
  })
})
