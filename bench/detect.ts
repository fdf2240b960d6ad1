/**
 * How long from a host's death to its verdict, on real processes: `starling chaos kill` on one node of a local mesh after
 * another, each at a random moment of the beat, each back before the next. The clock runs from the moment the kill is
 * asked for, so staging the fault (stopping two processes, filling two queues) is in the figure.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Snapshot } from '../aggregator/model.ts'
import { askControl } from '../cli/local/control.ts'
import { seededRandom } from '../mesh/sim/random.ts'
import { defineBench, type Progress } from './bench.ts'
import { type LocalUp, startLocalUp } from './local-up.ts'
import { median } from './statistics.ts'

/** From the issue: a verdict on page and in the log within 3 s of a kill. */
const WORST_TARGET_S = 3

/** Given up after this; counted as missed. */
const VERDICT_WITHIN_MS = 15_000
const ALIVE_WITHIN_MS = 120_000
const LOOK_EVERY_MS = 250

/** An observer votes after 5 acked beats and one calibration; a kill before that measures the start. */
const SETTLE_MS = 8_000

/** Events that say somebody was held for dead. */
const ACCUSING = ['suspected', 'candidate']

export const detect = defineBench({
  name: 'detect',
  summary: 'host death to verdict on a local mesh of real processes: median and worst',
  options: {
    nodes: { summary: 'size of the mesh', default: 5 },
    kills: { summary: 'how many hosts die, one after another', default: 30 },
    seed: { summary: 'of the moments at which they die', default: 1 },
    'http-port': { summary: 'port of the aggregator', default: 27780 },
    'mesh-port': { summary: 'port of the mesh', default: 27790 },
  },
  async run(options, progress) {
    const { nodes, kills, seed } = options
    const random = seededRandom(seed)
    const mesh = await startLocalUp({ nodes, httpPort: options['http-port'], meshPort: options['mesh-port'] })
    try {
      await wait(SETTLE_MS)
      const seconds: number[] = []
      for (let kill = 0; kill < kills; kill++) {
        const victim = `node-${(kill % nodes) + 1}`
        await wait(random() * 1_000)
        const took = await killOnce(mesh, victim)
        progress(`kill ${kill + 1} of ${kills}: ${victim}, ${took === undefined ? 'missed' : `${took.toFixed(2)} s`}`)
        if (took !== undefined) seconds.push(took)
        await revive(mesh, victim, progress)
      }
      const wrong = await accusationsOfOthers(mesh)
      const worst = seconds.length === 0 ? Number.NaN : Math.max(...seconds)
      return {
        settings: { nodes, kills, seed, fault: 'SIGSTOP of agent and stand-in kubelet, accept queues filled' },
        results: [
          { name: 'median', value: median(seconds), unit: 's' },
          { name: 'worst', value: worst, unit: 's' },
          { name: 'found', value: seconds.length, unit: 'kills' },
          { name: 'accusations of nodes that were not killed', value: wrong, unit: 'events' },
        ],
        targets: [
          { name: 'worst', value: worst, op: '<=', target: WORST_TARGET_S, unit: 's' },
          { name: 'found', value: seconds.length, op: '>=', target: kills, unit: 'kills' },
          { name: 'accusations of nodes that were not killed', value: wrong, op: '<=', target: 0, unit: 'events' },
        ],
      }
    } finally {
      await mesh.stop()
    }
  },
})

/** Kills and waits for the verdict: seconds, or undefined when there was none in time. */
async function killOnce({ client, dir }: LocalUp, victim: string): Promise<number | undefined> {
  const last = (await client.events({ limit: 1 })).at(-1)?.seq ?? 0
  const verdict = (async () => {
    for await (const event of client.follow(last, () => {})) {
      if (event.kind === 'verdict' && event.node === victim) return performance.now()
    }
    return undefined
  })()
  const killedAt = performance.now()
  await askControl(dir, 'kill', victim)
  const foundAt = await Promise.race([verdict, wait(VERDICT_WITHIN_MS, undefined)])
  return foundAt === undefined ? undefined : (foundAt - killedAt) / 1_000
}

async function revive({ client, dir }: LocalUp, victim: string, progress: Progress): Promise<void> {
  await askControl(dir, 'resume', victim)
  const deadline = performance.now() + ALIVE_WITHIN_MS
  const isWhole = ({ members }: Snapshot) => members.every(({ state }) => state === 'alive')
  while (!isWhole(await client.state())) {
    if (performance.now() > deadline) {
      progress(`${victim} did not come back`)
      return
    }
    await wait(LOOK_EVERY_MS)
  }
}

/** Accusing events that led to no verdict: every kill led to one before the next, so these were about the living. */
async function accusationsOfOthers({ client }: LocalUp): Promise<number> {
  const pending = new Map<string, number>()
  for (const { kind, node } of await client.events({ limit: 1_000 })) {
    if (kind === 'verdict') pending.delete(node)
    else if (ACCUSING.includes(kind)) pending.set(node, (pending.get(node) ?? 0) + 1)
  }
  return [...pending.values()].reduce((sum, count) => sum + count, 0)
}
