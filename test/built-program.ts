/** The program as it is built for nodes, for tests of other machines than this: it needs Node and nothing else. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ensurePage } from '../scripts/build-page.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const BUILDS = pathToFileURL(join(ROOT, 'scripts', 'setup', 'builds.mjs')).href

/** Builds it unless it is what the sources say. Returns its folder; `starling.mjs` in there is what is run. */
export function builtProgram(): string {
  ensurePage()
  const script = `import(${JSON.stringify(BUILDS)}).then(({ buildProgram }) => buildProgram(${JSON.stringify(ROOT)}, process.execPath))`
  // As from a terminal: this test runner's own variables would make it another build.
  execFileSync(process.execPath, ['-e', script], { env: { PATH: process.env.PATH }, stdio: 'pipe' })
  return join(ROOT, 'dist')
}
