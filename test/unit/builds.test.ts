/** When `npm start` builds its program anew. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const BUILDS = pathToFileURL(fileURLToPath(new URL('../../scripts/setup/builds.mjs', import.meta.url))).href

/** Stands for the real build: it reads one source, and says so. */
const BUILD = `
import { createHash } from 'node:crypto'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
const hash = createHash('sha256').update(readFileSync('a.ts')).digest('hex')
mkdirSync('dist', { recursive: true })
writeFileSync('dist/sources.json', JSON.stringify({ 'a.ts': hash }))
appendFileSync('builds', 'built ')`

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'starling-builds-'))
  mkdirSync(join(root, 'scripts'))
  writeFileSync(join(root, 'scripts', 'build-program.ts'), BUILD)
  writeFileSync(join(root, 'a.ts'), 'one')
})
afterEach(() => rmSync(root, { recursive: true }))

/** Whether the set-up says that it had something to do. */
function setUp(): boolean {
  const script = `import(${JSON.stringify(BUILDS)}).then(async ({ buildProgram }) =>
    console.log(await buildProgram(${JSON.stringify(root)}, process.execPath)))`
  return execFileSync(process.execPath, ['-e', script], { encoding: 'utf8', stdio: 'pipe' }) === 'true\n'
}

test('the program is built when there is none, when a source has changed or gone, and not otherwise', () => {
  expect([setUp(), setUp()]).toEqual([true, false])
  writeFileSync(join(root, 'a.ts'), 'two')
  expect([setUp(), setUp()]).toEqual([true, false])
  writeFileSync(join(root, 'dist', 'sources.json'), JSON.stringify({ 'gone.ts': '' }))
  expect([setUp(), setUp()]).toEqual([true, false])
  expect(readFileSync(join(root, 'builds'), 'utf8')).toBe('built built built ')
})
