/** A browser that looks at the page of the sample, for tests of what a person sees there. */
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { ensurePage } from '../../scripts/build-page.ts'
import { launchChromium } from '../chromium.ts'
import { type ServedSample, serveSample, TOKEN } from './serve-sample.ts'

/** How long something may take to appear on a busy machine, ms. */
const DEADLINE_MS = 20_000

/** What a page throws, says to its console as an error, or asks of anybody else: a test that ends with some has failed. */
function complaintsOf(page: Page, url: string): readonly string[] {
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) complaints.push(`asks ${request.url()}`)
  })
  return complaints
}

/** To be called within a suite; each of its tests has a sample and a tab of its own, in a browser that speaks `locale`. */
export function pageOfSample(locale = 'en-GB') {
  let browser: Browser
  let webRoot: string
  let served: ServedSample
  let page: Page
  let complaints: readonly string[]

  beforeAll(async () => {
    webRoot = ensurePage()
    browser = await launchChromium()
  }, 120_000)
  afterAll(() => browser.close())

  beforeEach(async () => {
    served = await serveSample(webRoot)
    const context = await browser.newContext({ timezoneId: 'Asia/Kathmandu', locale })
    context.setDefaultTimeout(DEADLINE_MS)
    page = await context.newPage()
    complaints = complaintsOf(page, served.url)
  })
  afterEach(async () => {
    await page.context().close()
    await served.close()
  })

  // biome-ignore lint/performance/useDomNodeTextContent: what a person sees is what is tested, hidden text is not
  const seen = (locator: Locator) => locator.innerText()
  return {
    get page() {
      return page
    },
    get served() {
      return served
    },
    get complaints() {
      return complaints
    },
    open: async () => {
      await page.goto(`${served.url}/?token=${TOKEN}`)
      await page.getByTestId('members').waitFor()
    },
    seen,
    textOf: (testId: string) => seen(page.getByTestId(testId)),
    eventually: <T>(read: () => Promise<T>) => expect.poll(read, { timeout: DEADLINE_MS }),
    eventRows: () => page.getByTestId('event').allInnerTexts(),
  }
}
