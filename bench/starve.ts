/**
 * What starvation of some agents does to the others: agents stopped again and again for seconds, their hosts answering,
 * while other hosts really die. Counts who is wrongly held for dead, and whether the dead are still found. Needs root.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Snapshot } from '../aggregator/model.ts'
import { UsageError } from '../common/errors.ts'
import { seededRandom } from '../mesh/sim/random.ts'
import { defineBench, type Measurement } from './bench.ts'
import { eventsAfter, lastSeq } from './history.ts'
import { NamespaceMesh } from './namespaces/mesh.ts'
import { SerfCluster } from './namespaces/serf.ts'
import { buildProgram } from './program.ts'
import { median } from './statistics.ts'

const STOPPED_MS = { min: 500, max: 12_000 }
const RUNNING_MS = { min: 50, max: 500 }
const KILL_EVERY_MS = 20_000
/** A host stays dead until its verdict, at most this long. */
const DEAD_MAX_MS = 12_000
const LOOK_EVERY_MS = 500
/** What serf says of a host that died is no mistake until it was back for this long: it must hear of that first. */
const SERF_FORGIVEN_MS = 15_000
const TARGETS = { worstS: 4 }

interface Death {
  readonly victim: string
  readonly atMs: number
  readonly endMs: number
  /** Seconds to the verdict; undefined when there was none while it was dead. */
  readonly found: number | undefined
}

export const starve = defineBench({
  name: 'starve',
  summary: 'wrong verdicts and recall while some agents are stopped again and again',
  options: {
    nodes: { summary: 'size of the mesh', default: 32 },
    starved: { summary: 'how many agents are starved', default: 8 },
    seconds: { summary: 'for how long', default: 120 },
    seed: { summary: 'of who is starved, who dies and when', default: 1 },
    against: { summary: 'serf, to starve it on the same machines', default: '' },
  },
  async run({ nodes, starved: count, seconds, seed, against }, progress) {
    if (against !== '' && against !== 'serf') throw new UsageError(`there is no rival "${against}"`, 'give serf')
    if (count < 0 || count >= nodes) throw new UsageError(`--starved is ${count}`, 'some nodes must be left alone')
    const random = seededRandom(seed)
    progress(`starting ${nodes} agents, seed ${seed}`)
    const mesh = await NamespaceMesh.start(nodes, buildProgram)
    try {
      progress(`rehearsed, the leader braked: ${(await mesh.rehearse()) ?? 'no'}`)
      const serf = against === 'serf' ? await SerfCluster.start(mesh.network, mesh.machines) : undefined
      const order = shuffled(
        mesh.machines.map(({ name }) => name),
        random,
      )
      const starved = order.slice(0, count)
      const others = order.slice(count)
      const seq = await lastSeq(mesh.client)
      const startMs = Date.now()
      const endMs = startMs + seconds * 1_000
      const sampler = new Sampler(mesh, endMs)
      progress(`starving ${starved.join(', ')} for ${seconds} s`)
      const [deaths] = await Promise.all([
        killAgainAndAgain(mesh, serf, others, endMs, progress),
        sampler.run(),
        ...starved.map((node) => stopAgainAndAgain(mesh, serf, node, endMs, random)),
      ])
      const events = await eventsAfter(mesh.client, seq, ['verdict', 'suspected', 'candidate', 'frozen', 'withheld'])
      for (const { kind, node, summary } of events) if (kind !== 'suspected') progress(`${kind} ${node}: ${summary}`)
      const victims = new Set(deaths.map(({ victim }) => victim))
      const healthy = others.filter((node) => !victims.has(node))
      const about = (kind: string, group: readonly string[]) =>
        events.filter((event) => event.kind === kind && group.includes(event.node)).length
      const wrongVictims = Math.max(0, about('verdict', [...victims]) - deaths.length)
      const found = deaths.flatMap((death) => death.found ?? [])
      const wrong = about('verdict', starved) + about('verdict', healthy) + wrongVictims
      const recall = { name: 'recall', value: (100 * found.length) / deaths.length, unit: '% of deaths' }
      const worst = { name: 'detection, worst', value: found.length === 0 ? Number.NaN : Math.max(...found), unit: 's' }
      const wrongs = { name: 'wrong verdicts', value: wrong, unit: 'verdicts' }
      return {
        settings: {
          nodes,
          starved: count,
          seconds,
          seed,
          stopped: '0.5-12 s, 0.05-0.5 s apart',
          deaths: deaths.length,
        },
        results: [
          { name: 'wrong verdicts on starved nodes', value: about('verdict', starved), unit: 'verdicts' },
          { name: 'wrong verdicts on nodes left alone', value: about('verdict', healthy), unit: 'verdicts' },
          { name: 'second verdicts on one death', value: wrongVictims, unit: 'verdicts' },
          recall,
          { name: 'detection, median', value: median(found), unit: 's' },
          worst,
          { name: 'suspicions of nodes left alone', value: about('suspected', healthy), unit: 'events' },
          { name: 'candidates among nodes left alone', value: about('candidate', healthy), unit: 'events' },
          { name: 'most votes at once against one left alone', value: sampler.mostVotes(healthy), unit: 'votes' },
          { name: 'freezes', value: events.filter(({ kind }) => kind === 'frozen').length, unit: 'events' },
          { name: 'frozen', value: sampler.frozenSeconds, unit: 's' },
          { name: 'blind', value: sampler.blindNodeSeconds, unit: 'node-seconds' },
          ...(serf === undefined ? [] : serfResults(serf, startMs, starved, healthy, deaths)),
        ],
        targets: [
          { ...wrongs, op: '<=', target: 0 },
          { ...recall, op: '>=', target: 100 },
          { ...worst, op: '<=', target: TARGETS.worstS },
        ],
      }
    } finally {
      mesh.stop()
    }
  },
})

/** Agent and serf alike; the stand-in kubelet goes on, as the host does. */
async function stopAgainAndAgain(
  mesh: NamespaceMesh,
  serf: SerfCluster | undefined,
  node: string,
  endMs: number,
  random: () => number,
): Promise<void> {
  const between = ({ min, max }: { min: number; max: number }) => min + (max - min) * random()
  const signal = (name: 'SIGSTOP' | 'SIGCONT') => {
    mesh.processes(node).agent.signal(name)
    serf?.signal(node, name)
  }
  while (Date.now() < endMs) {
    signal('SIGSTOP')
    await wait(Math.min(between(STOPPED_MS), Math.max(0, endMs - Date.now())))
    signal('SIGCONT')
    await wait(between(RUNNING_MS))
  }
}

/** One host after another, each for as long as it is not found; the first 5 s after the beginning. */
async function killAgainAndAgain(
  mesh: NamespaceMesh,
  serf: SerfCluster | undefined,
  victims: readonly string[],
  endMs: number,
  progress: (text: string) => void,
): Promise<readonly Death[]> {
  const deaths: Death[] = []
  await wait(KILL_EVERY_MS / 4)
  for (const victim of victims) {
    const atMs = Date.now()
    if (atMs + DEAD_MAX_MS > endMs) break
    const seq = await lastSeq(mesh.client)
    mesh.network.pull(victim)
    let found: number | undefined
    while (found === undefined && Date.now() < atMs + DEAD_MAX_MS) {
      await wait(LOOK_EVERY_MS)
      const [verdict] = await mesh.client.events({ node: victim, kinds: ['verdict'], limit: 1 })
      if (verdict !== undefined && verdict.seq > seq) found = (Date.parse(verdict.at) - atMs) / 1_000
    }
    // Serf needs longer; it is given as long as any death may take.
    if (serf !== undefined) await wait(Math.max(0, atMs + DEAD_MAX_MS - Date.now()))
    mesh.network.plug(victim)
    await serf?.rejoin(victim)
    deaths.push({ victim, atMs, endMs: Date.now(), found })
    progress(`${victim} died: ${found === undefined ? 'not found' : `${found.toFixed(2)} s`}`)
    await wait(Math.max(0, atMs + KILL_EVERY_MS - Date.now()))
  }
  return deaths
}

/** Looks at the mesh twice a second; what lasts shorter may be missed. */
class Sampler {
  frozenSeconds = 0
  /** Seconds in which a member had fewer observers fit to convict it than it takes, summed over members. */
  blindNodeSeconds = 0
  readonly #mesh: NamespaceMesh
  readonly #endMs: number
  readonly #mostVotes = new Map<string, number>()

  constructor(mesh: NamespaceMesh, endMs: number) {
    this.#mesh = mesh
    this.#endMs = endMs
  }

  mostVotes(nodes: readonly string[]): number {
    return Math.max(0, ...nodes.map((node) => this.#mostVotes.get(node) ?? 0))
  }

  async run(): Promise<void> {
    for (let lastMs = Date.now(); lastMs < this.#endMs; ) {
      await wait(LOOK_EVERY_MS)
      const state = await this.#mesh.client.state()
      const nowMs = Date.now()
      this.#take(state, (nowMs - lastMs) / 1_000)
      lastMs = nowMs
    }
  }

  #take({ mesh, members }: Snapshot, seconds: number): void {
    if (mesh.frozen !== null) this.frozenSeconds += seconds
    for (const { node, state, votes, coveredBy, needed } of members) {
      if (state !== 'NodeDown' && needed !== null && coveredBy.length < needed) this.blindNodeSeconds += seconds
      this.#mostVotes.set(node, Math.max(this.#mostVotes.get(node) ?? 0, votes.length))
    }
  }
}

/** Reports by the agents of hosts that were cut off at the time, or had just come back, are left out. */
function serfResults(
  serf: SerfCluster,
  startMs: number,
  starved: readonly string[],
  healthy: readonly string[],
  deaths: readonly Death[],
): readonly Measurement[] {
  const wasCutOff = (node: string, atMs: number) =>
    deaths.some((death) => death.victim === node && atMs >= death.atMs && atMs < death.endMs + SERF_FORGIVEN_MS)
  const failures = serf.reports.filter(({ isFailed, atMs, by }) => isFailed && atMs >= startMs && !wasCutOff(by, atMs))
  const reports = (group: readonly string[]) => failures.filter(({ about }) => group.includes(about))
  const seconds = deaths.flatMap(({ victim, atMs, endMs }) => {
    const first = failures.find((report) => report.about === victim && report.atMs >= atMs && report.atMs < endMs)
    return first === undefined ? [] : [(first.atMs - atMs) / 1_000]
  })
  return [
    { name: 'serf: failures reported of starved nodes', value: reports(starved).length, unit: 'reports' },
    { name: 'serf: failures reported of nodes left alone', value: reports(healthy).length, unit: 'reports' },
    { name: 'serf: nodes left alone that were reported', value: distinct(reports(healthy)), unit: 'nodes' },
    {
      name: `serf: recall within ${DEAD_MAX_MS / 1_000} s`,
      value: (100 * seconds.length) / deaths.length,
      unit: '% of deaths',
    },
    { name: 'serf: first report, median', value: median(seconds), unit: 's' },
  ]
}

function distinct(reports: readonly { readonly about: string }[]): number {
  return new Set(reports.map(({ about }) => about)).size
}

function shuffled(items: readonly string[], random: () => number): readonly string[] {
  const keyed = items.map((item) => ({ item, key: random() }))
  return keyed.toSorted((a, b) => a.key - b.key).map(({ item }) => item)
}
