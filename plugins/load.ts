/**
 * Loads plugins: detectors and remediators in files of one folder and in npm packages. One that does not load is a problem with a
 * name, and disturbs no other.
 */
import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { messageOf, UsageError } from '../common/errors.ts'
import { parseYaml } from '../common/yaml-file.ts'
import type { Detector } from '../detectors/contract.ts'
import { readPluginManifest } from '../detectors/manifests/manifest.ts'
import type { Remediator } from '../remediators/contract.ts'
import { importPlugin, packageUrl } from './modules.ts'
import { isRemediatorManifest, readRemediatorManifest } from './remediator-manifest.ts'
import { checkDetector, checkRemediator, looksLikeDetector, looksLikeRemediator } from './shape.ts'
import { requireTrusted } from './trust.ts'

/** Where plugins are. */
export interface PluginPlace {
  /** One that does not exist holds none. */
  readonly folder: string
  /** Names of npm packages, looked for in `node_modules` beside the folder's files and above. */
  readonly packages: readonly string[]
}

export interface Plugin {
  /** The file, or the name of the package. */
  readonly source: string
  readonly detectors: readonly Detector[]
  readonly remediators: readonly Remediator[]
}

export interface PluginProblem {
  readonly source: string
  readonly why: string
}

export interface LoadedPlugins {
  readonly plugins: readonly Plugin[]
  readonly problems: readonly PluginProblem[]
}

/** What is there already: its names and reasons are taken. */
export interface Shipped {
  readonly detectors: readonly Detector[]
  readonly remediators: readonly Remediator[]
}

const MODULES = ['.ts', '.js', '.mjs']
const MANIFESTS = ['.yaml', '.yml']
/** What an agent reports of itself under a detector's name. */
const AGENT_REPORTS = ['plugins', 'settings-rejected', 'detectors-shed']

/** Never throws. In the order of the files' names, then of the packages; of two that want one name the first has it. */
export async function loadPlugins(place: PluginPlace, shipped: Shipped): Promise<LoadedPlugins> {
  const plugins: Plugin[] = []
  const problems: PluginProblem[] = []
  const attempt = async (source: string, load: () => Promise<Plugin>) => {
    try {
      const plugin = await load()
      refuseTaken(plugin, shipped, plugins)
      plugins.push(plugin)
    } catch (error) {
      problems.push({ source, why: withoutSource(whyOf(error), source) })
    }
  }
  try {
    for (const file of await pluginFiles(place.folder)) await attempt(file, () => loadPluginFile(file))
  } catch (error) {
    problems.push({ source: place.folder, why: whyOf(error) })
  }
  for (const name of place.packages) {
    const folder = pathToFileURL(join(place.folder, 'package.json')).href
    await attempt(name, async () => {
      await requireTrustedPackage(name, place.folder)
      return pluginOf(name, await importPlugin(packageUrl(name, folder)))
    })
  }
  return { plugins, problems }
}

/** Where Node will find it: the nearest `node_modules` from `folder` upwards. */
async function requireTrustedPackage(name: string, folder: string): Promise<void> {
  for (let above = folder; ; above = dirname(above)) {
    const manifest = join(above, 'node_modules', name, 'package.json')
    if (existsSync(manifest)) return requireTrusted(manifest)
    if (above === dirname(above)) throw new UsageError(`there is no package ${name} in ${folder}/node_modules or above`)
  }
}

/** Throws what is wrong with it. */
export async function loadPluginFile(file: string): Promise<Plugin> {
  await requireTrusted(file)
  if (MANIFESTS.includes(extname(file))) return manifestPlugin(file)
  const { mtimeMs, ino } = await stat(file)
  return pluginOf(file, await importPlugin(pathToFileURL(file).href, `${mtimeMs}-${ino}`))
}

/** Whether a file called `name` is taken for a plugin; a test beside its plugin is none. */
export function isPluginFile(name: string): boolean {
  return !/^\.|\.test\.[a-z]+$|\.d\.ts$/.test(name) && [...MODULES, ...MANIFESTS].includes(extname(name))
}

/** Files in `folder` that are plugins, sorted. */
async function pluginFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names
    .filter(isPluginFile)
    .toSorted()
    .map((name) => join(folder, name))
}

async function manifestPlugin(file: string): Promise<Plugin> {
  const text = await readFile(file, 'utf8')
  if (isRemediatorManifest(parseYaml(text, file))) {
    const remediator = readRemediatorManifest(text, file)
    for (const program of remediator.touches.commands ?? []) await requireTrustedProgram(program)
    return { source: file, detectors: [], remediators: [remediator] }
  }
  const detector = readPluginManifest(text, file)
  const [program] = detector.touches.commands ?? []
  if (program !== undefined) await requireTrustedProgram(program)
  return { source: file, detectors: [detector], remediators: [] }
}

/** One that is not there yet is not applicable until it is. */
async function requireTrustedProgram(program: string): Promise<void> {
  if (existsSync(program)) await requireTrusted(program)
}

/** Each detector and remediator once, under whatever names it is exported. */
function pluginOf(source: string, module: Readonly<Record<string, unknown>>): Plugin {
  const values = [...new Set(Object.values(module))]
  const detectors = values.filter(looksLikeDetector).map(checkDetector)
  const remediators = values.filter(looksLikeRemediator).map(checkRemediator)
  if (detectors.length + remediators.length === 0) {
    throw new UsageError('it exports neither a detector nor a remediator', 'export default defineDetector({ … })')
  }
  return { source, detectors, remediators }
}

/** Throws a UsageError when a name or a reason of `plugin` is another's already. */
export function refuseTaken(plugin: Plugin, shipped: Shipped, before: readonly Plugin[]): void {
  const others = [{ source: 'Starling', ...shipped }, ...before]
  const refuse = (what: string, holders: readonly { readonly source: string }[]) => {
    const [holder] = holders
    if (holder !== undefined) throw new UsageError(`${what} is taken by ${holder.source}`)
  }
  for (const { name, reasons } of plugin.detectors) {
    if (AGENT_REPORTS.includes(name)) refuse(`the name ${name}`, [{ source: 'the agent' }])
    refuse(
      `the name ${name}`,
      others.filter(({ detectors }) => detectors.some((other) => other.name === name)),
    )
    for (const reason of Object.keys(reasons)) {
      refuse(
        `the reason ${reason}`,
        others.filter(({ detectors }) => detectors.some((other) => Object.hasOwn(other.reasons, reason))),
      )
    }
  }
  for (const { name } of plugin.remediators) {
    refuse(
      `the name ${name}`,
      others.filter(({ remediators }) => remediators.some((other) => other.name === name)),
    )
  }
}

/** What is wrong with a manifest begins with its path and line, and the path is said beside it already. */
function withoutSource(why: string, source: string): string {
  if (!why.startsWith(`${source}:`)) return why
  const rest = why.slice(source.length + 1)
  return /^\d/.test(rest) ? `line ${rest}` : rest.trimStart()
}

/** In one line. Where a module could not be read, Node says the line only at the head of the stack. */
function whyOf(error: unknown): string {
  const at = error instanceof SyntaxError ? /^\S+?:(\d+)\n/.exec(error.stack ?? '')?.[1] : undefined
  if (at !== undefined) return `line ${at}: ${messageOf(error).split('\n')[0]}`
  const remedy = error instanceof UsageError && error.remedy !== undefined ? ` (${error.remedy})` : ''
  return `${messageOf(error)}${remedy}`.split('\n')[0] ?? ''
}
