/** The aggregator, put together: identity, history, mesh, settings, HTTP, and the cluster if there is one. */
import { fileURLToPath } from 'node:url'
import { messageOf, StarlingError } from '../common/errors.ts'
import { parseListen } from '../common/listen.ts'
import type { Logger } from '../common/pino-log.ts'
import type { SignedStatement } from '../mesh/core/model.ts'
import { keepRoster, loadIdentity, writeRoster } from '../mesh/identity/identity-dir.ts'
import { publicKeyOfPeer, verifierOf } from '../mesh/identity/keys.ts'
import { startMeshNode } from '../mesh/libp2p/mesh-node.ts'
import { Questions } from '../mesh/libp2p/questions.ts'
import packageJson from '../package.json' with { type: 'json' }
import { PluginShelf } from '../plugins/shelf.ts'
import { readGuards } from '../remediators/guards/settings.ts'
import { readMarking } from '../settings/marking.ts'
import { decodeAnnouncement, SETTINGS_TOPIC } from '../settings/notes.ts'
import { rulesOf } from '../settings/rules.ts'
import { Sealing } from './audit/sealing.ts'
import type { AggregatorConfig } from './config.ts'
import { damageNotice, openJournalOrNew } from './history/damage.ts'
import { callersOf } from './http/auth.ts'
import { storeName } from './http/cursor.ts'
import { createHttpServer, listenHttp } from './http/server.ts'
import { Intake } from './intake.ts'
import { Leadership } from './leadership.ts'
import { NO_CLUSTER } from './measures/pod-labels.ts'
import { createMemory } from './memory.ts'
import { createAggregatorMetrics } from './metrics.ts'
import { createNodeDesks } from './node-desks.ts'
import { PeopleFile } from './people-file.ts'
import { createAlertmanager } from './permits/alerts.ts'
import { createFactBook } from './permits/book-store.ts'
import { meshNow } from './permits/mesh-now.ts'
import { Permits } from './permits/permits.ts'
import { PoolFacts } from './pool-facts.ts'
import { AggregatorService } from './service.ts'
import { SettingsInForce } from './settings-in-force.ts'
import { watchWrites } from './store/write-watch.ts'
import { readOrMakeToken } from './token.ts'
import { connectCluster, connectPodLabels, connectRecord, followCluster, showObjects } from './with-cluster.ts'

/** Nodes repeat what they have said within seconds; what one has not by then, it does not mean any more. */
const SETTLED_MS = 15_000

const WEB_ROOT = fileURLToPath(new URL('./web/dist', import.meta.url))

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
  const { roster, incarnation } = identity
  let { rosterBytes } = identity
  const { keys } = identity
  const signer = { mesh: roster.mesh, node, peerId: keys.peerId, sign: keys.sign }
  const store = watchWrites(openJournalOrNew(config.store, log), log)
  const shelf = await PluginShelf.load(config.plugins, log)
  // Checked before anything runs, as is their size.
  const settings = new SettingsInForce({
    file: config.settings,
    mesh: meshConfig.id,
    store,
    keys,
    verify: (bytes, signature) => {
      return service.roster.aggregators.some(({ peerId }) => verifierOf(publicKeyOfPeer(peerId))(bytes, signature))
    },
    registries: () => shelf.registries,
    log,
  })
  const { version } = packageJson
  const known = new PeopleFile(config.people, log)
  const people = () => known.people
  const service = new AggregatorService({
    store,
    roster,
    node,
    life: incarnation.boot,
    version,
    notice: () => [config.notice, damageNotice(store, Date.now())].filter(Boolean).join('\n').slice(0, 500),
    people,
    log,
    copies: () => memory.copies(),
    keepRoster: (hash) => keepRoster(stateDir, hash, rosterBytes),
  })
  const metrics = createAggregatorMetrics(() => service.present())
  const kubernetes = await connectCluster(config, {
    story: service.recorder.marks,
    metrics,
    log,
    marking: () => readMarking(settings.document.marking),
    findingsOf: (name) => service.findingsOf(name),
    verdictOf: (id) => service.verdicts.of(id),
  })
  const permitsCluster = await connectRecord(config, metrics)
  const permits = new Permits({
    store: permitsCluster?.store ?? createFactBook(store),
    story: service.recorder.permits,
    cluster: permitsCluster?.cluster,
    alerts: config.alertmanager === undefined ? undefined : createAlertmanager(config.alertmanager.url),
    term: () => leadership.term,
    guards: () => readGuards(settings.document.guards),
    people,
    settled: (name) => {
      const member = service.roster.members.find((one) => one.node === name)
      if (member === undefined) return []
      return settings.documentsFor(member).map((document) => {
        return { version: document.version, rules: rulesOf(document, member, shelf.registries.remediators) }
      })
    },
    metrics,
    log,
  })
  const leadership = new Leadership({ store, service, settings, permits, kubernetes, log })
  const desks = createNodeDesks()
  const questions = new Questions()
  const podLabels = await connectPodLabels(config, () => leadership.leads)
  const memory = createMemory({
    node,
    config,
    journal: store,
    service,
    settings: () => settings.document,
    leads: () => leadership.leads,
    pods: podLabels?.labels ?? NO_CLUSTER,
    questions,
    signer,
    registry: metrics.registry,
    log,
  })
  // HTTP first: a taken port must be known before a second leader speaks up in the mesh.
  const http = createHttpServer({
    port: service,
    storeName: storeName(store, node),
    past: memory.past,
    version,
    desks,
    trail: store.trail,
    callers: callersOf(token, people),
    webRoot: WEB_ROOT,
    registerMore: memory.registerRoutes,
    metrics: () => metrics.registry.metrics(),
    log,
  })
  const listen = parseListen(meshConfig.listen[0] ?? 'tcp/7790')
  const pools = new PoolFacts()
  const intake = new Intake({
    together: (work) => service.recorder.together(work),
    hear: (signed) => service.hear(signed),
    heard: (signed) => {
      permits.heardOf(signed)
      pools.hear(signed)
      kubernetes?.heard(signed.statement.signer)
    },
    log,
  })
  const hear = (signed: SignedStatement) => {
    try {
      // Of the moment: it is no event, and not kept for a later life.
      if (desks.usage.hear(signed) || desks.recordings.hear(signed) || permits.hear(signed)) return
      const { signer, body } = signed.statement
      if (body.kind === 'note' && body.topic === SETTINGS_TOPIC) hearSettings(signer, body.bytes)
      intake.take(signed)
    } catch (error) {
      log.warn({ from: signed.statement.signer, err: messageOf(error) }, 'note dropped')
    }
  }
  const hearSettings = (signer: string, bytes: Uint8Array) => {
    if (service.roster.aggregators.some((one) => one.node === signer)) settings.hear(decodeAnnouncement(bytes))
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
    aggregator: { saidBefore: service.saidBefore(), onReach: leadership.reach, onCalled: leadership.called },
    ...(kubernetes === undefined ? {} : { heartbeats: kubernetes.heartbeats }),
    onStatement: hear,
    onAsked: questions.answer,
    onDocument: (_, bytes) => settings.take(bytes),
    onCommit: (certificate) => {
      intake.flush()
      service.commit(certificate)
      metrics.verdict(certificate.kind)
      kubernetes?.committed(certificate)
      permits.look()
    },
    onNotice: (notice) => {
      intake.flush()
      service.notice(notice)
      metrics.notice(notice)
      kubernetes?.notice(notice)
    },
    onTraffic: metrics.traffic,
  }).catch(async (cause: unknown) => {
    permitsCluster?.close()
    podLabels?.stop()
    await Promise.all([http.close(), kubernetes?.stop()])
    throw new StarlingError(`the mesh cannot listen on ${listen.host}:${listen.port}: ${messageOf(cause)}`, {
      remedy: 'set mesh.listen to a free port, or STARLING_MESH_LISTEN',
      cause,
    })
  })
  const sealing = new Sealing({ trail: store.trail, signer, log })
  service.subscribe((event) => event && sealing.stored())
  service.subscribe((event) => event && settings.recorded(event))
  service.subscribe((event) => event && metrics.event(event.kind))
  service.start(mesh, leadership, settings, permits)
  memory.start(mesh)
  permits.start({
    mesh: () => {
      const { leader, roster } = mesh
      return leader && meshNow({ leader, roster, findings: service.findings() })
    },
    ledForMs: () => leadership.ledForMs,
    isMember: (name) => mesh.roster.members.some((member) => member.node === name),
    publish: mesh.publish,
    said: (planId) => service.fleet.said(planId),
    allSaid: () => service.fleet.allSaid(),
  })
  desks.usage.start(mesh.publish)
  desks.recordings.start(mesh.publish)
  settings.start({
    story: service.recorder.settings,
    holds: service.recorder.holds,
    leads: () => leadership.leads,
    publish: mesh.publish,
    exchange: mesh.exchange,
    members: () => service.roster.members,
    nodesSeen: () => service.nodesSeen(),
    applied: () => service.fleet.applied,
  })
  const stopWatching = shelf.watch(() => settings.readAgain())
  pools.start({
    leads: () => leadership.leads,
    get roster() {
      return mesh.roster
    },
    publish: mesh.publish,
  })
  leadership.start({ node, mesh, namespace: config.kubernetes?.namespace })
  const rosterSync = await followCluster(config, kubernetes, mesh, service, { stateDir, identity, store, metrics, log })
  const objects = await showObjects(config, metrics, log, {
    leads: () => mesh.leader !== undefined && leadership.term !== undefined,
    isSettled: () => leadership.ledForMs >= SETTLED_MS,
    isOn: () => settings.document.approvals?.byObject === true,
    all: () => service.fleet.allSaid().map(({ remediation }) => remediation),
    decide: (request, by) => service.decide(request, by),
  })
  const stopShowing = service.subscribe(() => objects?.look())
  log.info({ url, mesh: roster.mesh }, 'aggregator started')
  return {
    node,
    url,
    token,
    stop: async () => {
      stopWatching()
      known.stop()
      settings.stop()
      pools.stop()
      permits.stop()
      leadership.stop()
      await memory.stop()
      podLabels?.stop()
      rosterSync?.stop()
      stopShowing()
      objects?.stop()
      // The Lease is given up while the mesh still runs: what was sent under it is over by then.
      await kubernetes?.stop()
      permitsCluster?.close()
      await Promise.all([http.close(), mesh.stop()])
      intake.flush()
      sealing.stop()
      store.close()
    },
  }
}
