/**
 * How a plugin's imports are resolved. `starling/…` is this very program, whether it runs from source or built (docs/adr/0005),
 * so that there is one NotApplicable and one zod. Node's own modules are refused: a plugin sees its host through `host`, where it is
 * held to what it says that it touches. That is a fence and no prison; code that was put there by root runs as the agent.
 */
import { readFile, realpath } from 'node:fs/promises'
// Not by name: a Node without registerHooks is to get as far as cli/main.ts, which says that it is too old.
import * as nodeModule from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { stripTypes } from './strip-types.ts'

export const IS_BUILT = !import.meta.filename.endsWith('.ts')

/** By what plugins import them. Built, all files lie side by side (scripts/build-program.ts). */
export const EXPORTS: Readonly<Record<string, string>> = IS_BUILT
  ? {
      'starling/detector': new URL('./detector.mjs', import.meta.url).href,
      'starling/remediator': new URL('./remediator.mjs', import.meta.url).href,
      'starling/testing': new URL('./testing.mjs', import.meta.url).href,
    }
  : {
      'starling/detector': new URL('../detectors/authors.ts', import.meta.url).href,
      'starling/remediator': new URL('../remediators/authors.ts', import.meta.url).href,
      'starling/testing': new URL('./testing.ts', import.meta.url).href,
    }

/** They compute and do nothing else. */
const HARMLESS = ['node:path', 'node:util', 'node:url', 'node:buffer']

/** Of a file without a package.json beside it Node would have to guess, and says so on stderr. */
const FORMATS: Readonly<Record<string, string>> = { '.ts': 'module-typescript', '.js': 'module', '.mjs': 'module' }

const PACKAGE = 'starling-plugin:'

/** Addresses of modules that belong to plugins, among them what those import. */
const fenced = new Set<string>()

/** The folder from which each package is looked for, by `packageUrl`. */
const packageFolders = new Map<string, string>()

/**
 * The module of the plugin at `url`, read anew for each new `version`. Rejects with whatever is wrong with it: a syntax
 * error, an import that does not exist, something that it throws.
 */
export async function importPlugin(url: string, version = ''): Promise<Readonly<Record<string, unknown>>> {
  useStarlingImports()
  const query = version === '' ? '' : `?v=${encodeURIComponent(version)}`
  fenced.add(`${url}${query}`)
  if (!url.endsWith('.ts')) return await import(/* @vite-ignore */ `${url}${query}`)
  const file = await realpath(fileURLToPath(url))
  const resolved = `${pathToFileURL(file).href}${query}`
  stripped.set(resolved, await stripTypes(await readFile(file, 'utf8')))
  try {
    return await import(/* @vite-ignore */ `${url}${query}`)
  } finally {
    stripped.delete(resolved)
  }
}

/** Plugins without their types, by where they are, while they are imported. */
const stripped = new Map<string, string>()

/** An address for `importPlugin`: the npm package `name` as a file in `folder` would find it. */
export function packageUrl(name: string, folder: string): string {
  const url = `${PACKAGE}${name}`
  packageFolders.set(url, folder)
  return url
}

let isInstalled = false

/** From now on `starling/…` can be imported from any file. */
export function useStarlingImports(): void {
  if (isInstalled) return
  isInstalled = true
  nodeModule.registerHooks({
    resolve(specifier, context, next) {
      const own = EXPORTS[specifier]
      if (own !== undefined) return { url: own, shortCircuit: true }
      if (specifier.startsWith('starling/')) {
        throw new Error(`there is no ${specifier}; there is ${Object.keys(EXPORTS).join(', ')}`)
      }
      const isPlugin = context.parentURL !== undefined && fenced.has(context.parentURL)
      if (isPlugin) refuseBuiltin(specifier)
      const bare = specifier.split('?')[0] ?? specifier
      const folder = packageFolders.get(bare)
      const found =
        folder === undefined
          ? next(specifier, context)
          : next(bare.slice(PACKAGE.length), { ...context, parentURL: folder })
      if (!isPlugin && !fenced.has(specifier)) return found
      fenced.add(found.url)
      const format = FORMATS[extname(new URL(found.url).pathname)]
      const isOwnFile = found.url.startsWith('file:') && !fileURLToPath(found.url).includes('/node_modules/')
      return format === undefined || !isOwnFile ? found : { ...found, format }
    },
    load(url, context, next) {
      const source = stripped.get(url)
      return source === undefined ? next(url, context) : { source, format: 'module', shortCircuit: true }
    },
  })
}

function refuseBuiltin(specifier: string): void {
  const name = specifier.startsWith('node:') ? specifier : `node:${specifier}`
  if (!nodeModule.isBuiltin(specifier) || HARMLESS.includes(name)) return
  throw new Error(`a plugin may not import ${name}: what it wants of its host it asks of \`host\``)
}
