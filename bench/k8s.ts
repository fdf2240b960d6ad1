/**
 * A death as Kubernetes shows it, on a real control plane with the kubelet's own code: from the link's end to NotReady, to
 * pods that are out of endpoints; beside it nodes without an agent, which Kubernetes alone finds; and the way back.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { UsageError } from '../common/errors.ts'
import { seededRandom } from '../mesh/sim/random.ts'
import { defineBench, type Measurement, type Progress, type Target } from './bench.ts'
import { STOCK_LIFECYCLE } from './control-plane/control-plane.ts'
import { putInForce } from './control-plane/settings.ts'
import { ControlPlaneStage } from './control-plane/stage.ts'
import { type Death, Faults, type Outage } from './k8s/faults.ts'
import { deploy } from './k8s/workload.ts'
import { leaderOf, writesOf } from './k8s/writes.ts'
import { buildProgram } from './program.ts'
import { median } from './statistics.ts'

/** Of the issue of marking. */
const TARGETS = { medianS: 3, worstS: 5, leaderS: 12, timesStock: 10, blipS: 2, outageS: 30, leaseWrites: 0.5 }

const BLIP_S = 6
/** Longer than stock Kubernetes' grace. */
const OUTAGE_S = 70

interface Plan {
  readonly deaths: number
  readonly stock: number
  readonly blips: number
  readonly outages: number
  readonly leaderDeaths: number
  readonly random: () => number
}

interface Findings {
  readonly deaths: readonly Death[]
  readonly stock: readonly Death[]
  /** Pod-seconds; undefined when no stock node was there. */
  readonly stockBlip: number | undefined
  readonly leaderDeaths: readonly Death[]
  readonly blips: readonly Outage[]
  readonly outages: readonly Outage[]
}

export const k8s = defineBench({
  name: 'k8s',
  summary:
    'host death to NotReady, pods and endpoints on a real control plane, beside stock Kubernetes, and the way back',
  options: {
    nodes: { summary: 'with kubelet and agent', default: 6 },
    'without-agent': { summary: 'nodes with a kubelet alone, for stock Kubernetes', default: 2 },
    aggregators: { summary: 'that elect one of them', default: 1 },
    deaths: { summary: 'links of nodes with an agent that are pulled, one after another', default: 20 },
    stock: { summary: 'the same of nodes without one', default: 3 },
    blips: { summary: `links down for ${BLIP_S} s`, default: 1 },
    outages: { summary: `links down for ${OUTAGE_S} s`, default: 1 },
    'leader-deaths': { summary: "a node's link together with that of the leader's host", default: 0 },
    pods: { summary: 'on each node that dies', default: 30 },
    served: { summary: 'of those behind a Service', default: 10 },
    quiet: { summary: 'seconds without a fault in which API writes are counted', default: 60 },
    seed: { summary: 'of the moments', default: 1 },
  },
  async run(options, progress) {
    const { nodes, aggregators, deaths, stock, blips, outages, pods, served, quiet, seed } = options
    const [withoutAgent, leaderDeaths] = [options['without-agent'], options['leader-deaths']]
    if (stock > 0 && withoutAgent < 1) throw new UsageError('stock Kubernetes without a node', 'give --without-agent 1')
    if (leaderDeaths > 0 && aggregators < 2)
      throw new UsageError('a leader that dies without another to follow', 'give --aggregators 2')
    progress(`starting a control plane, ${nodes + withoutAgent} kubelets, ${nodes} agents, seed ${seed}`)
    const stage = await ControlPlaneStage.start({
      nodes,
      nodesWithoutAgent: withoutAgent,
      aggregators,
      lifecycle: STOCK_LIFECYCLE,
      kubernetes: {},
      programIn: buildProgram,
    })
    try {
      const ours = stage.mesh.machines.map(({ name }) => name)
      const alone = [...stage.kubelets.keys()].filter((node) => !ours.includes(node))
      // The first is for the rehearsal: a node that was dead before has to be heard for longer.
      const turns = [...ours.slice(1), ...ours.slice(0, 1)]
      const faults = blips + outages + deaths + leaderDeaths
      const loaded = [...turns.slice(0, faults), ...alone.slice(0, stock)]
      progress(`${pods} pods each, ${served} of them served, on ${loaded.length} nodes`)
      await deploy(stage.cluster, loaded, { pods, served })
      await putInForce(stage, { marking: { mode: 'ready' } })
      await stage.mesh.untilWhole()
      const writes = await quietly(stage, quiet, progress)
      const plan = { deaths, stock, blips, outages, leaderDeaths, random: seededRandom(seed) }
      const findings = await inflict(stage, new Faults(stage, { pods, served }), { turns, alone, plan }, progress)
      const settings = { nodes, withoutAgent, aggregators, deaths, stock, blips, outages, leaderDeaths, pods, served }
      return {
        settings: { ...settings, quiet, seed, stockGrace: STOCK_LIFECYCLE.graceSeconds },
        ...report(findings, writes),
      }
    } finally {
      stage.stop()
    }
  },
})

interface Cast {
  readonly turns: readonly string[]
  readonly alone: readonly string[]
  readonly plan: Plan
}

/**
 * One fault of our nodes at a time, the mesh whole in between. Stock deaths go on beside them, one at a time as well: two
 * NotReady nodes at once are below what the brakes count from.
 */
async function inflict(
  stage: ControlPlaneStage,
  faults: Faults,
  { turns, alone, plan }: Cast,
  progress: Progress,
): Promise<Findings> {
  let turn = 0
  const round = async <T extends object>(name: string, of: (node: string) => Promise<T>): Promise<T> => {
    const node = turns[turn++ % turns.length] ?? ''
    await stage.mesh.untilWhole()
    await wait(plan.random() * 1_000)
    const found = await of(node)
    progress(`${name}, ${node}: ${described(found)}`)
    return found
  }
  const rounds = async <T extends object>(
    name: string,
    count: number,
    of: (node: string) => Promise<T>,
  ): Promise<readonly T[]> => {
    const found: T[] = []
    for (let each = 1; each <= count; each++) found.push(await round(`${name} ${each} of ${count}`, of))
    return found
  }
  const stockFaults = async () => {
    const found: Death[] = []
    const [first] = alone
    const blip = first === undefined || plan.stock === 0 ? undefined : await faults.stockOutage(first, BLIP_S)
    for (let each = 0; each < plan.stock; each++) {
      const node = alone[each % alone.length] ?? ''
      const death = await faults.stockDeath(node)
      progress(`stock ${each + 1} of ${plan.stock}, ${node}: ${described(death)}`)
      found.push(death)
    }
    return { stock: found, stockBlip: blip?.price }
  }
  const ourFaults = async () => ({
    blips: await rounds('blip', plan.blips, (node) => faults.outage(node, BLIP_S)),
    outages: await rounds('outage', plan.outages, (node) => faults.outage(node, OUTAGE_S)),
    deaths: await rounds('death', plan.deaths, (node) => faults.death(node)),
    leaderDeaths: await rounds('with the leader', plan.leaderDeaths, async (node) => {
      const leader = await stage.cluster.until('a leader', () => leaderOf(stage.mesh.aggregators))
      return faults.deathWithLeader(node, leader.name)
    }),
  })
  const [ours, stock] = await Promise.all([ourFaults(), stockFaults()])
  return { ...ours, ...stock }
}

async function quietly({ mesh }: ControlPlaneStage, seconds: number, progress: Progress) {
  if (seconds === 0) return []
  progress(`counting API writes for ${seconds} s`)
  const before = await writesOf(mesh.aggregators)
  await wait(seconds * 1_000)
  const after = await writesOf(mesh.aggregators)
  return [...after].map(([resource, count]) => {
    const value = (count - (before.get(resource) ?? 0)) / seconds
    return { resource, figure: { name: `API writes when quiet, ${resource}`, value, unit: '1/s' } }
  })
}

function report(found: Findings, writes: Awaited<ReturnType<typeof quietly>>) {
  const results: Measurement[] = []
  const targets: Target[] = []
  const atMost = (measurement: Measurement, target: number) => targets.push({ ...measurement, op: '<=', target })
  const figure = (name: string, seconds: readonly (number | undefined)[]) => {
    const known = seconds.filter((each) => each !== undefined)
    const middle = { name: `${name}, median`, value: median(known), unit: 's' }
    const worst = { name: `${name}, worst`, value: known.length === 0 ? Number.NaN : Math.max(...known), unit: 's' }
    results.push(middle, worst)
    return { middle, worst }
  }
  const deathFigures = (name: string, deaths: readonly Death[]) => {
    const figures = {
      ready: figure(
        `${name}: Ready`,
        deaths.map(({ ready }) => ready),
      ),
      endpoints: figure(
        `${name}: out of endpoints`,
        deaths.map(({ endpoints }) => endpoints),
      ),
      pods: figure(
        `${name}: pods NotReady`,
        deaths.map(({ pods }) => pods),
      ),
    }
    const complete = deaths.filter((death) => Object.values(death).every((seconds) => seconds !== undefined)).length
    const all = { name: `${name}: seen in all`, value: complete, unit: 'deaths' }
    results.push(all)
    targets.push({ ...all, op: '>=', target: deaths.length })
    return figures
  }
  const ours = found.deaths.length === 0 ? undefined : deathFigures('death', found.deaths)
  for (const { middle, worst } of Object.values(ours ?? {})) {
    atMost(middle, TARGETS.medianS)
    atMost(worst, TARGETS.worstS)
  }
  const stock = found.stock.length === 0 ? undefined : deathFigures('stock', found.stock)
  for (const what of ['ready', 'endpoints'] as const) {
    if (ours === undefined || stock === undefined) continue
    const value = stock[what].middle.value / ours[what].middle.value
    const ratio = { name: `stock against ours, medians: ${what}`, value, unit: 'times' }
    results.push(ratio)
    targets.push({ ...ratio, op: '>=', target: TARGETS.timesStock })
  }
  if (found.leaderDeaths.length > 0) {
    for (const { worst } of Object.values(deathFigures('with the leader', found.leaderDeaths)))
      atMost(worst, TARGETS.leaderS)
  }
  const back = (name: string, outages: readonly Outage[], target: number) => {
    if (outages.length === 0) return
    figure(
      `${name}: endpoints after the link`,
      outages.map(({ completeAfterLink }) => completeAfterLink),
    )
    const recovery = outages.map(({ completeAfterRecovery }) => completeAfterRecovery)
    atMost(figure(`${name}: endpoints after recovery`, recovery).worst, target)
    const price = median(outages.map((outage) => outage.price))
    results.push({ name: `${name}: out of endpoints`, value: price, unit: 'pod-seconds' })
  }
  back('blip', found.blips, TARGETS.blipS)
  if (found.stockBlip !== undefined)
    results.push({ name: 'blip of a stock node: out of endpoints', value: found.stockBlip, unit: 'pod-seconds' })
  back('outage', found.outages, TARGETS.outageS)
  for (const { resource, figure: measured } of writes) {
    results.push(measured)
    atMost(measured, resource === 'leases' ? TARGETS.leaseWrites : 0)
  }
  return { results, targets }
}

function described(found: object): string {
  const parts = Object.entries(found) as [string, number | undefined][]
  return parts.map(([name, value]) => `${name} ${value === undefined ? 'missed' : value.toFixed(2)}`).join(', ')
}
