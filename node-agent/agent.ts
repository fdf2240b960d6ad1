/**
 * The agent of one node, put together: mesh, detectors and remediators wired to this host. What a detector finds goes to
 * the mesh and to the remediators; what people decide comes back. No rules of its own.
 */
import { hostname } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import { messageOf, StarlingError, UsageError } from '../common/errors.ts'
import { parseListen } from '../common/listen.ts'
import type { Logger } from '../common/pino-log.ts'
import type { NodeTraits } from '../common/selector.ts'
import type { Finding } from '../detectors/contract.ts'
import { type DetectorReport, startDetectors } from '../detectors/engine/engine.ts'
import { MAJORITIES_TOPIC } from '../detectors/engine/facts-note.ts'
import { openTrackStore } from '../detectors/engine/store.ts'
import { createHost } from '../detectors/host/host.ts'
import { builtinDetectors } from '../detectors/index.ts'
import {
  decodeRecordingAsk,
  encodeRecordingTold,
  isRecordingAsk,
  RECORDING_TOPIC,
  RECORDING_TTL_MS,
} from '../detectors/recording/notes.ts'
import { answerUsage } from '../detectors/usage/answer.ts'
import { withUsage } from '../detectors/usage/evidence.ts'
import { startUsageMeter } from '../detectors/usage/meter.ts'
import {
  decodeAsk,
  encodeTold,
  isAskTopic,
  USAGE_TOPIC,
  USAGE_TTL_MS,
  usageQuerySchema,
} from '../detectors/usage/notes.ts'
import { MEASURES_TOPIC } from '../inspection/measure-words.ts'
import { INSPECTION_TOPIC } from '../inspection/row-codec.ts'
import { LEAVE_MS_MAX, type SignedStatement } from '../mesh/core/model.ts'
import { loadIdentity, writeRoster } from '../mesh/identity/identity-dir.ts'
import { publicKeyOfPeer, verifierOf } from '../mesh/identity/keys.ts'
import { answerConvergecasts } from '../mesh/libp2p/convergecast.ts'
import { startMeshNode } from '../mesh/libp2p/mesh-node.ts'
import { Questions } from '../mesh/libp2p/questions.ts'
import { ROW_BYTES_MAX } from '../mesh/wire/convergecast.ts'
import packageJson from '../package.json' with { type: 'json' }
import { PluginShelf } from '../plugins/shelf.ts'
import { createCollector } from '../remediators/diagnostics.ts'
import { noHands } from '../remediators/hands.ts'
import { builtinRemediators } from '../remediators/index.ts'
import { readPolicies } from '../remediators/policy/schema.ts'
import { type RemediationRoom, type RuleSettings, startRemediation } from '../remediators/run.ts'
import { APPLIED_TOPIC, decodeAnnouncement, encodeApplied, SETTINGS_TOPIC } from '../settings/notes.ts'
import { settingsFor } from '../settings/overrides.ts'
import { ownSettings } from '../settings/validate.ts'
import type { AgentConfig } from './config.ts'
import { contestFindings } from './contest-findings.ts'
import { FixNotes } from './fix-notes.ts'
import { fixerOf } from './fixer-of.ts'
import { startHealthServer } from './health-server.ts'
import { inspectionRow } from './inspection-row.ts'
import { answerMeasures, startMeasures } from './measures/run.ts'
import { createAgentMetrics } from './metrics.ts'
import { Neighbours } from './neighbours.ts'
import { answerOutbox } from './outbox/answer.ts'
import { Outbox } from './outbox/outbox.ts'
import { PluginRoom } from './plugin-room.ts'
import { PoolView } from './pool-view.ts'
import { NOTE_TTL_MS, Publisher } from './publisher.ts'
import { Recorder } from './recorder.ts'
import { settingsFinding } from './settings-finding.ts'
import { SettingsKeeper } from './settings-keeper.ts'
import { type ShedOf, shedFinding } from './shed-finding.ts'
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

  const { serial } = enrolment
  const { sign } = identity.keys
  const wallNow = () => Date.now()
  const outbox = new Outbox({ stateDir, node, serial, mesh: meshConfig.id, sign, ...config.outbox, wallNow, log })
  const publisher = new Publisher(outbox)
  const pool = new PoolView(node, publisher)
  const metrics = createAgentMetrics(() => publisher.mesh, outbox)
  const shelf = await PluginShelf.load(config.plugins, log)
  const inRoster = () => publisher.mesh?.roster ?? roster
  /** This node as the roster has it; one that is not in it is as it was enrolled. */
  const place = (): NodeTraits => inRoster().members.find((one) => one.node === node) ?? enrolment
  const aggregators = () => inRoster().aggregators
  const nodes = () => [...inRoster().members, ...aggregators()].map((member) => member.node)
  const keeper = await SettingsKeeper.load({
    stateDir,
    mesh: meshConfig.id,
    registries: () => shelf.registries,
    verify: (bytes, signature) =>
      aggregators().some(({ peerId }) => verifierOf(publicKeyOfPeer(peerId))(bytes, signature)),
    place,
    log,
  })
  let inForce = settingsFor(keeper.document ?? {}, place())
  const remediators = [...builtinRemediators, ...shelf.remediators]
  const stopping = new AbortController()
  let remediation: RemediationRoom | undefined
  const fixer = fixerOf(config, log)
  const fixNotes = new FixNotes(node, publisher, log, fixer)
  const neighbours = new Neighbours(publisher)
  const fixSettings = (): RuleSettings => ({
    traits: place(),
    remediators: ownSettings(inForce.remediators, remediators),
    policies: readPolicies(keeper.document?.policies),
  })
  const memoryOf = async (file: 'detectors' | 'plugins') => {
    const tracks = await openTrackStore(stateDir, node, log, file)
    return { kept: await tracks.load(), save: tracks.save }
  }
  const host = createHost({
    node,
    root: config.host.root,
    peerOffsets: () => publisher.peerOffsets(),
    peerLinks: () => publisher.peerLinks(node),
    majority: (fact, own) => pool.majority(fact, own),
  })
  const usage = startUsageMeter({ host, signal: stopping.signal, log })
  const measures = await startMeasures({ host, usage, stateDir, signal: stopping.signal, log })
  /** Findings by detector, for neighbours, and for what is gathered before a fix. */
  const latest = new Map<string, readonly Finding[]>()
  const onReport = (report: DetectorReport) => {
    latest.set(report.detector, report.findings)
    metrics.report(report.detector, report.findings)
    void remediation?.onReport(report)
    publisher.report({ ...report, findings: withUsage(report.findings, usage) })
  }
  let shed: ShedOf = { builtin: [], plugins: [] }
  const reportShed = (changed: Partial<ShedOf>) => {
    shed = { ...shed, ...changed }
    publisher.reportOwn(shedFinding({ node, shed, at: new Date().toISOString(), ttlMs: NOTE_TTL_MS }))
  }
  const detectors = startDetectors({
    host,
    detectors: builtinDetectors,
    version: packageJson.version,
    options: ownSettings(inForce.detectors, builtinDetectors),
    onReport,
    onLook: metrics.look,
    onShed: (shed) => reportShed({ builtin: shed }),
    memory: await memoryOf('detectors'),
    signal: stopping.signal,
    log,
  })
  const plugins = new PluginRoom({
    shelf,
    host,
    settings: () => inForce.detectors,
    onLoaded: (first, ...others) => publisher.reportOwn(first, ...others),
    onReport,
    onLook: metrics.look,
    onShed: (shed) => reportShed({ plugins: shed }),
    memory: await memoryOf('plugins'),
    log,
  })
  remediation = await startRemediation({
    node,
    stateDir,
    host,
    root: config.host.root,
    remediators,
    settings: fixSettings(),
    verify: (detector) => (plugins.has(detector) ? plugins : detectors).runNow(detector),
    announce: (change) => fixNotes.announce(change),
    ask: (request) => fixNotes.ask(request),
    around: () => ({ isLed: fixNotes.isLed, neighbours: neighbours.faults(performance.now()) }),
    onContests: (contests) => {
      const at = new Date().toISOString()
      publisher.reportOwn(...contestFindings({ node, contests, at, ttlMs: NOTE_TTL_MS }))
    },
    collect: createCollector({
      stateDir,
      host,
      names: [node, hostname()],
      others: () => nodes().filter((name) => name !== node),
      about: ({ detector, findingId }) => {
        const finding = latest.get(detector)?.find(({ id }) => id === findingId)
        return { ...(finding === undefined ? {} : { finding }), votes: publisher.votes() }
      },
    }),
    ...(config.fixer === 'here' ? {} : { hands: fixer ?? noHands }),
    log,
  })

  const recorder = new Recorder({
    isAllowed: config.recordings === 'allow',
    host,
    detectors: () => shelf.registries.detectors,
    glimpse: (detector, through) => (plugins.has(detector) ? plugins : detectors).glimpse(detector, through),
    nodes,
    log,
  })

  const announceSettings = () => {
    const { applied } = keeper
    metrics.settings(applied.version)
    publisher.publishLasting(APPLIED_TOPIC, encodeApplied(applied))
    const rejected = keeper.rejected?.why ?? null
    const at = new Date().toISOString()
    publisher.reportOwn(settingsFinding({ node, version: applied.version, rejected, at, ttlMs: NOTE_TTL_MS }))
  }
  /** What this node is to run may have become another: there are other settings, or the roster places it elsewhere. */
  const settle = () => {
    const settled = keeper.settle()
    publisher.mesh?.exchange(keeper.holds, keeper.seeks)
    const next = settingsFor(keeper.document ?? {}, place())
    if (!isDeepStrictEqual(next, inForce)) {
      inForce = next
      detectors.reconfigure(ownSettings(next.detectors, builtinDetectors))
      plugins.reconfigure()
    }
    remediation.reconfigure(fixSettings())
    if (settled !== 'as-before') announceSettings()
  }
  const verdicts = new VerdictLog(log)
  const hear = async (signed: SignedStatement) => {
    const { signer, body } = signed.statement
    if (neighbours.hear(signed, performance.now())) return
    // Verdicts, settings and decisions are the aggregator's to give; of another node they are nothing to us.
    if (!aggregators().some((aggregator) => aggregator.node === signer)) return
    if (body.kind === 'down') verdicts.hear(body)
    if (body.kind !== 'note') return
    if (body.topic === SETTINGS_TOPIC) {
      keeper.hear(decodeAnnouncement(body.bytes))
      settle()
    } else if (body.topic === MAJORITIES_TOPIC) {
      pool.hear(body.bytes)
    } else if (fixNotes.hear(remediation, signed)) {
      return
    } else if (isAskTopic(body.topic)) {
      const { id, node: asked, query } = decodeAsk(body.bytes)
      if (asked !== node) return
      publisher.publish(USAGE_TOPIC, encodeTold({ id, answer: answerUsage(node, usage, query) }), USAGE_TTL_MS)
    } else if (isRecordingAsk(body.topic)) {
      const { id, node: asked, query } = decodeRecordingAsk(body.bytes)
      if (asked !== node) return
      const answer = await recorder.answer(signer, query.detector)
      publisher.publish(RECORDING_TOPIC, encodeRecordingTold({ id, answer }), RECORDING_TTL_MS)
    }
  }

  const questions = new Questions()
  const mayAsk = (asker: string) => aggregators().some((one) => one.node === asker)
  answerOutbox(questions, outbox, mayAsk)
  answerMeasures(questions, measures, mayAsk)
  answerConvergecasts({
    node,
    questions,
    mesh: () => publisher.mesh,
    rows: {
      [INSPECTION_TOPIC]: inspectionRow({
        engines: [detectors, plugins],
        latest: () => [...latest, ...publisher.own],
        measures: measures.now,
      }),
      [MEASURES_TOPIC]: (question) => measures.answer(question, ROW_BYTES_MAX),
    },
    onFailed: (topic, error) => log.warn({ topic, err: messageOf(error) }, 'no row to give'),
  })
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
    onAsked: questions.answer,
    onRoster: (bytes) => writeRoster(stateDir, bytes),
    onDocument: (digest, bytes) => {
      keeper.take(digest, bytes)
      settle()
    },
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
  mesh.exchange(keeper.holds, keeper.seeks)
  let placed = mesh.roster
  const watching = setInterval(() => {
    publisher.watching()
    publisher.renew()
    if (placed !== mesh.roster) settle()
    placed = mesh.roster
    pool.tell(performance.now())
    neighbours.tell([...latest.values()].flat(), performance.now())
  }, WATCHING_EVERY_MS)
  const stopHealth = await startHealthServer({
    ...config.metrics,
    metrics: () => metrics.registry.metrics(),
    usage: (asked) => answerUsage(node, usage, usageQuerySchema.parse(Object.fromEntries(asked))),
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
        measures.stopped,
        plugins.stop(),
        mesh.stop({ reason: 'stopped', forMs: LEAVE_MS_MAX }),
      ])
      host.close()
    },
  }
}
