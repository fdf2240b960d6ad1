/**
 * Whether the mesh is ever wrong: every scenario, seed after seed, on the simulator. How long nodes were exposed to faults, how
 * many false verdicts came of it, what rate that excludes, and how near to one it came: the votes held against nodes that
 * nothing was wrong with. `npm run sim:all` is the same with a table of the scenarios.
 */
import { neededOf } from '../mesh/core/quorum.ts'
import { rateBound95 } from '../mesh/sim/scenario/statistics.ts'
import { defineBench } from './bench.ts'
import { campaignOf, EXPOSED_HOURS, lineOf, runCampaign } from './sim/campaign.ts'
import { addUp, sumOf } from './sim/record.ts'

/** Observers of a subject. */
const ASSIGNED = 10
/** H - 2: two more liars would still convict nobody (docs/protocol.md section 8). */
const VOTES_MAX = neededOf(ASSIGNED, ASSIGNED) - 2

export const falseVerdicts = defineBench({
  name: 'false',
  summary: 'verdicts about nodes that live, in every scenario of the simulator, and how near it came to one',
  options: {
    hours: { summary: 'how long to go on', default: 0.1 },
    seeds: { summary: 'of the runs, A..B', default: '1..1000000' },
    scenario: { summary: 'names, separated by commas; empty: all', default: '' },
    record: { summary: 'file of earlier runs, which count too, and to which these are added', default: '' },
  },
  async run({ hours, seeds, scenario, record }, progress) {
    const orNone = (text: string) => (text === '' ? undefined : text)
    const campaign = campaignOf({ scenarios: orNone(scenario), seeds, hours, out: orNone(record) })
    const { records } = await runCampaign(campaign, (run) => progress(lineOf(run)))
    const sums = campaign.names.map((name) => sumOf(name, records))
    const total = (of: (sum: (typeof sums)[number]) => number) => sums.reduce((all, sum) => all + of(sum), 0)
    const exposed = total(({ exposedNodeHours }) => exposedNodeHours)
    const wrong = total((sum) => sum.falseVerdicts)
    const votes = addUp(sums.map(({ votesAgainstHealthy }) => votesAgainstHealthy))
    const falseOnes = { name: 'false verdicts', value: wrong, unit: 'verdicts' }
    const most = {
      name: 'most votes at once against a node nothing was wrong with',
      value: votes.length - 1,
      unit: 'votes',
    }
    const least = {
      name: 'exposed, in the scenario with the least',
      value: Math.min(...sums.map(({ exposedNodeHours }) => exposedNodeHours)),
      unit: 'node-hours',
    }
    const unmet = { name: 'runs whose outcome was not met', value: total(({ runs, met }) => runs - met), unit: 'runs' }
    return {
      settings: { hours, seeds, scenarios: campaign.names.length, runs: total(({ runs }) => runs) },
      results: [
        { name: 'exposed', value: exposed, unit: 'node-hours' },
        falseOnes,
        { name: 'false verdicts, 95 % bound', value: rateBound95(wrong, exposed), unit: 'per exposed node-hour' },
        unmet,
        ...sums.flatMap(({ scenario: name, exposedNodeHours, falseVerdicts: count }) => [
          { name: `${name}: exposed`, value: exposedNodeHours, unit: 'node-hours' },
          { name: `${name}: 95 % bound`, value: rateBound95(count, exposedNodeHours), unit: 'per exposed node-hour' },
        ]),
        ...votes.map((value, index) => ({
          name: `nodes with ${index} votes against them at most`,
          value,
          unit: 'nodes',
        })),
      ],
      targets: [
        { ...falseOnes, op: '<=', target: 0 },
        { ...unmet, op: '<=', target: 0 },
        { ...most, op: '<=', target: VOTES_MAX },
        { ...least, op: '>=', target: EXPOSED_HOURS },
      ],
    }
  },
})
