/** What an editor, and tsc, is to know of `starling/…`: the types of this very program, wherever it lies. */
import { fileURLToPath } from 'node:url'
import { EXPORTS, IS_BUILT } from './modules.ts'

/** Built, beside the program: scripts/build-program.ts puts them there. */
const TYPES = new URL('./types/', import.meta.url)
const TYPE_ROOTS = new URL(IS_BUILT ? './types/node_modules/@types' : '../node_modules/@types', import.meta.url)

/** The text of a tsconfig.json for a folder of plugins, with the absolute paths of this program in it. */
export function pluginTsconfig(): string {
  const paths = Object.entries(EXPORTS).map(([name, url]) => {
    const types = IS_BUILT ? new URL(`${name.slice('starling/'.length)}.d.ts`, TYPES) : url
    return [name, [fileURLToPath(types)]] as const
  })
  const compilerOptions = {
    target: 'es2024',
    lib: ['es2024'],
    // There is no package.json here to say that these are modules.
    module: 'esnext',
    moduleResolution: 'bundler',
    types: ['node'],
    typeRoots: [fileURLToPath(TYPE_ROOTS)],
    paths: Object.fromEntries(paths),
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    // Node runs the files as they are, and only leaves out types.
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
    resolveJsonModule: true,
    skipLibCheck: true,
    noEmit: true,
  }
  return `${JSON.stringify({ compilerOptions, include: ['*.ts'] }, null, 2)}\n`
}
