/**
 * Builds what runs on nodes: `node scripts/build-program.ts [FOLDER]` bundles the `starling` command with all that it
 * imports into FOLDER/starling.mjs (default: dist), which needs Node and nothing else. The page must have been built.
 * Why: docs/adr/0005.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'vite'
import { WEB_ROOT } from './build-page.ts'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const PACKAGES = join(ROOT, 'node_modules')
const SCENARIOS = join(ROOT, 'cli', 'sim', 'scenarios')

/** What plugins import; plugins/modules.ts knows these names, and author-types.json these files. */
const FOR_PLUGINS: Readonly<Record<string, string>> = {
  detector: 'detectors/authors.ts',
  remediator: 'remediators/authors.ts',
  testing: 'plugins/testing.ts',
}

/** Packages without whose types those of FOR_PLUGINS, and of a plugin's tests, say little. */
const TYPED = ['zod', '@types/node', 'undici-types']

/** Empties `folder` and builds into it. */
async function buildProgram(folder: string): Promise<void> {
  const sources = new Map<string, string>()
  const note = (file: string, content: string | Uint8Array) => {
    sources.set(relative(ROOT, file), createHash('sha256').update(content).digest('hex'))
  }
  for (const file of [import.meta.filename, join(ROOT, 'package-lock.json')]) note(file, readFileSync(file))
  await build({
    root: ROOT,
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    ssr: { noExternal: true },
    plugins: [noting(note)],
    build: {
      ssr: true,
      outDir: folder,
      emptyOutDir: true,
      target: 'node22',
      // For `node --enable-source-maps`, should a stack trace's names not do.
      sourcemap: true,
      rolldownOptions: {
        input: { starling: 'cli/main.ts', ...FOR_PLUGINS },
        output: {
          // All files side by side, so that what a module finds relative to itself is the same from each of them.
          entryFileNames: '[name].mjs',
          chunkFileNames: '[name]-[hash].mjs',
          // A process keeps the text of its program in memory, so comments and blanks go, and one letter that is not
          // ASCII would double it. Names stay, for stack traces.
          minify: { compress: false, mangle: false, codegen: { removeWhitespace: true, asciiOnly: true } },
        },
      },
    },
  })
  for (const entry of readdirSync(WEB_ROOT, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    if (entry.isFile()) note(file, readFileSync(file))
  }
  buildTypes(join(folder, 'types'), note)
  // Where aggregator/aggregator.ts looks for it, relative to itself.
  cpSync(WEB_ROOT, join(folder, 'web', 'dist'), { recursive: true })
  // The same, for cli/sim/scenario-file.ts.
  cpSync(SCENARIOS, join(folder, 'scenarios'), { recursive: true })
  for (const file of readdirSync(SCENARIOS)) note(join(SCENARIOS, file), readFileSync(join(SCENARIOS, file)))
  // By this scripts/setup/builds.mjs knows whether the program is still what the sources say.
  writeFileSync(join(folder, 'sources.json'), JSON.stringify(Object.fromEntries(sources)))
}

/** Types of what plugins import, for editors: plugins/types.ts points there. */
function buildTypes(folder: string, note: (file: string, content: string | Uint8Array) => void): void {
  const project = join(ROOT, 'scripts', 'author-types.json')
  note(project, readFileSync(project))
  const tsc = join(PACKAGES, 'typescript', 'bin', 'tsc')
  execFileSync(process.execPath, [tsc, '--project', project, '--outDir', folder], { stdio: 'inherit' })
  for (const declared of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!declared.endsWith('.d.ts')) continue
    const file = join(ROOT, declared.replace(/\.d\.ts$/, '.ts'))
    note(file, readFileSync(file))
  }
  for (const [name, file] of Object.entries(FOR_PLUGINS)) {
    writeFileSync(join(folder, `${name}.d.ts`), `export * from './${file}'\n`)
  }
  for (const name of TYPED) {
    const from = realpathSync(join(PACKAGES, name))
    const wanted = readdirSync(from, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /^(package\.json|LICENSE|(?!src\/).*\.d\.c?ts)$/.test(file),
    )
    for (const file of wanted) {
      const to = join(folder, 'node_modules', name, file)
      mkdirSync(dirname(to), { recursive: true })
      cpSync(join(from, file), to)
    }
  }
}

/** Tells of each file of ours as it is read; which packages there are, the lock file says. */
function noting(note: (file: string, content: string) => void): Plugin {
  return {
    name: 'noting-sources',
    enforce: 'pre',
    transform(code, id) {
      if (id.startsWith(ROOT) && !id.includes('node_modules')) note(id, code)
    },
  }
}

process.env.NODE_ENV = 'production'
await buildProgram(resolve(process.argv[2] ?? join(ROOT, 'dist')))
