/** PostgreSQL as Debian ships it, in a temporary folder, reached by a socket there and on a free port of this machine. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { freePort } from './mesh/sockets.ts'
import { type Missing, NOBODY, needsLinux, needsRoot } from './real-part.ts'

const VERSIONS = '/usr/lib/postgresql'
const READY_WITHIN_MS = 60_000
/** What durability costs is not what these tests are about, but for those that crash it by SIGQUIT, which loses no page. */
const SETTINGS = [
  'fsync=off',
  'shared_buffers=16MB',
  'max_connections=30',
  'autovacuum=off',
  'listen_addresses=127.0.0.1',
]
export const PASSWORD = 'correct horse battery staple'

export function needsPostgres(): Missing {
  const missing = needsLinux() ?? needsRoot()
  if (missing !== undefined) return missing
  return binaries() === undefined ? 'PostgreSQL (the Debian package postgresql)' : undefined
}

function binaries(): string | undefined {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS) : []
  return versions.map((version) => join(VERSIONS, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')))
}

export class Postgres {
  /** Without the password. */
  readonly url: string
  readonly passwordFile: string
  readonly #folder: string
  readonly #port: number
  #child: ChildProcess | undefined
  #databases = 0

  private constructor(folder: string, port: number) {
    this.#folder = folder
    this.#port = port
    this.url = `postgres://starling@127.0.0.1:${port}/postgres`
    this.passwordFile = join(folder, 'password')
  }

  /** Resolves when it answers. */
  static async start(): Promise<Postgres> {
    const folder = mkdtempSync(join(tmpdir(), 'starling-postgres-'))
    const server = new Postgres(folder, await freePort('127.0.0.1'))
    writeFileSync(server.passwordFile, `${PASSWORD}\n`)
    // The server refuses to run as root.
    for (const path of [folder, server.passwordFile]) chownSync(path, NOBODY, NOBODY)
    chmodSync(folder, 0o700)
    const options = ['-U', 'starling', '-A', 'scram-sha-256', `--pwfile=${server.passwordFile}`, '-E', 'UTF8']
    const made = spawnSync(join(binaries() ?? '', 'initdb'), ['-D', join(folder, 'data'), '--no-sync', ...options], {
      uid: NOBODY,
      gid: NOBODY,
      cwd: folder,
      encoding: 'utf8',
    })
    if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`)
    await server.resume().catch(async (error: unknown) => {
      await server.stop()
      throw error
    })
    return server
  }

  /** A database that nobody has used, by its URL. */
  async fresh(): Promise<string> {
    const name = `test_${++this.#databases}`
    const client = this.client(this.url)
    await client.connect()
    await client.query(`CREATE DATABASE ${name}`)
    await client.end()
    return this.url.replace(/postgres$/, name)
  }

  /** As its owner, not connected yet. */
  client(url: string): pg.Client {
    const whole = new URL(url)
    whole.password = PASSWORD
    return new pg.Client({ connectionString: whole.href })
  }

  /** What `pg_dump` says of Starling's schema there, as docs/history.md has it done. */
  dump(url: string): string {
    return this.#tool('pg_dump', ['--schema=starling', url], '')
  }

  /** Of what `dump` said. */
  restore(url: string, dump: string): void {
    this.#tool('psql', ['-q', '-v', 'ON_ERROR_STOP=1', url], dump)
  }

  #tool(name: string, args: readonly string[], input: string): string {
    const env = { ...process.env, PGPASSWORD: PASSWORD }
    const { status, stdout, stderr } = spawnSync(join(binaries() ?? '', name), args, { env, input, encoding: 'utf8' })
    if (status !== 0) throw new Error(`${name}: ${stderr}`)
    return stdout
  }

  /** Starts it again after `crash`. */
  async resume(): Promise<void> {
    const settings = [...SETTINGS, `port=${this.#port}`, `unix_socket_directories=${this.#folder}`]
    const args = ['-D', join(this.#folder, 'data'), ...settings.flatMap((setting) => ['-c', setting])]
    this.#child = spawn(join(binaries() ?? '', 'postgres'), args, {
      uid: NOBODY,
      gid: NOBODY,
      cwd: this.#folder,
      stdio: 'ignore',
    })
    const deadline = performance.now() + READY_WITHIN_MS
    while (!(await this.#answers())) {
      if (performance.now() > deadline) throw new Error('PostgreSQL does not answer')
      await wait(50)
    }
  }

  /** It is gone at once, in the middle of whatever it does: what its own documentation calls an immediate shutdown. */
  async crash(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGQUIT')
    await gone
  }

  async stop(): Promise<void> {
    await this.crash()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #answers(): Promise<boolean> {
    const client = this.client(this.url)
    try {
      await client.connect()
      await client.end()
      return true
    } catch {
      return false
    }
  }
}
