import type { Page } from 'playwright-core'
import { beforeEach, expect, it } from 'vitest'
import { makePerson } from '../../aggregator/people.ts'
import { needsChromium } from '../chromium.ts'
import { describeReal } from '../real-part.ts'
import { pageOfSample } from './sample-page.ts'
import { PLAN_ID } from './sample-port.ts'
import type { ServedSample } from './serve-sample.ts'

const SINCE = '2026-01-31T12:00:00.000Z'
const ada = makePerson({ name: 'ada', right: 'approve' }, SINCE)
const grace = makePerson({ name: 'grace', right: 'approve' }, SINCE)
const hedy = makePerson({ name: 'hedy', right: 'view' }, SINCE)

describeReal('a dangerous plan on the page', needsChromium(), () => {
  const view = pageOfSample()
  const { textOf, eventually } = view
  let page: Page
  let served: ServedSample
  beforeEach(() => {
    ;({ page, served } = view)
    served.people.push(ada.person, grace.person, hedy.person)
    const { remediations } = served.sample.snapshot()
    const dangerous = remediations.map((each) => ({ ...each, plan: { ...each.plan, risk: 'dangerous' as const } }))
    served.sample.change({ remediations: dangerous })
  })

  const openAs = async (token: string) => {
    await page.goto(`${served.url}/?token=${token}`)
    await page.getByTestId('members').waitFor()
  }
  const approve = () => page.getByRole('button', { name: 'Approve sysctl on node-2' })
  const standing = () => textOf(`two-people-${PLAN_ID}`)
  const firstIs = (by: string) => {
    const { permits } = served.sample.snapshot()
    const [at, until] = ['2026-03-14T09:28:00.000Z', '2026-03-14T10:28:00.000Z']
    served.sample.change({ permits: { ...permits, approvals: [{ planId: PLAN_ID, by, at, until }] } })
  }

  it('says that it takes two, who was the first and until when, and lets the second approve', async () => {
    await openAs(grace.token)
    expect(await textOf('me')).toContain('grace')
    expect(await standing()).toMatch(/two people must approve it, within an hour of each other\. 0 of 2/)
    firstIs('ada')
    await eventually(standing).toMatch(/1 of 2, by ada, until .*16:13:00/)
    await approve().click()
    await page.locator(`[data-testid=remediation-${PLAN_ID}][data-phase=applying]`).waitFor()
    expect(served.sample.decisions).toMatchObject([{ by: 'grace', action: 'approve', via: 'page' }])
    expect(view.complaints).toEqual([])
  })

  it('tells the first that somebody else is to look, and lets them reject', async () => {
    firstIs('ada')
    await openAs(ada.token)
    expect(await standing()).toContain('That was you: somebody else must look at it now.')
    expect(await approve().isDisabled()).toBe(true)
    expect(await page.getByRole('button', { name: 'Reject sysctl on node-2' }).isEnabled()).toBe(true)
  })

  it('is not for who comes with the token that several share, nor for who may only look', async () => {
    await view.open()
    await eventually(standing).toContain('sign in with one of your own')
    expect(await approve().isDisabled()).toBe(true)
    expect(await page.getByTestId('me').count()).toBe(0)
    await openAs(hedy.token)
    await eventually(() => textOf(`approval-${PLAN_ID}`)).toContain('You may look, hedy')
    expect(await page.getByRole('button', { name: /sysctl on node-2/ }).count()).toBe(0)
  })
})
