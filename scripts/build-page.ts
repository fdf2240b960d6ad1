/** Builds the web page: `node scripts/build-page.ts`. Tests call `ensurePage`, which builds only what has changed. */
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const CONFIG = fileURLToPath(new URL('../aggregator/web/vite.config.ts', import.meta.url))
const WEB = dirname(CONFIG)
/** Of the rest of the house, what the page runs (test/tidy/directions.ts). */
const PARTS = ['common', 'inspection', 'aggregator/stream'].map((folder) =>
  fileURLToPath(new URL(`../${folder}`, import.meta.url)),
)
/** The built page; what the aggregator serves. */
export const WEB_ROOT = join(WEB, 'dist')

/** Builds the page unless it is newer than all of its sources. Returns the directory to serve. */
export function ensurePage(): string {
  const builtAt = statSync(join(WEB_ROOT, 'index.html'), { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (newestSource() < builtAt) return WEB_ROOT
  // In a process of its own: a test runner's environment would make it a page for development.
  const { status } = spawnSync(process.execPath, [import.meta.filename], { stdio: 'inherit' })
  if (status !== 0) throw new Error('the page could not be built; the lines above say why')
  return WEB_ROOT
}

function newestSource(): number {
  const sources = [WEB, ...PARTS].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => folder !== WEB || !name.startsWith('dist'))
      .map((name) => join(folder, name)),
  )
  return Math.max(...sources.map((file) => statSync(file).mtimeMs))
}

if (import.meta.main) {
  process.env.NODE_ENV = 'production'
  await build({ configFile: CONFIG, logLevel: 'warn' })
}
