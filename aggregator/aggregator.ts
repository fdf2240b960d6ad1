/** The aggregator, put together: identity, history, mesh as its leader, settings, HTTP. */
import { fileURLToPath } from 'node:url'
import { messageOf, StarlingError, UsageError } from '../common/errors.ts'
import { parseListen } from '../common/listen.ts'
import type { Logger } from '../common/pino-log.ts'
import { builtinDetectors } from '../detectors/index.ts'
import { NOTE_BYTES_MAX } from '../mesh/core/gossip.ts'
import type { SignedStatement, Standing } from '../mesh/core/model.ts'
import { keepRoster, loadIdentity, writeRoster } from '../mesh/identity/identity-dir.ts'
import type { KeyPair } from '../mesh/identity/keys.ts'
import { type MeshNode, startMeshNode } from '../mesh/libp2p/mesh-node.ts'
import packageJson from '../package.json' with { type: 'json' }
import { builtinRemediators } from '../remediators/index.ts'
import type { SettingsDocument } from '../settings/document.ts'
import { readMarking } from '../settings/marking.ts'
import { SETTINGS_TOPIC } from '../settings/notes.ts'
import { encodeSettings, signSettings } from '../settings/signed.ts'
import { validateSettings } from '../settings/validate.ts'
import type { AggregatorConfig } from './config.ts'
import { createHttpServer, listenHttp } from './http/server.ts'
import { soleAuthority } from './kubernetes/authority.ts'
import type { RosterInit } from './kubernetes/roster/run.ts'
import type { RosterSync } from './kubernetes/roster/sync.ts'
import type { Kubernetes, KubernetesInit } from './kubernetes/run.ts'
import { createAggregatorMetrics } from './metrics.ts'
import type { Store } from './model.ts'
import { AggregatorService } from './service.ts'
import { readSettingsFile, watchSettingsFile } from './settings-file.ts'
import { openSqliteStore } from './store/sqlite.ts'
import { readOrMakeToken } from './token.ts'

const WEB_ROOT = fileURLToPath(new URL('./web/dist', import.meta.url))

/** Settings are said again well before the note that carries them expires. */
const SETTINGS_TTL_MS = 86_400_000
const SETTINGS_REPEAT_MS = SETTINGS_TTL_MS / 4

/** The settings in force, in the store: they must neither go back nor be lost when this process starts again. */
const SETTINGS_FACT = 'settings'

/** An incident that goes on shows again well within this: a link fault is asked about every few seconds. */
const INHERITED_FOR_MS = 360_000

const registries = { detectors: builtinDetectors, remediators: builtinRemediators }

export interface RunningAggregator {
  readonly node: string
  readonly url: string
  readonly token: string
  stop(): Promise<void>
}

/** Throws StarlingError (UsageError for what the person wrote) before anything runs, or having stopped what did. */
export async function startAggregator(config: AggregatorConfig, log: Logger): Promise<RunningAggregator> {
  const { mesh: meshConfig, stateDir } = config
  const token = readOrMakeToken(config.tokenFile)
  const identity = await loadIdentity(stateDir, config.trust.ca, meshConfig.id).catch((cause: unknown) => {
    throw new StarlingError(messageOf(cause), { remedy: `${stateDir} must hold the aggregator's identity`, cause })
  })
  const { node } = identity.enrolment
  const { roster } = identity
  let { rosterBytes } = identity
  const signedBytes = (settings: SettingsDocument) => signFor(settings, identity.keys)
  const readFile = () => readSettingsFile(config.settings, meshConfig.id, registries)
  const store = openSqliteStore(config.store.path)
  // Checked before anything runs, as is their size.
  const { document, refused } = settingsToStart(store, readFile, signedBytes)
  const term = nextTerm(store)
  const service = new AggregatorService({
    store,
    roster,
    node,
    term,
    version: packageJson.version,
    notice: config.notice,
    log,
  })
  const metrics = createAggregatorMetrics(() => service.snapshot())
  const authority = soleAuthority(term)
  let inForce = document
  let signed = signedBytes(inForce)
  const kubernetes = await connectCluster(config, {
    authority,
    story: service.marks,
    metrics,
    log,
    marking: () => readMarking(inForce.marking),
    findingsOf: (name) => service.findingsOf(name),
    verdictOf: (id) => service.verdicts.of(id),
  })
  const onRecord = service.verdicts.standing()
  const standing = withoutDoubles([...onRecord, ...((await kubernetes?.standingOnNodes()) ?? [])])
  // HTTP first: a taken port must be known before a second leader speaks up in the mesh.
  const http = createHttpServer({
    port: service,
    token,
    webRoot: WEB_ROOT,
    metrics: () => metrics.registry.metrics(),
    log,
  })
  const listen = parseListen(meshConfig.listen[0] ?? 'tcp/7790')
  const hear = (signed: SignedStatement) => {
    try {
      service.hear(signed)
      kubernetes?.heard(signed.statement.signer)
    } catch (error) {
      log.warn({ from: signed.statement.signer, err: messageOf(error) }, 'note dropped')
    }
  }
  const url = await listenHttp(http, config.http.host, config.http.port)
  const mesh = await startMeshNode({
    identity: { ...identity, node },
    roster,
    rosterBytes: identity.rosterBytes,
    listen,
    onRoster: (bytes) => {
      writeRoster(stateDir, bytes)
      rosterBytes = bytes
    },
    lead: { term, standing, saidBefore: service.saidBefore() },
    ...(kubernetes === undefined ? {} : { heartbeats: kubernetes.heartbeats }),
    onStatement: hear,
    onCommit: (certificate) => {
      keepRoster(stateDir, certificate.rosterHash, rosterBytes)
      service.commit(certificate)
      metrics.verdict(certificate.kind)
      kubernetes?.committed(certificate)
    },
    onNotice: (notice) => {
      service.notice(notice)
      metrics.notice(notice)
      kubernetes?.notice(notice)
    },
    onTraffic: metrics.traffic,
  }).catch(async (cause: unknown) => {
    await Promise.all([http.close(), kubernetes?.stop()])
    throw new StarlingError(`the mesh cannot listen on ${listen.host}:${listen.port}: ${messageOf(cause)}`, {
      remedy: 'set mesh.listen to a free port, or STARLING_MESH_LISTEN',
      cause,
    })
  })
  const { leader } = mesh
  if (leader === undefined) throw new Error('an aggregator leads')
  service.start({
    leader,
    now: mesh.now,
    publish: mesh.publish,
    get roster() {
      return mesh.roster
    },
  })
  kubernetes?.start(mesh, standing)
  const rosterSync = await followCluster(
    config,
    { stateDir, identity, authority, store, story: service.rosterStory, metrics, log },
    mesh,
    service,
  )

  const sayApplied = () => {
    store.writeFact(SETTINGS_FACT, JSON.stringify(inForce))
    mesh.publish(SETTINGS_TOPIC, signed, SETTINGS_TTL_MS)
    service.settingsInForce(inForce.version)
  }
  const refuse = (why: string) => {
    log.warn({ err: why }, 'settings refused')
    service.settingsRefused(why)
  }
  const readAgain = () => {
    try {
      const next = readFile()
      if (JSON.stringify(next) === JSON.stringify(inForce)) return
      requireNewer(next, inForce.version + 1)
      signed = signedBytes(next)
      inForce = next
      sayApplied()
    } catch (error) {
      refuse(messageOf(error))
    }
  }
  sayApplied()
  if (refused !== null) refuse(refused)
  const inherited = setTimeout(() => service.endUnseen(), INHERITED_FOR_MS)
  const repeat = setInterval(sayApplied, SETTINGS_REPEAT_MS)
  const stopWatching = watchSettingsFile(config.settings, readAgain)
  log.info({ url, mesh: roster.mesh, term }, 'aggregator started')
  return {
    node,
    url,
    token,
    stop: async () => {
      clearTimeout(inherited)
      clearInterval(repeat)
      stopWatching()
      rosterSync?.stop()
      await Promise.all([http.close(), mesh.stop(), kubernetes?.stop()])
      store.close()
    },
  }
}

/** Only here is anything of Kubernetes loaded: without a cluster it is never needed. */
async function connectCluster(
  { kubernetes: access }: AggregatorConfig,
  init: Omit<KubernetesInit, 'access'>,
): Promise<Kubernetes | undefined> {
  if (access === undefined) return undefined
  const { connectMarking } = await import('./kubernetes/run.ts')
  return await connectMarking({ ...init, access })
}

/** The roster is as the cluster is from now on. As above for what is loaded. */
async function followCluster(
  { kubernetes: access }: AggregatorConfig,
  init: Omit<RosterInit, 'access'>,
  mesh: MeshNode,
  service: AggregatorService,
): Promise<RosterSync | undefined> {
  if (access === undefined) return undefined
  const { followNodes } = await import('./kubernetes/roster/run.ts')
  const { advance } = mesh
  const sync = await followNodes(
    { ...init, access },
    {
      get roster() {
        return mesh.roster
      },
      live: () => service.live(),
      advance,
    },
  )
  service.followCluster(sync)
  return sync
}

/** Of one subject the first, which is that on record. */
function withoutDoubles(verdicts: readonly Standing[]): readonly Standing[] {
  return [...new Map(verdicts.toReversed().map((verdict) => [verdict.subject, verdict])).values()]
}

/** Recorded before it is used: two lives of an aggregator never ask under the same term. */
function nextTerm(store: Store): number {
  const term = Number(store.readFact('term') ?? 0) + 1
  store.writeFact('term', String(term))
  return term
}

/**
 * The operator's file, as it would be taken while running. One that would be refused, `refused` says why, leaves those in
 * force that were: a mistake in a file must not keep an aggregator from coming back. Throws where there were none yet.
 */
function settingsToStart(
  store: Store,
  readFile: () => SettingsDocument,
  check: (document: SettingsDocument) => unknown,
): { readonly document: SettingsDocument; readonly refused: string | null } {
  const fact = store.readFact(SETTINGS_FACT)
  const last = fact === null ? null : validateSettings(JSON.parse(fact), 'the settings in force before', registries)
  try {
    const document = readFile()
    check(document)
    if (last !== null && JSON.stringify(document) !== JSON.stringify(last)) requireNewer(document, last.version + 1)
    return { document, refused: null }
  } catch (error) {
    if (last === null) throw error
    return { document: last, refused: messageOf(error) }
  }
}

/** Throws a UsageError below `version`: the agents, which keep the highest they have seen, would refuse it. */
function requireNewer(document: SettingsDocument, version: number): void {
  if (document.version >= version) return
  throw new UsageError(`settings version ${document.version} is too low`, `raise version to at least ${version}`)
}

function signFor(document: SettingsDocument, keys: KeyPair): Uint8Array {
  const bytes = encodeSettings(signSettings(document, (content) => keys.sign(content)))
  if (bytes.length <= NOTE_BYTES_MAX) return bytes
  throw new UsageError(`the settings take ${bytes.length} bytes, more than the ${NOTE_BYTES_MAX} that fit one note`)
}
