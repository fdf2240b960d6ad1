/** What is built from sources, each when one of its sources has changed: the web page, and the program of `npm start`. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, SetupError } from './command.mjs'
import { withProgress } from './progress.mjs'

const PAGE = { title: 'the web page', script: join('scripts', 'build-page.ts') }
const PAGE_SOURCES = join('aggregator', 'web')
const PROGRAM = { title: 'the program', script: join('scripts', 'build-program.ts') }
/** Written by the build: each file of ours that went into it, with the SHA-256 of what was read. */
const PROGRAM_SOURCES = join('dist', 'sources.json')

/** Builds the page if it is older than its sources. Returns whether it had to do anything. */
export async function buildPage(root, node) {
  const stampFile = join(root, 'node_modules', '.starling-page')
  const stamp = pageHash(root)
  const built = existsSync(join(root, PAGE_SOURCES, 'dist', 'index.html'))
  if (built && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return false
  await build(PAGE, root, node)
  writeFileSync(stampFile, stamp)
  return true
}

/** Builds the program unless all that it was made of is as it was then. Returns whether it had to do anything. */
export async function buildProgram(root, node) {
  if (isProgramFresh(root)) return false
  await build(PROGRAM, root, node)
  return true
}

async function build({ title, script }, root, node) {
  await withProgress(`building ${title}`, async () => {
    const result = await run(node, [script], { cwd: root })
    if (result.code !== 0)
      throw new SetupError(
        `${title} could not be built:\n${result.excerpt}`,
        `See the lines above; node ${script} repeats just this step.`,
      )
  })
}

function isProgramFresh(root) {
  const file = join(root, PROGRAM_SOURCES)
  if (!existsSync(file)) return false
  return Object.entries(JSON.parse(readFileSync(file, 'utf8'))).every(
    ([source, hash]) => existsSync(join(root, source)) && sha256(readFileSync(join(root, source))) === hash,
  )
}

function pageHash(root) {
  const hash = createHash('sha256')
  const sources = readdirSync(join(root, PAGE_SOURCES), { recursive: true })
    .filter((name) => !name.startsWith('dist'))
    .map((name) => join(PAGE_SOURCES, name))
    .filter((file) => statSync(join(root, file)).isFile())
  for (const file of ['package-lock.json', PAGE.script, ...sources.sort()]) {
    hash.update(`${file}\0`).update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}
