/** Simulates worlds of random faults and foreign disruptions, and counts what remediation did there and what broke. */
import { defineBench } from './bench.ts'
import { INVARIANTS } from './remediation/invariants.ts'
import { simulate } from './remediation/simulate.ts'

export const remediation = defineBench({
  name: 'remediation',
  summary: 'what remediation does in simulated worlds of random faults, and whether it breaks an invariant',
  options: {
    seed: { summary: 'of the first world; each further one has the next', default: 1 },
    worlds: { summary: 'one after another', default: 10 },
    days: { summary: 'of faults in each', default: 1 },
    nodes: { summary: 'in each; 0: by chance, 1 to 200', default: 0 },
  },
  async run({ seed, worlds, days, nodes }, progress) {
    const counts = new Map<string, number>()
    let broken = 0
    for (let each = seed; each < seed + worlds; each++) {
      const world = simulate({ seed: each, days, ...(nodes === 0 ? {} : { nodes }) })
      for (const [what, count] of world.counts) counts.set(what, (counts.get(what) ?? 0) + count)
      progress(`seed ${each}: ${world.nodes} nodes, ${world.counts.get('granted') ?? 0} permits`)
      broken += world.violations.length
      for (const { invariant, at, node, what, story } of world.violations)
        progress([`${at} ${node}: ${what} (${INVARIANTS[invariant]})`, ...story].join('\n    '))
    }
    const results = [...counts].toSorted().map(([name, value]) => ({ name, value, unit: 'times' }))
    const violations = { name: 'broken invariants', value: broken, unit: 'times' }
    return {
      settings: { seed, worlds, days, nodes },
      results: [violations, ...results],
      targets: [{ ...violations, op: '<=', target: 0 }],
    }
  },
})
