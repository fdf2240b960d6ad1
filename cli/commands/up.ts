import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { aggregatorConfig } from '../../aggregator/config.ts'
import type { MemberView } from '../../aggregator/model.ts'
import { readSettingsFile } from '../../aggregator/settings-file.ts'
import { readOrMakeToken } from '../../aggregator/token.ts'
import { loadConfig } from '../../common/config-file.ts'
import { counted } from '../../common/counted.ts'
import { StarlingError, UsageError } from '../../common/errors.ts'
import { silentLog } from '../../common/log.ts'
import { PluginShelf } from '../../plugins/shelf.ts'
import type { SettingsDocument } from '../../settings/document.ts'
import { type ApiClient, createClient } from '../client.ts'
import { untilSignal } from '../lifetime.ts'
import { serveControl } from '../local/control.ts'
import { endEarlierLife, removeUpState, writeUpState } from '../local/earlier-life.ts'
import { type LocalLayout, layOut, pluginsFolderOf } from '../local/layout.ts'
import { LocalMesh } from '../local/mesh.ts'
import { requireFree, waitUntilFree } from '../local/ports.ts'
import { print } from '../output.ts'

/** Six agents on two cores that others use, too, took six to fourteen seconds. What is not up by then will not be. */
const UP_WITHIN_MS = 45_000
const UP_WITHIN_MS_PER_NODE = 3_000
const LOOK_EVERY_MS = 200

/** What an aggregator of a local mesh may be told by its person: the rest is the mesh's own. */
const OUTWARD = aggregatorConfig.pick({ page: true, mail: true, sinks: true, reports: true })

/** Leaves room for the ports that are counted up from it. */
const PORT_MAX = 60_000

interface UpOptions {
  readonly dir: string
  readonly nodes: number
  readonly httpPort: number
  readonly meshPort: number
  readonly kubeletPort: number
  readonly settings?: string
  readonly aggregator?: string
  readonly hostRoot: string
}

export function registerUp(program: Command): void {
  program
    .command('up')
    .description('runs a whole mesh on this machine: agents, stand-in kubelets, an aggregator with its page')
    .option('--nodes <count>', 'number of nodes, 1 to 50', Number, 5)
    .option('--dir <folder>', 'where the mesh keeps everything', '.starling')
    .option('--http-port <port>', 'port of API and page', parsePort, 7780)
    .option(
      '--mesh-port <port>',
      'port of the mesh, on each node its own address; metrics on the next',
      parsePort,
      7790,
    )
    .option('--kubelet-port <port>', 'port of the stand-in kubelets, on each node its own address', parsePort, 10_250)
    .option('--settings <file>', 'settings document to use instead of the one in --dir')
    .option('--aggregator <file>', "page, mail, sinks and reports, as in an aggregator's own configuration")
    .option('--host-root <folder>', 'what detectors take for the root of the host', '/')
    .action(up)
}

async function up(options: UpOptions): Promise<void> {
  if (!Number.isInteger(options.nodes) || options.nodes < 1 || options.nodes > 50) {
    throw new UsageError(`--nodes is ${options.nodes}`, 'give a whole number from 1 to 50')
  }
  const layout = await layOut(options)
  const { registries, problems } = await PluginShelf.load(
    { folder: pluginsFolderOf(layout.dir), packages: [] },
    silentLog,
  )
  const settings = options.settings ?? join(layout.dir, 'settings.yaml')
  const settingsFile = { file: settings, mesh: layout.mesh, registries: () => registries }
  // Before anything is done. Settings that are not there yet will be the shipped ones.
  if (options.settings !== undefined || existsSync(settings)) readSettingsFile(settingsFile)
  const outward =
    options.aggregator === undefined
      ? {}
      : loadConfig(OUTWARD, { file: options.aggregator, fileRequired: true, env: {}, flags: [] })
  const url = `http://127.0.0.1:${layout.httpPort}`
  const tell = (line: string) => process.stderr.write(`${line}\n`)
  for (const { source, why } of problems) tell(`not loaded: ${source}: ${why}`)
  const mesh = new LocalMesh({ layout, tell, onStarted: () => writeState() })
  const left = await endEarlierLife(layout.dir)
  if (left !== undefined && left.length > 0) tell(`ended what a killed mesh had left behind: ${left.join(', ')}`)
  await (left === undefined ? requireFree(layout) : waitUntilFree(layout))
  // Only here, as in agent.ts.
  const { found } = await import('../local/found.ts')
  await found(layout, {
    hostRoot: options.hostRoot,
    logFormat: 'json',
    ...(options.settings === undefined ? {} : { settings: options.settings }),
    aggregatorConfig: { page: url, ...outward },
  })
  const token = readOrMakeToken(join(layout.dir, 'token'))
  const writeState = () => writeUpState(layout.dir, { url, token, pid: process.pid, pids: mesh.pids() })
  const ended = untilSignal()
  tell(`starting ${counted(layout.nodes.length, 'agent')}, their stand-in kubelets and the aggregator ...`)
  let stopControl = () => {}
  try {
    stopControl = await serveControl(layout.dir, (action, node) => mesh.chaos(action, node))
    const client = createClient({ url, token })
    const up = Promise.all([mesh.start(), waitUntilUp(layout, mesh, client)])
    const cameUp = await Promise.race([up.then(() => true), ended.then(() => false)])
    if (cameUp) {
      const older = await requireTaken(settings, readSettingsFile(settingsFile), client)
      if (older !== undefined) tell(older)
      print(`${url}/?token=${token}\n`)
      tell(`${counted(layout.nodes.length, 'agent')} and the aggregator are up; the page is at the address above.`)
      tell('Ctrl-C ends everything.')
      void oneToKill(client).then((node) => tell(`Try: npm run -s starling -- chaos kill ${node}`))
      await ended
    }
  } finally {
    tell('stopping ...')
    stopControl()
    removeUpState(layout.dir)
    await mesh.stop()
  }
}

/** Up is: every member was heard by the aggregator. Throws StarlingError naming the process that ended instead. */
async function waitUntilUp(layout: LocalLayout, mesh: LocalMesh, client: ApiClient): Promise<void> {
  const withinMs = UP_WITHIN_MS + UP_WITHIN_MS_PER_NODE * layout.nodes.length
  const deadline = performance.now() + withinMs
  for (;;) {
    const [ended] = mesh.ended()
    if (ended !== undefined) {
      const name = ended.split(' ')[0] ?? ended
      throw new StarlingError(`${ended} ended while the mesh was starting`, {
        remedy: `see ${join(layout.dir, name)}/*.log`,
      })
    }
    const members = await membersOf(client)
    if (members.length > 0 && members.every(({ state }) => state !== 'unseen')) return
    if (performance.now() > deadline) {
      throw new StarlingError(`the mesh was not up within ${withinMs / 1_000} s`, {
        remedy: `see ${layout.dir}/*/*.log`,
      })
    }
    await wait(LOOK_EVERY_MS)
  }
}

/** A mesh that has run newer settings goes on with them, and the person who started it with others must know. */
async function requireTaken(
  file: string,
  { version }: SettingsDocument,
  client: ApiClient,
): Promise<string | undefined> {
  const { version: inForce, rollout, versions } = await client.settings()
  if (version === (rollout?.version ?? inForce)) return undefined
  // Handed in later, by `settings apply`: what the file says is the past.
  if (versions.some((held) => held.version === version)) {
    return `settings version ${rollout?.version ?? inForce} goes on in this mesh; version ${version} in ${file} is older`
  }
  throw new UsageError(
    `settings version ${version} is too low: version ${inForce} is in force in this mesh`,
    `raise version to at least ${Math.max(inForce, ...versions.map((held) => held.version)) + 1}`,
  )
}

/**
 * A node in the middle, once its death would be found: observers have a vote only on a node that they have known for some
 * beats. Never resolves in a mesh too small for votes.
 */
async function oneToKill(client: ApiClient): Promise<string> {
  for (;;) {
    const members = await membersOf(client)
    const node = members[Math.floor(members.length / 2)]
    if (node !== undefined && node.needed !== null && node.coveredBy.length >= node.needed) return node.node
    await wait(LOOK_EVERY_MS)
  }
}

/** None as long as the aggregator does not answer. */
function membersOf(client: ApiClient): Promise<readonly MemberView[]> {
  return client.state().then(
    ({ members }) => members,
    () => [],
  )
}

function parsePort(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 1 && port <= PORT_MAX) return port
  throw new InvalidArgumentError(`Give a whole number from 1 to ${PORT_MAX}.`)
}
