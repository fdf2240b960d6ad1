/**
 * Machines of a network of namespaces, each with an agent that may change nothing and a fixer that may, as they are deployed:
 * two users, a socket between them, and folders of their own. What is founded is what `starling up` founds.
 */
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { EventKind, StoredEvent } from '../../aggregator/model.ts'
import { readOrMakeToken } from '../../aggregator/token.ts'
import { type Gate, openGate } from '../../bench/namespaces/gate.ts'
import { type Machine, Network } from '../../bench/namespaces/network.ts'
import { SOURCE } from '../../bench/program.ts'
import { until } from '../../bench/whole.ts'
import { type ApiClient, createClient } from '../../cli/client.ts'
import { configFileOf, found } from '../../cli/local/found.ts'
import { type LocalLayout, type LocalNode, pluginsFolderOf } from '../../cli/local/layout.ts'
import { LocalProcess } from '../../cli/local/processes.ts'
import type { FixerConfig } from '../../fixer/config.ts'
import { fixerHands } from '../../fixer/hands.ts'
import type { SignedStatement } from '../../mesh/core/model.ts'
import { createKeyring } from '../../mesh/identity/keyring.ts'
import { keyPairFromSeed, rawPublicKey } from '../../mesh/identity/keys.ts'
import { readRoster } from '../../mesh/identity/signed-roster.ts'
import type { Plan, Remediation } from '../../remediators/contract.ts'
import { encodeNote, permitTopic } from '../../remediators/notes.ts'
import type { Permit } from '../../remediators/permits.ts'
import { NOBODY } from '../real-part.ts'

const HTTP_PORT = 7780
const PORTS = { meshPort: 7790, metricsPort: 7791, kubeletPort: 10_250 }
const MESH = 'fixers'

export class FixerMesh {
  readonly client: ApiClient
  readonly network: Network
  readonly #layout: LocalLayout
  readonly #gate: Gate
  readonly #fixers = new Map<string, LocalProcess>()

  private constructor(network: Network, layout: LocalLayout, gate: Gate, client: ApiClient) {
    this.network = network
    this.#layout = layout
    this.#gate = gate
    this.client = client
  }

  /** Nodes `node-1` and so on, without fixers. `plugins`: files by name, for agents, fixers and the aggregator. */
  static async start(
    nodes: number,
    settings: string,
    plugins: (dir: string) => Record<string, string>,
  ): Promise<FixerMesh> {
    const machines = Array.from({ length: nodes }, (_, index) => machine(`node-${index + 1}`, index + 1))
    const network = new Network([...machines, machine('aggregator-1', 250)])
    try {
      return await FixerMesh.#on(network, machines, settings, plugins)
    } catch (error) {
      network.remove()
      throw error
    }
  }

  static async #on(
    network: Network,
    machines: readonly Machine[],
    settings: string,
    plugins: (dir: string) => Record<string, string>,
  ): Promise<FixerMesh> {
    const { dir } = network
    const place = ({ name, address }: Machine): LocalNode => {
      return { name, zone: 'a', host: address, ...PORTS, dir: join(dir, name) }
    }
    const aggregator = place(machine('aggregator-1', 250))
    const layout: LocalLayout = { dir, mesh: MESH, httpPort: HTTP_PORT, nodes: machines.map(place), aggregator }
    const settingsFile = join(dir, 'settings.yaml')
    writeFileSync(settingsFile, settings)
    await found(layout, { settings: settingsFile, hostRoot: '/', logFormat: 'json' })
    const folder = pluginsFolderOf(dir)
    for (const [file, text] of Object.entries(plugins(dir))) writeFileSync(join(folder, file), text, { mode: 0o755 })
    for (const shown of [dir, folder]) chmodSync(shown, 0o755)
    for (const node of layout.nodes) {
      const config = parse(readFileSync(configFileOf(node), 'utf8')) as object
      writeFileSync(configFileOf(node), stringify({ ...config, fixer: socketOf(node) }))
      for (const path of [node.dir, ...readdirSync(node.dir).map((file) => join(node.dir, file))]) {
        chownSync(path, NOBODY, NOBODY)
      }
    }
    const token = readOrMakeToken(join(dir, 'token'))
    const gate = await openGate(network.on(aggregator.name), HTTP_PORT)
    const client = createClient({ url: `http://127.0.0.1:${gate.port}`, token })
    const mesh = new FixerMesh(network, layout, gate, client)
    mesh.#process(aggregator, 'aggregator', network.on(aggregator.name)).start()
    for (const node of layout.nodes) mesh.#process(node, 'agent', [...network.on(node.name), ...WITHOUT_RIGHTS]).start()
    // Before that the leader may permit nothing.
    await until(client, 'the leader sees enough', async () => {
      const { members, mesh: seen } = await client.state()
      const isCovered = members.every((one) => one.state === 'alive' && one.coveredBy.length === one.observers.length)
      return isCovered && seen.hasQuorum && seen.blind === null
    })
    return mesh
  }

  /** With this list of remediators, in place of one that may run. */
  async startFixer(name: string, remediators: FixerConfig['remediators']): Promise<void> {
    const node = this.#node(name)
    const dir = fixerDirOf(node)
    mkdirSync(join(dir, 'state'), { recursive: true, mode: 0o700 })
    const config = {
      mesh: MESH,
      remediators,
      socket: { path: socketOf(node) },
      agentStateDir: node.dir,
      ca: join(this.#layout.dir, 'ca.pem'),
      plugins: { folder: pluginsFolderOf(this.#layout.dir) },
      stateDir: join(dir, 'state'),
    }
    writeFileSync(join(dir, 'config.yaml'), stringify(config))
    chmodSync(dir, 0o755)
    await this.#fixers.get(name)?.stop()
    const args = ['fixer', '--config', join(dir, 'config.yaml')]
    const within = this.network.on(name)
    const fixer = new LocalProcess(`${name} fixer`, args, join(dir, 'fixer.log'), { program: SOURCE, within })
    this.#fixers.set(name, fixer)
    fixer.start()
    await this.until(`the fixer of ${name}`, async () => fixerHands(socketOf(node)).hello())
  }

  async killFixer(name: string): Promise<void> {
    const fixer = this.#fixers.get(name)
    fixer?.signal('SIGKILL')
    await this.until(`the end of the fixer of ${name}`, () => fixer?.isRunning === false)
  }

  socketOf(name: string): string {
    return socketOf(this.#node(name))
  }

  /** Lines of a fixer's log about what it was asked for. */
  askedOf(name: string): readonly Record<string, unknown>[] {
    const lines = readFileSync(join(fixerDirOf(this.#node(name)), 'fixer.log'), 'utf8')
      .trimEnd()
      .split('\n')
    return lines.map((line) => JSON.parse(line)).filter(({ msg }) => String(msg).startsWith('asked to'))
  }

  /** `permit` as a statement of `signer`, signed with the key of `by`. */
  async signed(plan: Plan, permit: Permit, signer: string, by = signer): Promise<SignedStatement> {
    const { dir, aggregator } = this.#layout
    const nodes = [...this.#layout.nodes, aggregator]
    const keyFile = join(nodes.find(({ name }) => name === by)?.dir ?? '', 'identity.key')
    const keys = await keyPairFromSeed(new Uint8Array(readFileSync(keyFile)))
    const caKey = rawPublicKey(readFileSync(join(dir, 'ca.pem')))
    const keyring = createKeyring(
      keys,
      readRoster(readFileSync(join(aggregator.dir, 'roster')), caKey, MESH, Date.now()),
    )
    const body = { kind: 'note', topic: permitTopic(plan.id), bytes: encodeNote(permit) } as const
    const statement = { signer, serial: 1, boot: 1, seq: 1, ttlMs: 30_000, body }
    return { statement, signature: keyring.sign('statement', statement) }
  }

  async events(node: string, ...kinds: EventKind[]): Promise<readonly StoredEvent[]> {
    return this.client.events({ node, kinds, limit: 200 })
  }

  /** The phases that this plan went through, oldest first. */
  async phasesOf({ plan }: Pick<Remediation, 'plan'>): Promise<readonly unknown[]> {
    const events = await this.events(plan.node, 'plan', 'remediation')
    return events.flatMap(({ kind, data }) => (isOf(data, plan) ? [kind === 'plan' ? 'proposed' : data.phase] : []))
  }

  async latest(node: string): Promise<Remediation | undefined> {
    const { remediations } = await this.client.state()
    return remediations.filter(({ plan }) => plan.node === node).toSorted((a, b) => (a.at < b.at ? 1 : -1))[0]
  }

  untilPhase(node: string, phase: Remediation['phase']): Promise<Remediation> {
    return this.until(`${phase} on ${node}`, async () => {
      const latest = await this.latest(node)
      return latest?.phase === phase && latest
    })
  }

  async untilEnded(node: string, phase: Remediation['phase']): Promise<Remediation> {
    return this.until(`${phase} for good on ${node}`, async () => {
      const latest = await this.latest(node)
      return latest?.phase === phase && latest.ended && latest
    })
  }

  /** Runs a program as the agent of that node. */
  asAgent(node: string, ...command: readonly string[]): Promise<string> {
    return this.network.run(node, ...WITHOUT_RIGHTS, ...command)
  }

  /** Whether a process on that node was started with this word in its command. Some end while they are looked at. */
  async runs(node: string, word: string): Promise<boolean> {
    const script = `for p in $(ip netns pids "$(ip netns identify $$)"); do tr '\\0' ' ' < /proc/$p/cmdline; done 2> /dev/null; true`
    return (await this.network.run(node, 'sh', '-c', script)).includes(word)
  }

  until<T>(what: string, look: () => T | Promise<T>) {
    return until(this.client, what, look)
  }

  stop(): void {
    this.#gate.close()
    this.network.remove()
  }

  #process(node: LocalNode, what: 'agent' | 'aggregator', within: readonly string[]): LocalProcess {
    const args = [what, '--config', configFileOf(node)]
    return new LocalProcess(node.name, args, join(node.dir, `${what}.log`), { program: SOURCE, within })
  }

  #node(name: string): LocalNode {
    const node = this.#layout.nodes.find((each) => each.name === name)
    if (node === undefined) throw new Error(`there is no node ${name}`)
    return node
  }
}

/** As deploy/starling-agent.service has it: another user, no capability, and no way to any. */
const WITHOUT_RIGHTS = [
  'setpriv',
  ...[`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'],
  ...['--bounding-set=-all', '--inh-caps=-all', '--no-new-privs', '--'],
]

function machine(name: string, host: number): Machine {
  return { name, address: `10.77.0.${host}` }
}

function fixerDirOf({ dir }: LocalNode): string {
  return `${dir}-fixer`
}

function socketOf(node: LocalNode): string {
  return join(fixerDirOf(node), 'run/fixer.sock')
}

function isOf(data: StoredEvent['data'], plan: Plan): boolean {
  return JSON.stringify(data).includes(`"${plan.id}"`)
}
