/** A mesh of real processes, as `starling up` starts it, for a test to look at, harm, and end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { MemberView, Snapshot, StoredEvent } from '../../aggregator/model.ts'
import { commandOf } from '../../cli/local/earlier-life.ts'
import { takeTurn } from './machine-turn.ts'
import { cleanEnvironment, inNamespace, MAIN, type RunResult, starling, waitFor } from './starling.ts'

/** Of our own, so that a developer's mesh goes on beside the tests. */
export const HTTP_PORT = 17_780
export const MESH_PORT = 17_790
export const KUBELET_PORT = 17_250

const BRIDGE = fileURLToPath(new URL('./bridge.ts', import.meta.url))
const LOG_TAIL_LINES = 12
const EVENTS_PER_PAGE = 1_000

export interface LocalMeshOptions {
  readonly nodes?: number
  /** A folder that exists already, to start in once more. It is not removed. */
  readonly dir?: string
  /** More flags for `starling up`. */
  readonly flags?: readonly string[]
  /** In a network namespace of its own, with kernel parameters of its own. Needs root. */
  readonly ownNetwork?: boolean
  /** By `npm start`, as a newcomer starts it. */
  readonly byNpm?: boolean
  /** The program to run instead of the sources. */
  readonly program?: string
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export class LocalMesh {
  readonly dir: string
  readonly url = `http://127.0.0.1:${HTTP_PORT}`
  readonly ended: Promise<Ended>
  readonly #child: ChildProcess
  readonly #ownsDir: boolean
  readonly #ownNetwork: boolean
  /** Every process of this mesh that was ever recorded. */
  readonly #pids = new Set<number>()
  #bridge: ChildProcess | undefined
  #release = () => {}
  #stdout = ''
  #stderr = ''

  private constructor({ nodes = 5, dir, flags = [], ownNetwork = false, ...more }: LocalMeshOptions) {
    this.#ownsDir = dir === undefined
    this.#ownNetwork = ownNetwork
    this.dir = dir ?? newFolder()
    const start = more.byNpm ? ['npm', 'start', '--'] : [process.execPath, more.program ?? MAIN, 'up']
    const up = [...start, '--nodes', String(nodes), ...this.flags(), ...flags]
    const [program = '', ...args] = ownNetwork ? ['unshare', '-n', 'sh', '-c', LOOPBACK_UP, 'sh', ...up] : up
    // Its own group, as a terminal would give it; so that a test can signal it as a terminal does.
    this.#child = spawn(program, args, { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    this.#child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      this.#stdout += part
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (part: string) => {
      this.#stderr += part
    })
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => resolve({ code, signal: signal as NodeJS.Signals | null }))
    })
  }

  /** Waits for its turn on this machine and starts; see `untilUp`. */
  static async start(options: LocalMeshOptions = {}): Promise<LocalMesh> {
    const release = await takeTurn()
    const mesh = new LocalMesh(options)
    mesh.#release = release
    return mesh
  }

  /** As `start`, and up. */
  static async up(options: LocalMeshOptions = {}): Promise<LocalMesh> {
    const mesh = await LocalMesh.start(options)
    try {
      await mesh.untilUp()
    } catch (error) {
      await mesh.stop()
      throw error
    }
    return mesh
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('starling up was not started')
    return this.#child.pid
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  /** The address it printed, on a line of its own; undefined before. */
  get page(): string | undefined {
    return this.#stdout.split('\n').find((line, index, lines) => line.startsWith('http') && index < lines.length - 1)
  }

  /** Where this mesh is, for another `starling up`. */
  flags(): readonly string[] {
    const ports = ['--http-port', HTTP_PORT, '--mesh-port', MESH_PORT, '--kubelet-port', KUBELET_PORT].map(String)
    return ['--dir', this.dir, ...ports]
  }

  /** It has printed the address of its page. */
  async untilUp(): Promise<void> {
    const ended = this.ended.then(async ({ code, signal }) => {
      throw new Error(`starling up ended with ${signal ?? `code ${code}`}\n${await this.describe()}`)
    })
    await Promise.race([this.until('the address of the page', () => this.page), ended])
    // From now on its end is what some tests wait for.
    ended.catch(() => {})
    if (this.#ownNetwork) await this.#openBridge()
    this.pids()
  }

  /** A process of this mesh by the name that up.json gives it: `node-1`, `node-1 kubelet`, `aggregator-1`. */
  pids(): Readonly<Record<string, number>> {
    const { pids } = JSON.parse(readFileSync(join(this.dir, 'up.json'), 'utf8')) as { pids: Record<string, number> }
    for (const pid of Object.values(pids)) this.#pids.add(pid)
    return pids
  }

  pidOf(name: string): number {
    const pid = this.pids()[name]
    if (pid === undefined) throw new Error(`up.json has no process ${name}`)
    return pid
  }

  get token(): string {
    return (JSON.parse(readFileSync(join(this.dir, 'up.json'), 'utf8')) as { token: string }).token
  }

  /** The process whose network namespace this mesh is in; undefined when that is the machine's. */
  get namespaceOf(): number | undefined {
    return this.#ownNetwork ? this.pid : undefined
  }

  /** A client command, told of this mesh by `--dir`. */
  run(...args: readonly string[]): Promise<RunResult> {
    return starling([...args, '--dir', this.dir], { namespaceOf: this.namespaceOf })
  }

  state(): Promise<Snapshot> {
    return this.#get<Snapshot>('/api/v1/state')
  }

  async member(node: string): Promise<MemberView> {
    const member = (await this.state()).members.find((each) => each.node === node)
    if (member === undefined) throw new Error(`there is no member ${node}`)
    return member
  }

  /** All of them, oldest first. */
  async events(): Promise<readonly StoredEvent[]> {
    const events: StoredEvent[] = []
    for (let cursor = ''; ; ) {
      const path = `/api/v1/events?limit=${EVENTS_PER_PAGE}${cursor}` as const
      const { items, next } = await this.#get<{ items: StoredEvent[]; next: string | null }>(path)
      events.unshift(...items)
      if (next === null) return events
      cursor = `&cursor=${next}`
    }
  }

  /** As `waitFor`; when it does not come, the error says how this mesh stands. */
  until<T>(what: string, look: () => T | Promise<T>): Promise<Exclude<T, undefined | null | false>> {
    return waitFor(what, look, () => this.describe())
  }

  untilState(node: string, state: MemberView['state']): Promise<MemberView> {
    return this.until(`${node} is ${state}`, async () => {
      const member = await this.member(node)
      return member.state === state && member
    })
  }

  /** Every member is alive, and each of its observers knows it long enough to have a vote. */
  untilCovered(): Promise<true> {
    return this.until('every member is alive and covered', async () => {
      const { members } = await this.state()
      return members.every((each) => each.state === 'alive' && each.coveredBy.length === each.observers.length)
    })
  }

  /** Resolves with the first event after `seq` that matches. */
  untilEvent(what: string, matches: (event: StoredEvent) => boolean, seq = 0): Promise<StoredEvent> {
    return this.until(what, async () => (await this.events()).find((event) => event.seq > seq && matches(event)))
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** As Ctrl-C in a terminal, which reaches the whole group. */
  signalGroup(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal)
  }

  /** What a person would look at when something went wrong. */
  async describe(): Promise<string> {
    const members = await this.state().then(
      (state) =>
        JSON.stringify({
          members: state.members,
          findings: state.findings.map(({ id, status }) => [id, status]),
          remediations: state.remediations.map(({ plan, phase }) => [plan.id, phase]),
          settings: state.settings,
        }),
      (error: unknown) => `no state: ${error}`,
    )
    const events = await this.events().then(
      (all) => all.slice(-40).map(({ seq, node, kind, summary }) => `${seq} ${node} ${kind}: ${summary}`),
      () => [],
    )
    return [members, ...events, `stderr of up:\n${this.#stderr}`, ...this.#logTails()].join('\n')
  }

  /** Ends everything, whatever a test did to it, and gives the machine to the next. */
  async stop(): Promise<void> {
    try {
      if (existsSync(join(this.dir, 'up.json'))) this.pids()
      if (this.#child.exitCode === null && this.#child.signalCode === null) {
        this.#child.kill('SIGINT')
        const forced = setTimeout(() => this.#child.kill('SIGKILL'), 30_000)
        await this.ended
        clearTimeout(forced)
      }
    } finally {
      this.#bridge?.kill('SIGKILL')
      // By now the number may be another process's.
      for (const pid of this.#pids) if (commandOf(pid).includes(this.dir)) process.kill(pid, 'SIGKILL')
      if (this.#ownsDir) rmSync(this.dir, { recursive: true, force: true })
      this.#release()
    }
  }

  #logTails(): readonly string[] {
    const folders = readdirSync(this.dir, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    return folders.flatMap(({ name }) =>
      readdirSync(join(this.dir, name))
        .filter((file) => file.endsWith('.log'))
        .map((file) => {
          const lines = readFileSync(join(this.dir, name, file), 'utf8')
            .trimEnd()
            .split('\n')
          return `${name}/${file}:\n${lines.slice(-LOG_TAIL_LINES).join('\n')}`
        }),
    )
  }

  async #openBridge(): Promise<void> {
    const socket = join(this.dir, 'bridge.sock')
    const [program, ...args] = inNamespace([process.execPath, BRIDGE, socket, String(HTTP_PORT)], this.pid)
    this.#bridge = spawn(program, args, { stdio: 'ignore' })
    await this.until('the bridge into the namespace', () => existsSync(socket))
  }

  async #get<T>(path: string): Promise<T> {
    const at = this.#ownNetwork ? { socketPath: join(this.dir, 'bridge.sock') } : { host: '127.0.0.1', port: HTTP_PORT }
    const headers = { authorization: `Bearer ${this.token}` }
    return new Promise((resolve, reject) => {
      const call = request({ ...at, path, headers, timeout: 5_000 }, (response) => {
        text(response).then((body) => {
          if (response.statusCode === 200) resolve(JSON.parse(body) as T)
          else reject(new Error(`${path} answered ${response.statusCode}: ${body}`))
        }, reject)
      })
      call.once('timeout', () => call.destroy(new Error(`${path} is not answered`)))
      call.once('error', reject)
      call.end()
    })
  }
}

const LOOPBACK_UP = 'ip link set lo up && exec "$@"'

export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'starling-e2e-'))
}
