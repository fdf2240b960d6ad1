/** Runs a scenario on a simulated mesh, and says what came of it. */
import { ringOf } from '../../core/ring.ts'
import { DEFAULT_TIMING } from '../../core/timing.ts'
import { LEADER, type Record, World } from '../world.ts'
import type { MeshFaults } from './faults.ts'
import type { Detection } from './history.ts'
import { InvariantBroken, Invariants } from './invariants.ts'
import { Ledger } from './ledger.ts'
import { Liars } from './liars.ts'
import { judge, requirementsOf } from './outcome.ts'
import type { Scenario } from './schema.ts'
import { Staging } from './staging.ts'
import { P99_SAMPLES_MIN, quantile, rateBound95 } from './statistics.ts'

export interface RunOptions {
  readonly scenario: Scenario
  readonly nodes: number
  readonly seed: number
  readonly minutes: number
  /** Told the share of the run that is over, about once a simulated second. */
  onProgress?(share: number): void
}

/** Durations in ms unless a name says otherwise. */
export interface RunResult {
  readonly scenario: string
  readonly nodes: number
  readonly seed: number
  readonly minutes: number
  readonly met: boolean
  /** Why the required outcome was not met. */
  readonly reasons: readonly string[]
  readonly broken?: { readonly invariant: string; readonly node: string; readonly atMs: number; readonly seen: string }
  /** Hosts that had to be found, and how many were. */
  readonly kills: number
  readonly found: number
  readonly detection: { readonly p50?: number; readonly p99?: number; readonly worst?: number }
  readonly detections: readonly Detection[]
  readonly falseVerdicts: readonly string[]
  readonly wrongAccusations: number
  readonly nodeHours: number
  readonly exposedNodeHours: number
  /** False verdicts an exposed node-hour, 95 % bound; null when nothing was exposed. */
  readonly falseVerdictBound: number | null
  /** At index n: nodes against which n votes at a time were the most while nothing was wrong with them. */
  readonly votesAgainstHealthy: readonly number[]
  /** How often the leader gave each kind of notice, and how many verdicts of each kind there were. */
  readonly incidents: Readonly<{ [kind: string]: number }>
  readonly messagesPerMemberSecond: number
  /** When what happened, for people: at most so many as fit a page. */
  readonly moments: readonly Moment[]
}

export interface Moment {
  readonly atMs: number
  readonly what: string
}

const LOOK_EVERY_MS = 1_000
const MOMENTS_MAX = 400
/** Notices that people see. */
const TOLD = ['agentDown', 'agentUp', 'recovered', 'isolated', 'linkFault', 'observerFault', 'blind', 'brake', 'left']

/** Throws RangeError for a scenario that does not fit a mesh of this size. */
export function runScenario({ scenario, nodes, seed, minutes, onProgress }: RunOptions): RunResult {
  const timing = scenario.timing ?? DEFAULT_TIMING
  const moments: Moment[] = []
  let staged: { readonly invariants: Invariants; readonly ledger: Ledger } | undefined
  const liars: Liars = new Liars(() => ({
    epoch: world.roster.epoch,
    term: world.term,
    accusationTtlMs: timing.accusationTtlMs,
    positionOf: (node) => world.roster.members.findIndex((member) => member.node === node),
    lifeOf: (node) => world.core(node).incarnation,
    subjectsOf: (node) => ringOf(world.roster).subjectsOf(node),
  }))
  const hasLiars = scenario.faults.some(({ fault }) => fault === 'lie')
  const world: World = new World({
    nodes,
    zones: scenario.zones,
    seed,
    timing,
    heartbeats: scenario.heartbeats,
    onRecord: (record) => {
      note(moments, record)
      staged?.invariants.recorded(record)
    },
    onHeard: (signed) => staged?.ledger.heard(signed),
    ...(hasLiars ? { tamper: liars.tamper } : {}),
  })
  const { agenda } = world.stage
  agenda.runUntil(scenario.warmUp)
  const startedAt = agenda.now
  const messagesBefore = world.messages
  const bounds = new Map(requirementsOf(scenario).map(({ who, as, atMost }) => [`${who} ${as}`, atMost]))
  const staging = new Staging({
    scenario,
    stage: world.stage,
    seed,
    roll: world.roster.members,
    leader: LEADER,
    mesh: meshFaults(world, liars),
    observersOf: (subject) => ringOf(world.roster).observersOf(subject),
    began: (episode) => {
      const { node, fault, state, from } = episode
      moments.push({ atMs: from, what: `${fault}${state === undefined ? '' : ` ${state}`} ${node}` })
      if (fault === 'hostPause' || state === 'down') staged?.invariants.silent(episode)
      const bound = state === 'down' ? bounds.get(`${episode.group} NodeDown`) : undefined
      if (bound !== undefined) staged?.invariants.mustBeMarked(episode, bound)
    },
  })
  const invariants = new Invariants(world, staging, timing)
  const ledger = new Ledger(world, staging)
  staged = { invariants, ledger }
  const endsAt = startedAt + minutes * 60_000
  let broken: InvariantBroken | undefined
  try {
    while (agenda.now < endsAt) {
      agenda.runUntil(Math.min(endsAt, agenda.now + LOOK_EVERY_MS))
      ledger.look()
      invariants.look()
      onProgress?.((agenda.now - startedAt) / (endsAt - startedAt))
    }
  } catch (error) {
    if (!(error instanceof InvariantBroken)) throw error
    broken = error
  }
  const judged = judge(scenario, staging, world.records, agenda.now)
  const took = judged.detections.flatMap(({ tookMs }) => (tookMs === undefined ? [] : [tookMs]))
  // One that the scenario would let pass may still be about a host that answers.
  const wrongly = broken?.rule === 'truth' ? [broken.node] : []
  const falseVerdicts = judged.falseVerdicts.length > 0 ? judged.falseVerdicts : wrongly
  const { exposedHours } = ledger
  return {
    scenario: scenario.name,
    nodes,
    seed,
    minutes,
    met: broken === undefined && judged.reasons.length === 0,
    reasons: judged.reasons,
    ...(broken === undefined ? {} : { broken: pick(broken, startedAt) }),
    kills: judged.detections.length,
    found: took.length,
    detection: {
      ...(took.length === 0 ? {} : { p50: quantile(took, 0.5), worst: Math.max(...took) }),
      ...(took.length < P99_SAMPLES_MIN ? {} : { p99: quantile(took, 0.99) }),
    },
    detections: judged.detections,
    falseVerdicts,
    wrongAccusations: ledger.wrongAccusations,
    nodeHours: ledger.nodeHours,
    exposedNodeHours: exposedHours,
    falseVerdictBound: exposedHours > 0 ? rateBound95(falseVerdicts.length, exposedHours) : null,
    votesAgainstHealthy: ledger.votesHistogram,
    incidents: incidentsIn(world.records),
    messagesPerMemberSecond: (world.messages - messagesBefore) / nodes / Math.max(1, (agenda.now - startedAt) / 1_000),
    moments: moments.map(({ atMs, what }) => ({ atMs: atMs - startedAt, what })).slice(0, MOMENTS_MAX),
  }
}

function pick({ invariant, node, atMs, seen }: InvariantBroken, startedAt: number): NonNullable<RunResult['broken']> {
  return { invariant, node, atMs: atMs - startedAt, seen }
}

function meshFaults(world: World, liars: Liars): MeshFaults {
  return {
    leave: (node, saidMs) => world.leave(node, 'an update', saidMs),
    churn: (nodes) => {
      const kept = world.roster.members.map(({ node }) => node).filter((node) => !nodes.includes(node))
      const first = 1 + Math.max(...[...world.stage.machines.keys()].map((node) => Number(node.split('-')[1] ?? 0)))
      world.advance([...kept, ...nodes.map((_, index) => `node-${first + index}`)])
      // The autoscaler ends the machines when they are out of the roster.
      for (const node of nodes) if (world.stage.machine(node).host === 'up') world.stage.setHost(node, 'down')
    },
    lie: (nodes, lie, about) => liars.begin(nodes, { lie, about }),
  }
}

function note(moments: Moment[], record: Record): void {
  if (record.kind === 'commit') {
    const { kind, subject } = record.certificate
    moments.push({ atMs: record.at, what: `marked ${kind} ${subject}` })
  } else if (TOLD.includes(record.notice.kind)) moments.push({ atMs: record.at, what: wordsOf(record.notice) })
}

function wordsOf(notice: Extract<Record, { kind: 'notice' }>['notice']): string {
  const subject = 'subject' in notice ? notice.subject : 'verdict' in notice ? notice.verdict.subject : ''
  const end = 'open' in notice && !notice.open ? ' ended' : ''
  return notice.kind === 'brake' ? `${notice.change.kind}: ${notice.change.why}` : `${notice.kind} ${subject}${end}`
}

function incidentsIn(records: readonly Record[]): Readonly<{ [kind: string]: number }> {
  const counts: { [kind: string]: number } = {}
  for (const record of records) {
    const kind = record.kind === 'commit' ? `marked ${record.certificate.kind}` : record.notice.kind
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}
