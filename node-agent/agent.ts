/**
 * The agent of one node, put together: mesh, detectors and remediators wired to this host. What a detector finds goes to
 * the mesh and to the remediators; what the aggregator permits comes back. No rules of its own.
 */
import { messageOf, StarlingError, UsageError } from '../common/errors.ts'
import { parseListen } from '../common/listen.ts'
import type { Logger } from '../common/pino-log.ts'
import { type DetectorReport, startDetectors } from '../detectors/engine/engine.ts'
import { openTrackStore } from '../detectors/engine/store.ts'
import { createHost } from '../detectors/host/host.ts'
import { builtinDetectors } from '../detectors/index.ts'
import { LEAVE_MS_MAX, type SignedStatement } from '../mesh/core/model.ts'
import { type LoadedIdentity, loadIdentity, writeRoster } from '../mesh/identity/identity-dir.ts'
import { publicKeyOfPeer, verifierOf } from '../mesh/identity/keys.ts'
import { startMeshNode } from '../mesh/libp2p/mesh-node.ts'
import packageJson from '../package.json' with { type: 'json' }
import { PluginShelf } from '../plugins/shelf.ts'
import { builtinRemediators } from '../remediators/index.ts'
import { decodePermit, encodeNote, isPermitTopic, remediationTopic } from '../remediators/notes.ts'
import { type RemediationRoom, startRemediation } from '../remediators/run.ts'
import { APPLIED_TOPIC, encodeApplied, SETTINGS_TOPIC } from '../settings/notes.ts'
import { ownSettings } from '../settings/validate.ts'
import type { AgentConfig } from './config.ts'
import { startHealthServer } from './health-server.ts'
import { createAgentMetrics } from './metrics.ts'
import { PluginRoom } from './plugin-room.ts'
import { NOTE_TTL_MS, Publisher } from './publisher.ts'
import { settingsFinding } from './settings-finding.ts'
import { SettingsKeeper } from './settings-keeper.ts'
import { shedFinding } from './shed-finding.ts'
import { VerdictLog } from './verdict-log.ts'

/** How soon a change in which subjects are covered is told: about a beat. */
const WATCHING_EVERY_MS = 1_000

export interface RunningAgent {
  readonly node: string
  stop(): Promise<void>
}

/** Throws StarlingError (UsageError for what the person wrote) when something it needs is missing or taken. */
export async function startAgent(config: AgentConfig, log: Logger): Promise<RunningAgent> {
  const { stateDir, mesh: meshConfig } = config
  const identity = await loadIdentity(stateDir, config.trust.ca, meshConfig.id).catch((cause: unknown) => {
    throw new StarlingError(messageOf(cause), { remedy: `enrol this node: ${stateDir} must hold its identity`, cause })
  })
  const { enrolment, roster } = identity
  const { node } = enrolment
  const named = config.node.name === 'auto' ? node : config.node.name
  if (named !== node) throw new UsageError(`node.name is ${named}, but the certificate in ${stateDir} is of ${node}`)

  const publisher = new Publisher()
  const metrics = createAgentMetrics(() => publisher.mesh)
  const shelf = await PluginShelf.load(config.plugins, log)
  const keeper = await loadSettingsKeeper(identity, config, shelf, log)
  const remediators = [...builtinRemediators, ...shelf.remediators]
  const stopping = new AbortController()
  let remediation: RemediationRoom | undefined
  const tracks = await openTrackStore(stateDir, node, log)
  const host = createHost({ node, root: config.host.root, peerOffsets: () => publisher.peerOffsets() })
  const onReport = (report: DetectorReport) => {
    metrics.report(report.detector, report.findings)
    void remediation?.onReport(report)
    publisher.report(report)
  }
  const detectors = startDetectors({
    host,
    detectors: builtinDetectors,
    version: packageJson.version,
    options: ownSettings(keeper.document?.detectors, builtinDetectors),
    onReport,
    onLook: metrics.look,
    onShed: (shed) =>
      publisher.reportOwn(shedFinding({ node, shed, at: new Date().toISOString(), ttlMs: NOTE_TTL_MS })),
    memory: { kept: await tracks.load(), save: (known) => tracks.save(known) },
    signal: stopping.signal,
    log,
  })
  const plugins = new PluginRoom({
    shelf,
    host,
    settings: () => keeper.document?.detectors ?? {},
    onReport,
    onLook: metrics.look,
    log,
  })
  remediation = await startRemediation({
    node,
    stateDir,
    root: config.host.root,
    remediators,
    settings: ownSettings(keeper.document?.remediators, remediators),
    verify: (detector) => (plugins.has(detector) ? plugins : detectors).runNow(detector),
    announce: (change) => {
      log.info({ plan: change.plan.id, phase: change.phase, why: change.why }, 'remediation')
      publisher.publish(remediationTopic(change.plan.id), encodeNote(change), NOTE_TTL_MS)
    },
    log,
  })

  const useSettings = () => {
    const { document } = keeper
    if (document === null) return
    detectors.reconfigure(ownSettings(document.detectors, builtinDetectors))
    plugins.reconfigure()
    remediation.reconfigure(ownSettings(document.remediators, remediators))
    announceSettings()
  }
  const announceSettings = () => {
    const version = keeper.document?.version ?? 0
    metrics.settings(version)
    publisher.publish(APPLIED_TOPIC, encodeApplied({ version }), NOTE_TTL_MS)
    const state = { node, version, rejected: keeper.rejected, at: new Date().toISOString(), ttlMs: NOTE_TTL_MS }
    publisher.reportOwn(settingsFinding(state))
  }
  const verdicts = new VerdictLog(log)
  const hear = async ({ statement: { signer, body } }: SignedStatement) => {
    // Verdicts, settings and permits are the aggregator's to give; of another node they are nothing to us.
    if (!roster.aggregators.some((aggregator) => aggregator.node === signer)) return
    if (body.kind === 'down') verdicts.hear(body)
    if (body.kind !== 'note') return
    if (body.topic === SETTINGS_TOPIC) {
      if (await keeper.offer(body.bytes)) useSettings()
      else if (keeper.rejected !== null) announceSettings()
    } else if (isPermitTopic(body.topic)) {
      const permit = decodePermit(body.bytes)
      if (permit.node !== node) return
      const answer = await remediation.onPermit(permit)
      log.info({ permit: permit.id, plan: permit.planId, accepted: answer.accepted, why: answer.why }, 'permit')
    }
  }

  const listen = parseListen(config.mesh.listen[0] ?? 'tcp/7790')
  const mesh = await startMeshNode({
    identity: { ...identity, node },
    roster,
    rosterBytes: identity.rosterBytes,
    listen,
    onStatement: (signed) => {
      hear(signed).catch((error: unknown) =>
        log.warn({ from: signed.statement.signer, err: messageOf(error) }, 'note dropped'),
      )
    },
    onRoster: (bytes) => writeRoster(stateDir, bytes),
    onCommit: () => {},
    onNotice: () => {},
    onTraffic: metrics.traffic,
  }).catch((cause: unknown) => {
    throw new StarlingError(`the mesh cannot listen on ${listen.host}:${listen.port}: ${messageOf(cause)}`, {
      remedy: 'set mesh.listen to a free port, or STARLING_MESH_LISTEN',
      cause,
    })
  })
  publisher.start(mesh)
  announceSettings()
  const watching = setInterval(() => {
    publisher.watching()
    publisher.renew()
  }, WATCHING_EVERY_MS)
  const stopHealth = await startHealthServer({
    ...config.metrics,
    metrics: () => metrics.registry.metrics(),
  })
  log.info({ mesh: roster.mesh, epoch: roster.epoch, peer: identity.keys.peerId }, 'agent started')
  return {
    node,
    stop: async () => {
      clearInterval(watching)
      stopping.abort()
      stopHealth()
      await Promise.all([
        remediation.stop(),
        detectors.stopped,
        plugins.stop(),
        mesh.stop({ reason: 'stopped', forMs: LEAVE_MS_MAX }),
      ])
    },
  }
}

function loadSettingsKeeper(
  identity: LoadedIdentity,
  config: AgentConfig,
  shelf: PluginShelf,
  log: Logger,
): Promise<SettingsKeeper> {
  const verifiers = identity.roster.aggregators.map(({ peerId }) => verifierOf(publicKeyOfPeer(peerId)))
  return SettingsKeeper.load({
    stateDir: config.stateDir,
    mesh: config.mesh.id,
    registries: () => shelf.registries,
    verify: (bytes, signature) => verifiers.some((verify) => verify(bytes, signature)),
    log,
  })
}
