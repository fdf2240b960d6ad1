/**
 * Founds a local mesh: a CA, an identity for every node, the founding roster and everybody's configuration. What is there
 * already is kept, so that nodes stay who they are from one `up` to the next.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Member, Roster } from '../../mesh/core/model.ts'
import { issueCertificate } from '../../mesh/identity/enrolment.ts'
import { publicKeyPem, writeEnrolled, writeIdentity } from '../../mesh/identity/identity-dir.ts'
import { type KeyPair, keyPairFromSeed, newSeed } from '../../mesh/identity/keys.ts'
import { signRoster } from '../../mesh/identity/signed-roster.ts'
import { type LocalLayout, type LocalNode, peopleFileOf, pluginsFolderOf } from './layout.ts'

/** A local mesh is founded anew long before its certificates end. */
const CERTIFICATE_MS = 365 * 86_400_000

export interface FoundOptions {
  /** The operator's own settings file; without one, the shipped one is written beside the mesh. */
  readonly settings?: string
  readonly hostRoot: string
  readonly logFormat: 'json' | 'pretty'
  /** More keys of the aggregators' files. */
  readonly aggregatorConfig?: Readonly<Record<string, unknown>>
}

export function configFileOf(node: LocalNode): string {
  return join(node.dir, 'config.yaml')
}

export async function found(layout: LocalLayout, options: FoundOptions): Promise<void> {
  mkdirSync(layout.dir, { recursive: true, mode: 0o700 })
  mkdirSync(pluginsFolderOf(layout.dir), { recursive: true, mode: 0o700 })
  forgetOtherShape(layout)
  const ca = await keyPairFromSeed(seedIn(join(layout.dir, 'ca.key')))
  const caFile = join(layout.dir, 'ca.pem')
  writeFileSync(caFile, publicKeyPem(ca.publicKey))
  const aggregators = [layout.aggregator, ...(layout.standbys ?? [])]
  const all = [...layout.nodes, ...aggregators]
  const keys = new Map<string, KeyPair>()
  for (const node of all) {
    mkdirSync(node.dir, { recursive: true, mode: 0o700 })
    keys.set(node.name, await keyPairFromSeed(seedIn(join(node.dir, 'identity.key'))))
  }
  const keysOf = (node: LocalNode): KeyPair => {
    const pair = keys.get(node.name)
    if (pair === undefined) throw new Error(`no key was made for ${node.name}`)
    return pair
  }
  const memberOf = (node: LocalNode): Member => ({
    node: node.name,
    serial: 1,
    zone: node.zone,
    ...(node.pool === undefined ? {} : { pool: node.pool }),
    roles: aggregators.includes(node) ? ['aggregator'] : (node.roles ?? ['compute']),
    peerId: keysOf(node).peerId,
    hosts: [node.host],
    meshPort: node.meshPort,
    kubeletPort: node.kubeletPort,
  })
  const roster: Roster = {
    mesh: layout.mesh,
    epoch: 1,
    previous: '',
    seed: 'local',
    members: layout.nodes.map(memberOf).toSorted((a, b) => (a.node < b.node ? -1 : 1)),
    aggregators: aggregators.map(memberOf),
  }
  const certificateOf = (node: LocalNode) => {
    const { serial, zone, roles, peerId } = memberOf(node)
    const { mesh } = layout
    const notAfterMs = Date.now() + CERTIFICATE_MS
    return issueCertificate(ca, { mesh, node: node.name, serial, peerId, zone, roles: [...roles], notAfterMs })
  }
  const signed = signRoster(keysOf(layout.aggregator), certificateOf(layout.aggregator), roster)
  for (const node of all) {
    writeIdentity(node.dir, { seed: keysOf(node).seed, certificate: certificateOf(node), roster: signed })
  }
  for (const { dir } of aggregators) for (const node of layout.nodes) writeEnrolled(dir, node.name, certificateOf(node))
  const settings = options.settings ?? shippedSettings(layout)
  for (const node of layout.nodes) writeConfig(node, agentConfigOf(layout, node, caFile, options))
  for (const node of aggregators) writeConfig(node, aggregatorConfigOf(layout, node, caFile, settings, options))
}

/** What a life of another size left behind would be statements of nodes that are no longer there. */
function forgetOtherShape(layout: LocalLayout): void {
  const file = join(layout.dir, 'shape')
  const shape = JSON.stringify(layout.nodes.map(({ name, host, meshPort }) => [name, host, meshPort]))
  if (existsSync(file) && readFileSync(file, 'utf8') !== shape) {
    rmSync(join(layout.aggregator.dir, 'history.sqlite'), { force: true })
    rmSync(join(layout.aggregator.dir, 'history.sqlite-wal'), { force: true })
    rmSync(join(layout.aggregator.dir, 'history.sqlite-shm'), { force: true })
  }
  writeFileSync(file, shape)
}

function seedIn(file: string): Uint8Array {
  if (existsSync(file)) return new Uint8Array(readFileSync(file))
  const seed = newSeed()
  writeFileSync(file, seed, { mode: 0o600 })
  return seed
}

/** Every remediator waits for approval: on a laptop there is somebody at the page. */
function shippedSettings(layout: LocalLayout): string {
  const file = join(layout.dir, 'settings.yaml')
  if (existsSync(file)) return file
  const base = { version: 1, mesh: layout.mesh, detectors: {}, remediators: { sysctl: { mode: 'approve' } } }
  // Somebody waits for it.
  const document = { ...base, rollout: { soak: '5s' } }
  const comment = ' The settings of this mesh. Raise version with every change: it is then checked, signed and applied.'
  writeFileSync(file, `#${comment}\n${stringify(document)}`)
  return file
}

function agentConfigOf(layout: LocalLayout, node: LocalNode, ca: string, { hostRoot, logFormat }: FoundOptions) {
  return {
    mesh: { id: layout.mesh, listen: [`tcp/${node.host}/${node.meshPort}`] },
    node: { name: node.name },
    trust: { ca },
    log: { format: logFormat },
    metrics: { host: node.host, port: node.metricsPort },
    host: { root: hostRoot },
    plugins: { folder: pluginsFolderOf(layout.dir) },
    // It is the host of whoever starts the mesh.
    recordings: 'allow',
    fixer: 'here',
    stateDir: node.dir,
  }
}

function aggregatorConfigOf(
  layout: LocalLayout,
  node: LocalNode,
  ca: string,
  settings: string,
  { logFormat, aggregatorConfig = {} }: FoundOptions,
) {
  return {
    mesh: { id: layout.mesh, listen: [`tcp/${node.host}/${node.meshPort}`] },
    trust: { ca },
    log: { format: logFormat },
    http: { port: layout.httpPort },
    store: { path: join(node.dir, 'history.sqlite') },
    settings,
    plugins: { folder: pluginsFolderOf(layout.dir) },
    notice: `A local mesh: all ${layout.nodes.length} nodes are processes that read this one host, so each finding shows up on every node.`,
    tokenFile: join(layout.dir, 'token'),
    people: peopleFileOf(layout.dir),
    stateDir: node.dir,
    ...aggregatorConfig,
  }
}

function writeConfig(node: LocalNode, config: object): void {
  writeFileSync(configFileOf(node), stringify(config))
}
