import type { Page } from 'playwright-core'
import { beforeEach, expect, it } from 'vitest'
import { needsChromium } from '../chromium.ts'
import { describeReal } from '../real-part.ts'
import { pageOfSample } from './sample-page.ts'
import { REFUSED_ID, refusalEvent, withRefusal } from './sample-refusal.ts'
import type { ServedSample } from './serve-sample.ts'

const AT = '2026-03-14T09:30:00.000Z'

describeReal('what stands behind a fix, and against it, on the page', needsChromium(), () => {
  const view = pageOfSample()
  const { open, textOf } = view
  let page: Page
  let served: ServedSample
  beforeEach(() => {
    ;({ page, served } = view)
    served.sample.change(withRefusal(served.sample.snapshot(), AT))
    served.sample.emit(refusalEvent(AT))
  })

  it('shows by which rule it is done, which guards say no and why, and when they are asked again', async () => {
    await open()
    const row = await textOf(`remediation-${REFUSED_ID}`)
    expect(row).toContain('restart-unit for KubeletDown · services-by-night (auto), rung 1, attempt 2')
    expect(row).toMatch(/2 guards say no since .*15:15:00; asked again at .*16:15:00 while the fault lasts/)
    expect(row).toMatch(/pause\s+says no:\s+paused for 6h: pool workers/)
    expect(row).toMatch(/budget-pool\s+says no:\s+3 of 10 nodes of pool workers/)
    // Said once, by the guards themselves.
    expect(row.split('3 of 10 nodes').length).toBe(2)
  })

  it('shows all guards that were asked, by keyboard alone', async () => {
    await open()
    const asked = page.getByTestId(`remediation-${REFUSED_ID}`).getByTestId('guards-asked')
    await asked.locator('summary').focus()
    await page.keyboard.press('Enter')
    await asked.getByText('2 of 4 guards allow it').waitFor()
    expect(await asked.locator('li').evaluateAll((rows) => rows.map((row) => row.dataset.allowed))).toEqual([
      ...['true', 'true', 'false', 'false'],
    ])
    expect(view.complaints).toEqual([])
  })

  it('says what rests, and lets a person end it with a reason', async () => {
    await open()
    expect(await textOf('pause-pool-workers')).toMatch(/on pool workers until .*: racks are moved \(the on-call\)/s)
    await page.getByRole('button', { name: 'End the pause…' }).click()
    await page.keyboard.type('the racks stand')
    await page.keyboard.press('Enter')
    await page.getByTestId('pause-pool-workers').waitFor({ state: 'detached' })
    expect(served.sample.snapshot().permits.pauses).toEqual([])
    expect(view.complaints).toEqual([])
  })

  it('shows the policies in force, in their order and their words', async () => {
    const { settings } = served.sample
    const detail = settings.detail()
    const policies = [
      {
        name: 'services-by-night',
        selector: { pools: ['workers'] },
        match: [{ reason: 'KubeletDown' }, { reason: 'PidsExhausted', severity: 'alarm' }],
        mode: 'auto',
        ladder: [{ remediator: 'restart-unit', attempts: 2 }, { remediator: 'sysctl' }],
        windows: [{ cron: '0 22 * * *', duration: '8h', timeZone: 'Europe/Berlin' }],
        coolDown: '30m',
      },
      { name: 'rest', selector: { all: true }, match: [{ severity: 'warn' }], ladder: [{ remediator: 'sysctl' }] },
    ] as const
    settings.detail = () => ({ ...detail, document: { ...detail.document, policies: policies as never } })
    await open()
    await page.getByTestId('policies').locator('summary').click()
    await page.getByTestId('policies').getByText('services-by-night').waitFor()
    const shown = await page.getByTestId('policies').locator('li').allInnerTexts()
    expect(shown.map((text) => text.replaceAll(/\s+/g, ' '))).toEqual([
      '○ auto services-by-night: KubeletDown, PidsExhausted at alarm pools workers · restart-unit up to 2 times, then sysctl · 0 22 * * * for 8h (Europe/Berlin) · rests for 30m',
      '– observe rest: warning on every node · sysctl · at any time',
    ])
  })

  it.each([390, 1440])('fits a screen of %d px', async (width) => {
    await page.setViewportSize({ width, height: 800 })
    await open()
    for (const part of ['policies', 'guards-asked']) await page.getByTestId(part).last().locator('summary').click()
    await page.getByText('2 of 4 guards allow it').waitFor()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
  })
})
