/**
 * What a mesh of a given size costs and how fast it is, on the simulator: the shipped core, virtual time. First two minutes
 * as they usually are, which cost and traffic are taken from; then deaths, one after another, until there are enough for
 * a 99th percentile.
 */
import { LEADER, World } from '../mesh/sim/world.ts'
import { encodeMessage } from '../mesh/wire/codec.ts'
import { defineBench, type Measurement, type Progress, type Target } from './bench.ts'
import { median, percentile } from './statistics.ts'

/** Edges are up, paths calibrated, observers know their subjects. */
const BOOT_MS = 15_000
const USUAL_MS = 120_000
/** Of all nodes, an hour, as the mesh's issue has it. */
const CHURN_PER_HOUR = 0.01
const FINDINGS_PER_MINUTE = 0.1
/** A finding with its evidence; a report that all is well is about 250 bytes. */
const FINDING_BYTES = 300
const FINDING_TTL_MS = 180_000
/** A dead host comes back after this. */
const DOWN_MS = 30_000
/** So few at a time that nobody would call it a catastrophe: one of a hundred is 10 s after another. */
const KILLS_PER_NODE_SECOND = 0.001
/** A verdict that comes later is another matter. */
const VERDICT_WITHIN_MS = 20_000
/** One in so many messages is encoded to see how large it is. */
const WEIGHED = 37

const P50_TARGET_S = 1.6
const P99_TARGET_S = 2.5
const BYTES_TARGET = 2_500
const WALL_TARGET_S = 180
const MEMORY_TARGET_MB = 4_096

interface Figures {
  readonly results: readonly Measurement[]
  readonly targets: readonly Target[]
}

export const scale = defineBench({
  name: 'scale',
  summary: 'speed of verdicts, traffic and memory by size of the mesh, simulated',
  options: {
    sizes: { summary: 'sizes of the mesh, ascending', default: '100,1000,2000' },
    kills: { summary: 'hosts that die, for each size; 0 for cost alone', default: 300 },
    'kill-every': {
      summary: 'seconds from one death to the next on average, at least; more in a small mesh',
      default: 4,
    },
    zones: { summary: 'zones that the nodes are in', default: 3 },
    seed: { summary: 'of everything random', default: 1 },
  },
  async run(options, progress) {
    const { sizes, kills, 'kill-every': killEvery, zones, seed } = options
    const plan = { kills, killEveryMs: killEvery * 1_000, zones, seed }
    const all = sizes.split(',').map((size) => measure(Number(size), plan, progress))
    return {
      settings: {
        sizes,
        kills,
        killEvery,
        zones,
        seed,
        churnPerHour: CHURN_PER_HOUR,
        findingsPerMinute: FINDINGS_PER_MINUTE,
      },
      results: all.flatMap(({ results }) => results),
      targets: all.flatMap(({ targets }) => targets),
    }
  },
})

interface Plan {
  readonly kills: number
  readonly killEveryMs: number
  readonly zones: number
  readonly seed: number
}

function measure(nodes: number, { kills, killEveryMs, zones, seed }: Plan, progress: Progress): Figures {
  const startedAt = performance.now()
  const scales = new Scales()
  const world = new World({ nodes, zones, seed, onSend: (message, from) => scales.weigh(message, from) })
  const downtimes = new Downtimes(world)
  const { agenda } = world.stage
  agenda.runUntil(BOOT_MS)
  scales.start()
  keepFinding(world, nodes)
  keepChurning(world, nodes)
  for (let ms = 0; ms < USUAL_MS; ms += 10_000) {
    agenda.runUntil(agenda.now + 10_000)
    progress(`${nodes} nodes: ${(agenda.now - BOOT_MS) / 1_000} of ${USUAL_MS / 1_000} s, ${world.messages} messages`)
  }
  const usual = scales.stop(nodes, USUAL_MS)
  const wallS = (performance.now() - startedAt) / 1_000
  const memoryMb = process.resourceUsage().maxRSS / 1_024
  const deaths = kills === 0 ? undefined : killInTurn(world, nodes, kills, killEveryMs, progress)
  const named = (name: string, value: number, unit: string): Measurement => ({ name: `${nodes}: ${name}`, value, unit })
  const p50 = named('host death to NodeDown, p50', median(deaths?.seconds ?? []), 's')
  const p99 = named('host death to NodeDown, p99', percentile(deaths?.seconds ?? [], 0.99), 's')
  const bytes = named('sent above TCP', usual.bytes, 'B/s')
  const wall = named('wall time of 135 virtual s', wallS, 's')
  const memory = named('peak memory of the run', memoryMb, 'MB')
  const wrong = named('verdicts about nodes that were up', wrongVerdicts(world, downtimes), 'verdicts')
  const found = named('found', deaths?.seconds.length ?? 0, `of ${kills} kills`)
  return {
    results: [p50, p99, found, wrong, named('messages sent', usual.messages, '/s'), bytes, wall, memory],
    targets: [
      ...(deaths === undefined ? [] : [{ ...p50, op: '<=' as const, target: P50_TARGET_S }]),
      ...(deaths === undefined ? [] : [{ ...p99, op: '<=' as const, target: P99_TARGET_S }]),
      { ...wrong, op: '<=', target: 0 },
      { ...bytes, op: '<=', target: BYTES_TARGET },
      { ...wall, op: '<=', target: WALL_TARGET_S },
      { ...memory, op: '<=', target: MEMORY_TARGET_MB },
    ],
  }
}

/** What members send, by number and, from a sample, by size. */
class Scales {
  #messages = 0
  #weighed = 0
  #bytes = 0

  weigh(message: Parameters<typeof encodeMessage>[0], from: string): void {
    if (from === LEADER) return
    if (++this.#messages % WEIGHED !== 0) return
    this.#weighed++
    this.#bytes += encodeMessage(message).length
  }

  start(): void {
    this.#messages = 0
    this.#weighed = 0
    this.#bytes = 0
  }

  /** Per member and second. */
  stop(members: number, ms: number): { readonly messages: number; readonly bytes: number } {
    const messages = this.#messages / members / (ms / 1_000)
    return { messages, bytes: (messages * this.#bytes) / Math.max(1, this.#weighed) }
  }
}

function keepFinding(world: World, nodes: number): void {
  const { agenda, random } = world.stage
  const everyMs = 60_000 / (nodes * FINDINGS_PER_MINUTE)
  const find = () => {
    const node = `node-${1 + Math.floor(random() * nodes)}`
    if (world.stage.machine(node).host === 'up') {
      world.publish(node, 'report/bench', new Uint8Array(FINDING_BYTES), FINDING_TTL_MS)
    }
    agenda.at(agenda.now + 2 * everyMs * random(), find)
  }
  agenda.at(agenda.now + everyMs, find)
}

function keepChurning(world: World, nodes: number): void {
  const { agenda, random } = world.stage
  const everyMs = 3_600_000 / (nodes * CHURN_PER_HOUR)
  const die = () => {
    kill(world, `node-${1 + Math.floor(random() * nodes)}`)
    agenda.at(agenda.now + 2 * everyMs * random(), die)
  }
  agenda.at(agenda.now + 2 * everyMs * random(), die)
}

function kill(world: World, node: string): void {
  const { stage } = world
  if (stage.machine(node).host !== 'up') return
  stage.setHost(node, 'down')
  stage.agenda.at(stage.agenda.now + DOWN_MS, () => stage.setHost(node, 'up'))
}

function killInTurn(
  world: World,
  nodes: number,
  kills: number,
  killEveryMs: number,
  progress: Progress,
): { seconds: readonly number[] } {
  const { agenda } = world.stage
  const everyMs = Math.max(killEveryMs, 1_000 / (nodes * KILLS_PER_NODE_SECOND))
  const diedAt = new Map<string, number>()
  const seconds: number[] = []
  for (let index = 0; index < kills; index++) {
    const node = `node-${1 + ((index * 7) % nodes)}`
    const at = agenda.now + everyMs * (0.5 + world.stage.random())
    agenda.runUntil(at)
    diedAt.set(`${node}/${index}`, at)
    kill(world, node)
    if (index % 50 === 49) progress(`${nodes} nodes: ${index + 1} of ${kills} hosts have died`)
  }
  agenda.runUntil(agenda.now + VERDICT_WITHIN_MS)
  for (const [key, at] of diedAt) {
    const [node] = key.split('/')
    const commit = world.commits().find(({ certificate, at: committedAt }) => {
      return certificate.subject === node && committedAt >= at && committedAt - at <= VERDICT_WITHIN_MS
    })
    if (commit !== undefined) seconds.push((commit.at - at) / 1_000)
  }
  return { seconds }
}

function wrongVerdicts(world: World, downtimes: Downtimes): number {
  return world.commits().filter(({ certificate, at }) => !downtimes.includes(certificate.subject, at)).length
}

/** When each host was down. */
class Downtimes {
  readonly #since = new Map<string, number>()
  readonly #past: { readonly node: string; readonly from: number; readonly to: number }[] = []

  constructor({ stage }: World) {
    stage.onHostChange(({ name, host }) => {
      const since = this.#since.get(name)
      if (host === 'down') this.#since.set(name, stage.agenda.now)
      else if (since !== undefined) {
        this.#past.push({ node: name, from: since, to: stage.agenda.now })
        this.#since.delete(name)
      }
    })
  }

  includes(node: string, at: number): boolean {
    const since = this.#since.get(node)
    if (since !== undefined && since <= at) return true
    return this.#past.some((past) => past.node === node && past.from <= at && at < past.to)
  }
}
