/** A local mesh for a bench: `starling up` in a folder and on ports of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ApiClient, createClient } from '../cli/client.ts'
import { readLocalMesh } from '../cli/connection.ts'
import { StarlingError } from '../common/errors.ts'

const MAIN = fileURLToPath(new URL('../cli/main.ts', import.meta.url))

export interface LocalUp {
  readonly dir: string
  readonly client: ApiClient
  stop(): Promise<void>
}

/**
 * Resolves when the mesh is up. `settings`: writes a settings document into the mesh's folder and returns its name. Throws StarlingError with what it said when
 * it does not come up.
 */
export async function startLocalUp(
  nodes: number,
  httpPort: number,
  meshPort: number,
  settings?: (dir: string) => string,
): Promise<LocalUp> {
  const dir = mkdtempSync(join(tmpdir(), 'starling-bench-'))
  const args = ['up', '--dir', dir, '--nodes', `${nodes}`, '--http-port', `${httpPort}`, '--mesh-port', `${meshPort}`]
  if (settings !== undefined) args.push('--settings', settings(dir))
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
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
