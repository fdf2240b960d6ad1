/** The web page: built from aggregator/web into aggregator/web/dist whenever a source of it has changed. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, SetupError } from './command.mjs'
import { withProgress } from './progress.mjs'

const BUILD_SCRIPT = join('scripts', 'build-page.ts')
const SOURCES = join('aggregator', 'web')

/** Builds the page if it is older than its sources. Returns whether it had to do anything. */
export async function buildPage(root, node) {
  if (!existsSync(join(root, BUILD_SCRIPT))) return false
  const stampFile = join(root, 'node_modules', '.starling-page')
  const stamp = sourcesHash(root)
  const built = existsSync(join(root, SOURCES, 'dist', 'index.html'))
  if (built && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return false
  await withProgress('building the web page', async () => {
    const result = await run(node, [BUILD_SCRIPT], { cwd: root })
    if (result.code !== 0)
      throw new SetupError(
        `the web page could not be built:\n${result.excerpt}`,
        `See the lines above; node ${BUILD_SCRIPT} repeats just this step.`,
      )
  })
  writeFileSync(stampFile, stamp)
  return true
}

function sourcesHash(root) {
  const hash = createHash('sha256')
  const sources = readdirSync(join(root, SOURCES), { recursive: true })
    .filter((name) => !name.startsWith('dist'))
    .map((name) => join(SOURCES, name))
    .filter((file) => statSync(join(root, file)).isFile())
  for (const file of ['package-lock.json', BUILD_SCRIPT, ...sources.sort()]) {
    hash.update(`${file}\0`).update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}
