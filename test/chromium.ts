/** The browser of the tests: Debian's Chromium, quiet and without a connection of its own. */
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import type { Missing } from './real-part.ts'

export const CHROMIUM = '/usr/bin/chromium'

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export function needsChromium(): Missing {
  return existsSync(CHROMIUM) ? undefined : `Chromium at ${CHROMIUM}`
}

/** `executablePath`: Chromium, or what starts it in some other place. */
export function launchChromium(executablePath = CHROMIUM): Promise<Browser> {
  return chromium.launch({ executablePath, args: ARGUMENTS })
}
