import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Command } from 'commander'
import { readSettingsFile } from '../../aggregator/settings-file.ts'
import { readOrMakeToken } from '../../aggregator/token.ts'
import { writeFileAtomically } from '../../common/atomic-file.ts'
import { StarlingError, UsageError } from '../../common/errors.ts'
import { builtinDetectors } from '../../detectors/index.ts'
import { builtinRemediators } from '../../remediators/index.ts'
import { createClient } from '../client.ts'
import { untilSignal } from '../lifetime.ts'
import { serveControl } from '../local/control.ts'
import { type LocalLayout, layOut } from '../local/layout.ts'
import { LocalMesh } from '../local/mesh.ts'
import { requireFree } from '../local/ports.ts'
import { print } from '../output.ts'

/** A dozen processes on two slow cores take ten seconds; what is not up by then will not be. */
const UP_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 200

interface UpOptions {
  readonly dir: string
  readonly nodes: number
  readonly httpPort: number
  readonly meshPort: number
  readonly settings?: string
  readonly hostRoot: string
}

export function registerUp(program: Command): void {
  program
    .command('up')
    .description('runs a whole mesh on this machine: agents, stand-in kubelets, an aggregator with its page')
    .option('--nodes <count>', 'number of nodes, 1 to 50', Number, 5)
    .option('--dir <folder>', 'where the mesh keeps everything', '.starling')
    .option('--http-port <port>', 'port of API and page', Number, 7780)
    .option('--mesh-port <port>', 'port of the mesh, on each node its own address', Number, 7790)
    .option('--settings <file>', 'settings document to use instead of the one in --dir')
    .option('--host-root <folder>', 'what detectors take for the root of the host', '/')
    .action(up)
}

async function up(options: UpOptions): Promise<void> {
  if (!Number.isInteger(options.nodes) || options.nodes < 1 || options.nodes > 50) {
    throw new UsageError(`--nodes is ${options.nodes}`, 'give a whole number from 1 to 50')
  }
  const layout = await layOut(options)
  requireNobodyElse(layout)
  await requireFree(layout)
  const registries = { detectors: builtinDetectors, remediators: builtinRemediators }
  // Only here, as in agent.ts.
  const { found } = await import('../local/found.ts')
  await found(layout, {
    hostRoot: options.hostRoot,
    logFormat: 'json',
    ...(options.settings === undefined ? {} : { settings: options.settings }),
  })
  readSettingsFile(options.settings ?? join(layout.dir, 'settings.yaml'), layout.mesh, registries)
  const token = readOrMakeToken(join(layout.dir, 'token'))
  const url = `http://127.0.0.1:${layout.httpPort}`
  const tell = (line: string) => process.stderr.write(`${line}\n`)
  const mesh = new LocalMesh({ layout, tell })
  const ended = untilSignal()
  tell(`starting ${layout.nodes.length} agents, their stand-in kubelets and the aggregator ...`)
  mesh.start()
  const stopControl = await serveControl(layout.dir, (action, node) => mesh.chaos(action, node))
  const state = { url, token, pid: process.pid, pids: mesh.pids() }
  await writeFileAtomically(join(layout.dir, 'up.json'), `${JSON.stringify(state, null, 2)}\n`)
  try {
    const cameUp = await Promise.race([waitUntilUp(layout, mesh, url, token).then(() => true), ended.then(() => false)])
    if (cameUp) {
      print(`${url}/?token=${token}\n`)
      tell(`${layout.nodes.length} agents and the aggregator are up; the page is at the address above.`)
      tell('Try: npm run -s starling -- chaos kill node-3     Ctrl-C ends everything.')
      await ended
    }
  } finally {
    tell('stopping ...')
    stopControl()
    rmSync(join(layout.dir, 'up.json'), { force: true })
    await mesh.stop()
  }
}

/** Two meshes in one folder would be two lives under one identity. */
function requireNobodyElse({ dir }: LocalLayout): void {
  const file = join(dir, 'up.json')
  if (!existsSync(file)) return
  const { pid } = JSON.parse(readFileSync(file, 'utf8')) as { pid: number }
  try {
    process.kill(pid, 0)
  } catch {
    return
  }
  throw new StarlingError(`a mesh runs from ${dir} already, as process ${pid}`, {
    remedy: 'end it, or give another --dir, --http-port and --mesh-port',
  })
}

/** Up is: every member was heard by the aggregator. Throws StarlingError naming the process that ended instead. */
async function waitUntilUp(layout: LocalLayout, mesh: LocalMesh, url: string, token: string): Promise<void> {
  const client = createClient({ url, token })
  const deadline = performance.now() + UP_WITHIN_MS
  for (;;) {
    const [ended] = mesh.ended()
    if (ended !== undefined) {
      const name = ended.split(' ')[0] ?? ended
      throw new StarlingError(`${ended} ended while the mesh was starting`, {
        remedy: `see ${join(layout.dir, name)}/*.log`,
      })
    }
    const members = await client.state().then(
      (snapshot) => snapshot.members,
      () => [],
    )
    if (members.length > 0 && members.every(({ state }) => state !== 'unseen')) return
    if (performance.now() > deadline) {
      throw new StarlingError(`the mesh was not up within ${UP_WITHIN_MS / 1_000} s`, {
        remedy: `see ${layout.dir}/*/*.log`,
      })
    }
    await wait(LOOK_EVERY_MS)
  }
}
