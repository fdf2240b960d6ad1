/**
 * How long from a host's death to its verdict, and until every living agent knows, on real processes: one node after
 * another, each at a random moment of the beat, each back and the mesh whole before the next. The clock runs from the
 * moment the fault is asked for, so staging it (5 ms for a cable, 250 ms on loopback) is in the figure.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { seededRandom } from '../mesh/sim/random.ts'
import { defineBench, type Measurement, type Target } from './bench.ts'
import { eventsAfter, heardAt, lastSeq } from './history.ts'
import type { SerfCluster } from './namespaces/serf.ts'
import { type Stage, setStage } from './stage.ts'
import { median } from './statistics.ts'

/** Of protocol.md section 8 and the mesh's issue. */
const TARGETS = { medianS: 1.8, worstS: 3.5, hungS: 25 + 2, timesSerf: 3.5 }

/** Given up after this; counted as missed. */
const DEATH_WITHIN_MS = 15_000
const HUNG_WITHIN_MS = 60_000
const HEARD_WITHIN_MS = 10_000
const SERF_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 100

/** Events that say somebody is held for dead. */
const ACCUSING = ['suspected', 'candidate', 'verdict'] as const
const HINDERING = ['withheld', 'frozen', 'thawed', 'agent-down'] as const

/** Seconds from the fault; undefined for what did not come in time. */
interface Finding {
  readonly verdict: number | undefined
  /** Until the last of the living agents had heard of it. */
  readonly known: number | undefined
  readonly serfFirst: number | undefined
  readonly serfAll: number | undefined
  /** Accusing events about nodes that were well. */
  readonly wrong: number
  /** What the leader has on record about the fault. */
  readonly told: readonly string[]
}

export const detect = defineBench({
  name: 'detect',
  summary: 'host death to verdict, and until all know, on a mesh of real processes: median and worst',
  options: {
    nodes: { summary: 'size of the mesh', default: 5 },
    kills: { summary: 'how many hosts die, one after another', default: 30 },
    hung: { summary: 'how many hosts hang after that: programs stopped, kernel answering', default: 0 },
    seed: { summary: 'of the victims and the moments', default: 1 },
    staging: { summary: 'namespaces (as root), loopback, or auto', default: 'auto' },
    against: { summary: 'serf, to run it on the same machines', default: '' },
    'http-port': { summary: 'port of the aggregator, on loopback', default: 27780 },
    'mesh-port': { summary: 'port of the mesh, on loopback', default: 27790 },
  },
  async run(options, progress) {
    const { nodes, kills, hung, seed, staging, against } = options
    const random = seededRandom(seed)
    const victims = taking(random)
    progress(`starting ${nodes} agents, seed ${seed}`)
    const ports = { httpPort: options['http-port'], meshPort: options['mesh-port'] }
    const stage = await setStage({ nodes, staging, against, ...ports }, progress)
    try {
      const round = async (name: string, inflict: (node: string) => Promise<void>, withinMs: number) => {
        const victim = victims(stage.nodes)
        await wait(random() * 1_000)
        const finding = await find(stage, victim, inflict, withinMs)
        progress(`${name}: ${victim}, ${describe(finding)}`)
        await stage.revive(victim)
        return finding
      }
      const deaths: Finding[] = []
      const hangs: Finding[] = []
      for (let kill = 1; kill <= kills; kill++)
        deaths.push(await round(`kill ${kill} of ${kills}`, stage.kill, DEATH_WITHIN_MS))
      for (let hang = 1; hang <= hung; hang++)
        hangs.push(await round(`hang ${hang} of ${hung}`, stage.hang, HUNG_WITHIN_MS))
      const fault = hung === 0 ? stage.death : `${stage.death}; hung: programs stopped`
      return { settings: { nodes, kills, hung, seed, fault }, ...report(deaths, hangs, stage.serf !== undefined) }
    } finally {
      await stage.stop()
    }
  },
})

/**
 * Each node in its turn, in a random order: a host that falls silent a third time within ten minutes and comes back with its agent
 * alive has a flapping link rather than a death behind it, and is waited for (docs/protocol.md section 4).
 */
function taking(random: () => number): (nodes: readonly string[]) => string {
  let left: string[] = []
  return (nodes) => {
    if (left.length === 0) left = [...nodes]
    return left.splice(Math.floor(random() * left.length), 1)[0] ?? ''
  }
}

function report(deaths: readonly Finding[], hangs: readonly Finding[], isAgainstSerf: boolean) {
  const all = [...deaths, ...hangs]
  const verdict = figures('verdict', times(deaths, 'verdict'))
  const known = figures('known to all live agents', times(deaths, 'known'))
  const found = { name: 'found', value: times(all, 'verdict').length, unit: 'faults' }
  const told = { name: 'found and known to all', value: times(all, 'known').length, unit: 'faults' }
  const wrongs = all.reduce((sum, { wrong }) => sum + wrong, 0)
  const wrong = { name: 'accusations of nodes that were well', value: wrongs, unit: 'events' }
  const results: Measurement[] = [verdict.median, verdict.worst, known.median, known.worst, found, told, wrong]
  const targets: Target[] = [
    { ...verdict.median, op: '<=', target: TARGETS.medianS },
    { ...verdict.worst, op: '<=', target: TARGETS.worstS },
    { ...found, op: '>=', target: all.length },
    { ...wrong, op: '<=', target: 0 },
  ]
  if (hangs.length > 0) {
    const hung = figures('HostHung', times(hangs, 'verdict'))
    results.push(hung.median, hung.worst)
    targets.push({ ...hung.worst, op: '<=', target: TARGETS.hungS })
  }
  if (isAgainstSerf) {
    const first = figures('serf: first report', times(deaths, 'serfFirst'))
    const last = figures('serf: every live agent', times(deaths, 'serfAll'))
    const ratio = (name: string, serf: Measurement, ours: Measurement) => {
      return { name, value: serf.value / ours.value, unit: 'times' }
    }
    const faster = ratio("serf's first report against our verdict, medians", first.median, verdict.median)
    const allFaster = ratio('serf against us until all know, medians', last.median, known.median)
    results.push(first.median, first.worst, last.median, last.worst, faster, allFaster)
    targets.push({ ...faster, op: '>=', target: TARGETS.timesSerf })
  }
  return { results, targets }
}

function times(findings: readonly Finding[], of: 'verdict' | 'known' | 'serfFirst' | 'serfAll'): readonly number[] {
  return findings.flatMap((finding) => finding[of] ?? [])
}

function figures(name: string, seconds: readonly number[]) {
  const worst = seconds.length === 0 ? Number.NaN : Math.max(...seconds)
  return {
    median: { name: `${name}, median`, value: median(seconds), unit: 's' },
    worst: { name: `${name}, worst`, value: worst, unit: 's' },
  }
}

async function find(
  { client, dir, nodes, serf }: Stage,
  victim: string,
  inflict: (node: string) => Promise<void>,
  withinMs: number,
): Promise<Finding> {
  const seq = await lastSeq(client)
  const faultAtMs = Date.now()
  const since = (atMs: number | undefined) => (atMs === undefined ? undefined : (atMs - faultAtMs) / 1_000)
  await inflict(victim)
  const verdict = await inTime(withinMs, async () => {
    const [last] = await client.events({ node: victim, kinds: ['verdict'], limit: 1 })
    return last !== undefined && last.seq > seq ? last : undefined
  })
  const id = String(verdict?.data.verdictId)
  const known = await inTime(verdict === undefined ? 0 : HEARD_WITHIN_MS, () => {
    const heard = nodes.filter((node) => node !== victim).map((node) => heardAt(dir, node, id))
    return heard.every((atMs) => atMs !== undefined) ? Math.max(...heard) : undefined
  })
  const reports = serf === undefined ? undefined : await serfReports(serf, faultAtMs, victim, nodes.length - 1)
  const events = await eventsAfter(client, seq, [...ACCUSING, ...HINDERING])
  const accusing = events.filter(({ kind }) => (ACCUSING as readonly string[]).includes(kind))
  return {
    verdict: since(verdict === undefined ? undefined : Date.parse(verdict.at)),
    known: since(known),
    serfFirst: since(reports?.[0]),
    serfAll: since(reports?.length === nodes.length - 1 ? reports.at(-1) : undefined),
    wrong: accusing.filter(({ node }) => node !== victim).length,
    told: events.map(({ node, kind, summary }) => `${node} ${kind}: ${summary}`),
  }
}

/** When each of the `others` that did first reported the failure, in order. */
async function serfReports(serf: SerfCluster, fromMs: number, victim: string, others: number) {
  const read = () => {
    const first = new Map<string, number>()
    for (const { by, atMs } of serf.failuresSince(fromMs, victim)) if (!first.has(by)) first.set(by, atMs)
    return [...first.values()]
  }
  await inTime(SERF_WITHIN_MS, () => (read().length === others ? true : undefined))
  return read().toSorted((a, b) => a - b)
}

/** Looks until there is something; undefined when there is nothing in time. */
async function inTime<T>(withinMs: number, look: () => T | undefined | Promise<T | undefined>): Promise<T | undefined> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const seen = await look()
    if (seen !== undefined || performance.now() >= deadline) return seen
    await wait(LOOK_EVERY_MS)
  }
}

function describe({ verdict, known, serfFirst, wrong, told }: Finding): string {
  const inSeconds = (seconds: number | undefined) => (seconds === undefined ? 'missed' : `${seconds.toFixed(2)} s`)
  const serf = serfFirst === undefined ? '' : `, serf ${inSeconds(serfFirst)}`
  const why = verdict === undefined || wrong > 0 ? `; ${told.join('; ')}` : ''
  return `${inSeconds(verdict)}, known to all ${inSeconds(known)}${serf}${why}`
}
