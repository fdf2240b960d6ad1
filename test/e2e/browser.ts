/** Chromium on the page of a mesh. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { ensurePage } from '../../scripts/build-page.ts'
import { CHROMIUM, launchChromium } from '../chromium.ts'
import type { LocalMesh } from './local-mesh.ts'
import { DEADLINE_MS, inNamespace } from './starling.ts'

/** The page must be there before the aggregator starts. */
export function buildPage(): void {
  ensurePage()
}

/** Opens the address that `starling up` printed, and closes it again after `look`. */
export async function withPage(mesh: LocalMesh, look: (page: Page) => Promise<void>): Promise<void> {
  const { namespaceOf } = mesh
  const browser = await launchChromium(namespaceOf === undefined ? CHROMIUM : wrapper(mesh, namespaceOf))
  try {
    const context = await browser.newContext({ locale: 'en-GB' })
    context.setDefaultTimeout(DEADLINE_MS)
    const page = await context.newPage()
    await page.goto(mesh.page ?? '')
    await page.getByTestId('members').waitFor()
    await look(page)
  } finally {
    await browser.close()
  }
}

/** Only a program can be named, so one is made that enters the namespace first. */
function wrapper(mesh: LocalMesh, pid: number): string {
  const file = join(mesh.dir, 'chromium')
  writeFileSync(file, `#!/bin/sh\nexec ${inNamespace([CHROMIUM], pid).join(' ')} "$@"\n`)
  chmodSync(file, 0o755)
  return file
}
