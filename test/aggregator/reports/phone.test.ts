import { readFileSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium, needsChromium } from '../../chromium.ts'
import { describeReal } from '../../real-part.ts'

const PHONE = { width: 390, height: 844 }

describeReal('a report on a phone', needsChromium(), () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await launchChromium()
  }, 120_000)

  afterAll(() => browser?.close())

  test.each(['compute-zh', 'compute-en', 'etcd-zh', 'review-zh', 'review-en'])(
    'fits its width, asks nothing of the network and can be read in the dark: %s',
    async (name) => {
      const html = readFileSync(new URL(`fixtures/${name}.html`, import.meta.url), 'utf8')
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await browser.newPage({ viewport: PHONE, colorScheme })
        const asked: string[] = []
        page.on('request', (request) => asked.push(request.url()))
        await page.setContent(html)
        const looks = await page.evaluate(() => {
          const { color } = getComputedStyle(document.querySelector('h1') as Element)
          return { width: document.documentElement.scrollWidth, color }
        })
        const color = colorScheme === 'dark' ? 'rgb(232, 235, 240)' : 'rgb(29, 36, 51)'
        expect(looks).toEqual({ width: PHONE.width, color })
        expect(asked).toEqual([])
        await page.close()
      }
    },
    60_000,
  )
})
