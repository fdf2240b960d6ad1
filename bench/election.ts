/**
 * How long a mesh is without a leader that may write, by what befell the one before, on the simulator: the shipped core in
 * several aggregators, the shipped election, a simulated API server. The fault comes at a moment of its own for each seed.
 */
import { type LeaderFault, Scene } from '../mesh/sim/election/scene.ts'
import { seededRandom } from '../mesh/sim/random.ts'
import { defineBench } from './bench.ts'
import { median } from './statistics.ts'

/** Longer than the leader's renewals and the others' readings are apart. */
const MOMENT_WITHIN_MS = 5_000
/** A leader that is not replaced by then is not replaced. */
const PATIENCE_MS = 60_000

/** docs/protocol.md section 6. */
const TARGETS_S: Readonly<Partial<Record<LeaderFault, number>>> = {
  processKilled: 5,
  hostDead: 12,
  paused: 12,
  cutFromApi: 12,
}

export const election = defineBench({
  name: 'election',
  summary: 'how long until another aggregator leads and may write, by what befell the leader, simulated',
  options: {
    nodes: { summary: 'members of the mesh', default: 20 },
    aggregators: { summary: 'that elect one of them', default: 3 },
    seeds: { summary: 'runs of each fault', default: 100 },
  },
  async run({ nodes, aggregators, seeds }, progress) {
    const measured = Object.entries(TARGETS_S).map(([name, target]) => {
      const runs = Array.from({ length: seeds }, (_, index) => {
        return takeOver(name as LeaderFault, { nodes, aggregators, seed: index + 1 })
      })
      progress(`${name}: ${seeds} runs`)
      const seconds = runs.map(({ ms }) => ms / 1_000)
      const worst = { name: `${name}: worst`, value: Math.max(...seconds), unit: 's' }
      const writers = Math.max(...runs.map((run) => run.mostWriters))
      const middle = { name: `${name}: median`, value: median(seconds), unit: 's' }
      return { results: [middle, worst], targets: [{ ...worst, op: '<=' as const, target }], writers }
    })
    const most = {
      name: 'most that might write at a time',
      value: Math.max(...measured.map(({ writers }) => writers)),
      unit: 'aggregators',
    }
    return {
      settings: { nodes, aggregators, seeds },
      results: measured.flatMap(({ results }) => results),
      targets: [...measured.flatMap(({ targets }) => targets), { ...most, op: '<=', target: 1 }],
    }
  },
})

function takeOver(fault: LeaderFault, options: ConstructorParameters<typeof Scene>[0]) {
  const scene = new Scene(options).passes(MOMENT_WITHIN_MS * seededRandom(options.seed)())
  const ms = scene.takeOver(fault, PATIENCE_MS) ?? PATIENCE_MS
  return { ms, mostWriters: scene.mostWriters }
}
