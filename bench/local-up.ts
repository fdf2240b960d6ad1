/** A local mesh for a bench: `starling up` as it is shipped, in a folder and on ports of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApiClient, createClient } from '../cli/client.ts'
import { readLocalMesh } from '../cli/connection.ts'
import { StarlingError } from '../common/errors.ts'
import { buildProgram, SOURCE } from './program.ts'

export interface LocalUp {
  readonly dir: string
  readonly client: ApiClient
  stop(): Promise<void>
}

export interface LocalUpInit {
  readonly nodes: number
  readonly httpPort: number
  readonly meshPort: number
  /** Run the sources as they are instead of a program built from them. */
  readonly fromSource?: boolean
  /** Writes a settings document into the mesh's folder and returns its name. */
  readonly settings?: ((dir: string) => string) | undefined
}

/** Resolves when the mesh is up. Throws StarlingError with what it said when it does not come up. */
export async function startLocalUp(init: LocalUpInit): Promise<LocalUp> {
  const { nodes, httpPort, meshPort, fromSource = false, settings } = init
  const dir = mkdtempSync(join(tmpdir(), 'starling-bench-'))
  const args = ['up', '--dir', dir, '--nodes', `${nodes}`, '--http-port', `${httpPort}`, '--mesh-port', `${meshPort}`]
  if (settings !== undefined) args.push('--settings', settings(dir))
  const program = fromSource ? SOURCE : buildProgram(join(dir, 'program'))
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const stop = async () => {
    await end(child)
    rmSync(dir, { recursive: true, force: true })
  }
  let said = ''
  child.stderr.on('data', (bytes: Buffer) => {
    said += bytes.toString('utf8')
  })
  const [address] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => [])])
  if (address === undefined) {
    await stop()
    throw new StarlingError(`the mesh did not come up: ${said.trim()}`)
  }
  return { dir, client: createClient(readLocalMesh(dir)), stop }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGINT')
  await ended
}
