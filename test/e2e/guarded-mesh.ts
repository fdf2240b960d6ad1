/**
 * A mesh of real processes on loopback with pools, zones and roles, whose nodes have parts to break: each agent has plugins
 * of its own, since all of them share this machine.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { MemberView } from '../../aggregator/model.ts'
import { readOrMakeToken } from '../../aggregator/token.ts'
import { type ApiClient, createClient } from '../../cli/client.ts'
import { inflict } from '../../cli/local/chaos.ts'
import { configFileOf, found } from '../../cli/local/found.ts'
import { type LocalLayout, type LocalNode, layOut, pluginsFolderOf } from '../../cli/local/layout.ts'
import { AGENT_NODE_FLAGS } from '../../cli/local/mesh.ts'
import { LocalProcess } from '../../cli/local/processes.ts'
import { builtinDetectors } from '../../detectors/index.ts'
import type { Remediation } from '../../remediators/contract.ts'
import { Forger } from './forger.ts'
import { HTTP_PORT, KUBELET_PORT, MESH_PORT, newFolder } from './local-mesh.ts'
import { takeTurn } from './machine-turn.ts'
import { breakPart, mendPart, type Part, prepareNode, reasonOf, writePlugins } from './parts.ts'
import { MAIN, type RunResult, starling, waitFor } from './starling.ts'

export type Place = Pick<LocalNode, 'zone' | 'pool' | 'roles'>

interface Parts {
  /** `node-1` and so on. */
  readonly nodes: readonly Place[]
  /** Without version, mesh and detectors: what is wrong with this machine is no matter of these nodes. */
  readonly settings: object
  readonly alertmanager: string
  /** One of the nodes, whose agent is no agent. */
  readonly forger: string
}

interface Running {
  readonly node: LocalNode
  readonly agent: LocalProcess
  readonly kubelet: LocalProcess
}

const NONE = Object.fromEntries(builtinDetectors.map(({ name }) => [name, { enabled: false }]))
const URL = `http://127.0.0.1:${HTTP_PORT}`

export class GuardedMesh {
  readonly client: ApiClient
  readonly #layout: LocalLayout
  readonly #token: string
  readonly #nodes: ReadonlyMap<string, Running>
  readonly #aggregator: LocalProcess
  #settings: object
  #version = 1
  #forger: Forger | undefined
  #release = () => {}

  private constructor(layout: LocalLayout, settings: object) {
    this.#layout = layout
    this.#settings = settings
    this.#token = readOrMakeToken(join(layout.dir, 'token'))
    this.client = createClient({ url: URL, token: this.#token })
    const processOf = ({ name, dir }: LocalNode, what: string, args: readonly string[]) =>
      new LocalProcess(`${name} ${what}`, args, join(dir, `${what}.log`), {
        program: MAIN,
        nodeFlags: what === 'agent' ? AGENT_NODE_FLAGS : [],
      })
    const started = (node: LocalNode, what: string) => processOf(node, what, [what, '--config', configFileOf(node)])
    this.#aggregator = started(layout.aggregator, 'aggregator')
    this.#nodes = new Map(
      layout.nodes.map((node) => {
        const listen = ['--host', node.host, '--port', String(node.kubeletPort), '--of', node.dir]
        const kubelet = processOf(node, 'kubelet', ['stand-in', ...listen])
        return [node.name, { node, agent: started(node, 'agent'), kubelet }]
      }),
    )
  }

  /** Resolves when all agents are alive and run the settings. */
  static async up({ nodes, settings, alertmanager, forger }: Parts): Promise<GuardedMesh> {
    const release = await takeTurn()
    const dir = newFolder()
    const ports = { httpPort: HTTP_PORT, meshPort: MESH_PORT, kubeletPort: KUBELET_PORT }
    const bare = await layOut({ dir, nodes: nodes.length, ...ports })
    const layout = { ...bare, nodes: bare.nodes.map((node, index) => ({ ...node, ...nodes[index] })) }
    const file = join(dir, 'settings.yaml')
    writeFileSync(file, documentOf(settings, 1))
    await found(layout, {
      settings: file,
      hostRoot: '/',
      logFormat: 'json',
      aggregatorConfig: { alertmanager: { url: alertmanager } },
    })
    // Settings may name what is in them.
    writePlugins(pluginsFolderOf(dir), join(dir, 'nowhere'))
    const mesh = new GuardedMesh(layout, settings)
    mesh.#release = release
    try {
      await mesh.#start(forger)
      return mesh
    } catch (error) {
      await mesh.stop()
      throw error
    }
  }

  pluginsOf(node: string): string {
    return join(this.#of(node).node.dir, 'plugins.d')
  }

  brokenOf(node: string): string {
    return join(this.#of(node).node.dir, 'broken')
  }

  break(node: string, part: Part): void {
    breakPart(this.brokenOf(node), part)
  }

  /** Resolves when its node says so. */
  async breakAndTell(node: string, part: Part): Promise<void> {
    this.break(node, part)
    await this.until(`${reasonOf(part)} of ${node}`, async () =>
      (await this.client.state()).findings.some((one) => one.node === node && one.reason === reasonOf(part)),
    )
  }

  /** The forger says that this is broken, and that a person has approved of its fix. */
  forge(part: Part): void {
    this.#forger?.forge(part)
  }

  mend(node: string, part: Part): void {
    mendPart(this.brokenOf(node), part)
  }

  /** Its last word on a fix of this part that is in this phase and was said after `since` (RFC 3339). */
  untilPhase(node: string, part: Part, phase: Remediation['phase'], since = ''): Promise<Remediation> {
    return this.until(`a fix of ${reasonOf(part)} on ${node} is ${phase}`, async () =>
      (await this.client.state()).remediations.find(
        (one) => one.plan.node === node && one.plan.reason === reasonOf(part) && one.phase === phase && one.at > since,
      ),
    )
  }

  /** As if its power were cut; see cli/local/chaos.ts. */
  async kill(name: string): Promise<void> {
    await inflict('kill', { ...this.#of(name), startAgent: () => {} })
  }

  /** Its agent says that it stops for a while, and does. */
  async leave(name: string): Promise<void> {
    await this.#of(name).agent.stop()
    await this.untilState(name, 'left')
  }

  async untilState(name: string, ...states: readonly MemberView['state'][]): Promise<void> {
    await this.until(`${name} ${states.join(' or ')}`, async () => {
      const { members } = await this.client.state()
      return members.some(({ node, state }) => node === name && states.includes(state))
    })
  }

  /** Replaces parts of the settings that the leader goes by, as an operator does. The forger takes no settings up. */
  async apply(change: object): Promise<void> {
    this.#settings = { ...this.#settings, ...change }
    const file = join(this.#layout.dir, 'next.yaml')
    writeFileSync(file, documentOf(this.#settings, ++this.#version))
    const { code, stderr } = await this.run('settings', 'apply', file, '--yes', '--no-wait')
    if (code !== 0) throw new Error(`settings apply ended with ${code}: ${stderr}`)
    await this.until('the settings', async () => (await this.client.settings()).version >= this.#version)
  }

  /** A client command. */
  run(...args: readonly string[]): Promise<RunResult> {
    return starling([...args, '--url', URL, '--token', this.#token])
  }

  async metrics(): Promise<string> {
    return await (await fetch(`${URL}/metrics`)).text()
  }

  until<T>(what: string, look: () => T | Promise<T>): Promise<Exclude<T, undefined | null | false>> {
    return waitFor(what, look, () => this.#describe())
  }

  async stop(): Promise<void> {
    const all = [...this.#nodes.values()].flatMap(({ agent, kubelet }) => [agent, kubelet])
    await this.#forger?.stop()
    await Promise.all([this.#aggregator, ...all].map((one) => one.stop()))
    rmSync(this.#layout.dir, { recursive: true, force: true })
    this.#release()
  }

  async #start(forger: string): Promise<void> {
    for (const { node } of this.#nodes.values()) {
      prepareNode(this.brokenOf(node.name))
      writePlugins(this.pluginsOf(node.name), this.brokenOf(node.name))
      const config = parse(readFileSync(configFileOf(node), 'utf8')) as object
      const plugins = { folder: this.pluginsOf(node.name) }
      writeFileSync(configFileOf(node), stringify({ ...config, plugins }))
    }
    this.#aggregator.start()
    for (const { node, agent, kubelet } of this.#nodes.values()) {
      kubelet.start()
      if (node.name === forger) this.#forger = await this.#startForger(node)
      else agent.start()
    }
    await this.until('all agents run the settings', async () => {
      const { settings, members } = await this.client.state()
      return members.every((one) => isAlive(one) && (one.node === forger || settings.applied[one.node] === 1))
    })
    await this.until('each member is alive, and all observers but the forger have a vote on it', async () => {
      const { members, mesh } = await this.client.state()
      if (mesh.blind !== null || !mesh.hasQuorum) return false
      return members.every((one) => {
        return isAlive(one) && one.observers.every((each) => each === forger || one.coveredBy.includes(each))
      })
    })
  }

  #startForger({ dir, host, meshPort }: LocalNode): Promise<Forger> {
    const { mesh, dir: folder } = this.#layout
    return Forger.start({ stateDir: dir, ca: join(folder, 'ca.pem'), mesh, listen: { host, port: meshPort } })
  }

  #of(name: string): Running {
    const running = this.#nodes.get(name)
    if (running === undefined) throw new Error(`there is no ${name}`)
    return running
  }

  /** What a person would look at when something went wrong. */
  async #describe(): Promise<string> {
    const state = await this.client.state().catch(String)
    const events = await this.client.events({ limit: 60 }).catch(() => [])
    const logs = [this.#aggregator, ...[...this.#nodes.values()].map(({ agent }) => agent)].flatMap(
      ({ name, logFile }) =>
        existsSync(logFile) ? [`${name}:`, ...readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-8)] : [],
    )
    const shown =
      typeof state === 'string'
        ? state
        : JSON.stringify({
            members: state.members.map(({ node, state: now }) => [node, now]),
            findings: state.findings.filter(({ status }) => status !== 'ok' && status !== 'not-applicable'),
            remediations: state.remediations.map(({ plan, phase, why }) => [plan.node, plan.remediator, phase, why]),
            refused: state.permits.refused,
          })
    return [shown, ...events.map(({ node, kind, summary }) => `${node} ${kind}: ${summary}`), ...logs].join('\n')
  }
}

function isAlive({ state }: MemberView): boolean {
  return state === 'alive'
}

function documentOf(settings: object, version: number): string {
  return stringify({ version, mesh: 'local', detectors: NONE, rollout: { stages: ['100%'], soak: '0s' }, ...settings })
}
