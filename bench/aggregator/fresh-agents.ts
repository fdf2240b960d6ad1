/** An inspection of as many real agents as a machine takes, each asked over the mesh: from the order until the answer is whole. */
import { take } from '../../cli/inspect/take.ts'
import type { Progress } from '../bench.ts'
import { startLocalUp } from '../local-up.ts'
import { median } from '../statistics.ts'
import { untilWhole } from '../whole.ts'
import type { Part, PartOutcome } from './part.ts'

const AGENTS = 32
const RUNS = 15
const TARGET_S = 2
/** Above those of other benches, so that they can run beside it. */
const PORTS = { httpPort: 27980, meshPort: 27990 }

export const agentsInspection: Part = { name: 'fresh-agents', run: inspectAgents }

async function inspectAgents(_: unknown, progress: Progress): Promise<PartOutcome> {
  progress(`starting ${AGENTS} agents`)
  const mesh = await startLocalUp({ nodes: AGENTS, ...PORTS })
  try {
    await untilWhole(mesh.client)
    const seconds: number[] = []
    let [rows, fewest] = [0, AGENTS]
    for (let run = 1; run <= RUNS; run++) {
      const began = performance.now()
      const { run: taken } = await take(mesh.client, { profile: 'default', fresh: true })
      seconds.push((performance.now() - began) / 1_000)
      const heard = taken.nodes - taken.silent.length
      rows += heard
      fewest = Math.min(fewest, heard)
      progress(`${run} of ${RUNS}: ${heard} answered, ${seconds.at(-1)?.toFixed(2)} s`)
    }
    const name = `fresh-agents: ${AGENTS} agents`
    return {
      results: [
        { name: `${name}, median`, value: median(seconds), unit: 's' },
        { name: `${name}, fewest that answered`, value: fewest, unit: 'nodes' },
        { name: `${name}, answered`, value: (100 * rows) / (RUNS * AGENTS), unit: '%' },
      ],
      targets: [{ name: `${name}, worst`, value: Math.max(...seconds), unit: 's', op: '<=', target: TARGET_S }],
    }
  } finally {
    await mesh.stop()
  }
}
