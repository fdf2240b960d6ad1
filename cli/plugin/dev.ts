/**
 * `starling plugin dev`: each time the plugin is saved it is checked and tried on this host, and the agents of the local mesh take
 * it in, since it is linked into the folder that they watch. What they find is told as it changes.
 */
import {
  existsSync,
  lstatSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unwatchFile,
  watchFile,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { messageOf, StarlingError, UsageError } from '../../common/errors.ts'
import type { Finding } from '../../detectors/contract.ts'
import { loadPluginFile } from '../../plugins/load.ts'
import { createClient } from '../client.ts'
import { readLocalMesh } from '../connection.ts'
import { hostAt, lookOnce } from '../detectors/look.ts'
import { markOf, renderLook } from '../detectors/render.ts'
import { pluginsFolderOf } from '../local/layout.ts'
import { printable } from '../text.ts'
import { INSTALLED } from './templates.ts'
import type { Tell } from './test-run.ts'

/** Sooner than a person turns from the editor to the terminal. */
const LOOK_EVERY_MS = 300
const ASK_EVERY_MS = 1_000

export interface DevInit {
  readonly file: string
  /** Of the local mesh. */
  readonly dir: string
  readonly hostRoot: string
  readonly tell: Tell
  /** Of the checks' random input. */
  readonly seed: number
}

/** Until `ended`. Throws where the file does not exist, or one of that name is in the mesh already. */
export async function develop(init: DevInit, ended: Promise<void>): Promise<void> {
  const { dir, tell } = init
  const file = resolve(init.file)
  if (!existsSync(file)) throw new UsageError(`there is no ${file}`, 'starling plugin new NAME makes one')
  const folder = pluginsFolderOf(resolve(dir))
  const mesh = meshIn(dir)
  let isBusy = false
  const onChange = async () => {
    if (isBusy) return
    isBusy = true
    if (mesh !== undefined) put(file, folder)
    await examine(init, file)
    isBusy = false
  }
  const watched = [file, scriptOf(file)]
  if (mesh === undefined) {
    tell(`no mesh runs from ${dir}: it is tried on this host only (starling up starts one)`)
  } else {
    refuseForeign(file, folder)
    tell(`the agents of the mesh in ${dir} load it within two seconds of each change; Ctrl-C takes it out again`)
  }
  let stopTelling = () => {}
  try {
    await onChange()
    for (const path of watched) watch(path, () => void onChange())
    if (mesh !== undefined) stopTelling = tellFindings(mesh, () => namesIn(file), tell)
    await ended
  } finally {
    stopTelling()
    for (const path of watched) unwatchFile(path)
    if (mesh !== undefined) rmSync(join(folder, basename(file)), { force: true })
  }
}

/** Its first call may only say that there is no such file. */
function watch(path: string, onChange: () => void): void {
  watchFile(path, { interval: LOOK_EVERY_MS }, (now, before) => {
    if (now.mtimeMs !== before.mtimeMs) onChange()
  })
}

/** What there is to say of it as it is now. Never throws. */
async function examine({ tell, seed, hostRoot }: DevInit, file: string): Promise<void> {
  tell(`\n── ${new Date().toTimeString().slice(0, 8)} ${basename(file)}`)
  try {
    const { detectors, remediators } = await loadPluginFile(file)
    const { conformance } = await import('../../detectors/testing/conformance.ts')
    for (const detector of detectors) {
      const checks = conformance(detector, join(dirname(file), 'fixtures', detector.name), { seed })
      let passed = 0
      for (const { name, run } of checks) {
        try {
          await run()
          passed++
        } catch (error) {
          tell(`✖ ${name}\n    ${printable(messageOf(error).split('\n')[0] ?? '')}`)
        }
      }
      tell(`${passed} of ${checks.length} checks pass; on this host:`)
      const look = await lookOnce(detector, hostAt(hostRoot), detector.options.parse({}))
      tell(renderLook(detector, look).trimEnd())
    }
    for (const { name, handles } of remediators) tell(`remediator ${name}: for ${handles.join(', ')}`)
  } catch (error) {
    tell(`✖ does not load: ${messageOf(error)}`)
  }
}

type Mesh = ReturnType<typeof createClient>

function meshIn(dir: string): Mesh | undefined {
  try {
    return createClient(readLocalMesh(dir))
  } catch (error) {
    if (error instanceof StarlingError) return undefined
    throw error
  }
}

/** A program's manifest names where it will be installed; in this mesh it runs from where it is written. */
function put(file: string, folder: string): void {
  const place = join(folder, basename(file))
  if (existsSync(scriptOf(file))) {
    writeFileSync(place, readFileSync(file, 'utf8').replaceAll(`${INSTALLED}/`, `${dirname(file)}/`), { mode: 0o644 })
  } else if (!existsSync(place)) {
    rmSync(place, { force: true })
    symlinkSync(file, place)
  }
}

function scriptOf(file: string): string {
  return file.slice(0, -extname(file).length).concat('.sh')
}

function refuseForeign(file: string, folder: string): void {
  const place = join(folder, basename(file))
  const isThere = lstatSync(place, { throwIfNoEntry: false }) !== undefined
  if (isThere && !lstatSync(place).isSymbolicLink()) {
    throw new UsageError(`${place} is there already`, 'another name, or take it out of that folder')
  }
}

async function namesIn(file: string): Promise<readonly string[]> {
  const plugin = await loadPluginFile(file).catch(() => undefined)
  return plugin?.detectors.map(({ name }) => name) ?? []
}

/** What the mesh's agents say of these detectors, whenever it is something else than before. Returns how to stop. */
function tellFindings(mesh: Mesh, names: () => Promise<readonly string[]>, tell: Tell): () => void {
  let said = ''
  const ask = async () => {
    const { findings } = await mesh.state()
    const wanted = await names()
    const lines = inWords(findings.filter(({ detector }) => wanted.includes(detector)))
    const text = lines.join('\n')
    if (text === said) return
    said = text
    tell(text === '' ? 'mesh: nothing is said of it' : text)
  }
  // An aggregator that is away for a moment is asked again.
  const timer = setInterval(() => void ask().catch(() => {}), ASK_EVERY_MS)
  return () => clearInterval(timer)
}

/** One line for all nodes that say the same. */
function inWords(findings: readonly Finding[]): readonly string[] {
  const nodes = new Map<string, string[]>()
  for (const { node, status, reason, cause, summary } of findings) {
    const what = [markOf(status).text, [reason, cause].filter((part) => part !== '').join(' '), summary].join('  ')
    nodes.set(what, [...(nodes.get(what) ?? []), node])
  }
  return [...nodes].map(([what, on]) => `mesh: ${printable(what)}  (${on.toSorted().join(', ')})`)
}
