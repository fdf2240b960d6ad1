/** The page in Chinese, in a browser that speaks it, and from one language to the other. */
import type { Page } from 'playwright-core'
import { beforeEach, expect, it } from 'vitest'
import { needsChromium } from '../chromium.ts'
import { describeReal } from '../real-part.ts'
import { sampleIncident } from './alerting/served.ts'
import { pageOfSample } from './sample-page.ts'
import { PLAN_ID, VERDICT_ID } from './sample-port.ts'
import { REFUSED_ID, refusalEvent, withRefusal } from './sample-refusal.ts'
import type { ServedSample } from './serve-sample.ts'

const AT = '2026-03-14T09:30:00.000Z'

describeReal('the page in Chinese', needsChromium(), () => {
  const view = pageOfSample('zh-CN')
  const { open, seen, textOf, eventually, eventRows } = view
  let page: Page
  let served: ServedSample
  beforeEach(() => {
    ;({ page, served } = view)
    served.sample.change(withRefusal(served.sample.snapshot(), AT))
    served.sample.emit(refusalEvent(AT))
    served.alerts.incidents = [sampleIncident({ id: 'n', severity: 'error' })]
  })
  const documentLanguage = () => page.locator('html').getAttribute('lang')

  it('says all of the mesh in it, with dates as they are written there, and asks for incidents in it', async () => {
    await open()
    expect(await documentLanguage()).toBe('zh-Hans')
    expect(await textOf('figures')).toMatch(/存活\s+4 \/ 5.*异常节点\s+1.*待处理\s+1.*主聚合器\s+node-1/s)
    expect(await textOf('member-node-4')).toMatch(/宕机 NodeDown.*可用区 a · compute · 自 3月14日 15:11:55/s)
    expect(await textOf('member-node-4')).toContain('3 个观察者判为失联，需 3 个')
    expect(await seen(page.getByTestId('finding').first())).toMatch(/错误.*ConntrackTableFull · 连接跟踪表 · 自/s)
    expect(await textOf('findings-fine')).toBe('8 项检查正常，1 项不适用。')
    expect(await textOf(`verdict-${VERDICT_ID}`)).toContain('赞成 3，反对 0，弃权 1；需 3 票')
    expect(await textOf(`approval-${PLAN_ID}`)).toMatch(/低风险.*无需重启.*回退命令：sysctl -w/s)
    expect(await textOf(`remediation-${REFUSED_ID}`)).toMatch(/被拦下.*自 3月14日 15:15:00 起 2 项保护规则未通过/s)
    expect(await textOf('pause-pool-workers')).toMatch(
      /之前节点池 workers 不再开始修复：racks are moved（the on-call）/,
    )
    expect(await textOf('incident')).toMatch(/错误.*未通知任何人.*包含 2 项/s)
    expect(served.alerts.asked).toEqual(expect.arrayContaining(['zh']))
    expect((await eventRows())[0]).toMatch(/未放行/)
    expect(view.complaints).toEqual([])
  })

  it('lets a person decide in it, and says what the page itself has to say of a failure', async () => {
    await open()
    await page.route('**/decision', (route) => route.fulfill({ status: 502, body: '' }))
    await page.getByRole('button', { name: '批准在 node-2 上执行 sysctl' }).click()
    await eventually(() => textOf(`approval-${PLAN_ID}`)).toContain('未能提交：聚合器返回 502')
    await page.getByRole('button', { name: 'English' }).click()
    await eventually(() => textOf(`approval-${PLAN_ID}`)).toContain('Not decided: the aggregator answered 502')
  })

  it('finds events by their kind in either language', async () => {
    await open()
    for (const kind of ['点名', 'roll-call']) {
      await page.getByTestId('filter-text').fill(kind)
      await eventually(eventRows).toContainEqual(expect.stringContaining('node-1 asks the mesh about node-4'))
    }
  })

  it('changes the language of all that is shown, and keeps it', async () => {
    await open()
    await page.getByRole('button', { name: 'English' }).click()
    await page.getByRole('heading', { name: 'Members' }).waitFor()
    expect(await documentLanguage()).toBe('en')
    await eventually(async () => served.alerts.asked.at(-1)).toBe('en')
    await page.reload()
    await page.getByRole('heading', { name: 'Members' }).waitFor()
    expect(await documentLanguage()).toBe('en')
    await page.getByRole('button', { name: '中文' }).click()
    await page.getByRole('heading', { name: '节点' }).waitFor()
    expect(await documentLanguage()).toBe('zh-Hans')
    expect(view.complaints).toEqual([])
  })

  it.each([390, 1440])('fits a screen of %d px', async (width) => {
    await page.setViewportSize({ width, height: 800 })
    await open()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
  })

  it('says over a narrow matrix what its letters stand for, and shows the worst first', async () => {
    await served.inspected.inspections.take({ profile: 'default' })
    await page.setViewportSize({ width: 390, height: 800 })
    await open()
    await page.getByRole('link', { name: '巡检' }).click()
    const legend = page.getByText('错 错误 · 告 告警 · 警 警告 · 信 信息 · 未 未知 · 失 失联 · 免 不适用')
    await legend.waitFor()
    const rows = await page.getByTestId('details').locator('.rows > li .badge').allInnerTexts()
    expect(rows.slice(0, 5).map((row) => row.slice(2))).toEqual(['错误', '告警', '失联', '警告', '未知'])
    await page.setViewportSize({ width: 1440, height: 800 })
    await legend.waitFor({ state: 'hidden' })
  })
})
