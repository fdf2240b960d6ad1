/** What the aggregator's memory can take: each part measures one thing that an installation of the largest size asks of it. */
import { freshInspection } from './aggregator/fresh.ts'
import type { Part, PartOutcome } from './aggregator/part.ts'
import { defineBench } from './bench.ts'

const PARTS: readonly Part[] = [freshInspection]

export const aggregator = defineBench({
  name: 'aggregator',
  summary: 'what the aggregator remembers, inspects and tells, at the largest sizes',
  options: {
    parts: {
      summary: `of ${PARTS.map(({ name }) => name).join(', ')}`,
      default: PARTS.map(({ name }) => name).join(','),
    },
    seed: { summary: 'of everything random', default: 1 },
  },
  async run({ parts, seed }, progress) {
    const wanted = parts.split(',')
    const outcomes: PartOutcome[] = []
    for (const part of PARTS.filter(({ name }) => wanted.includes(name)))
      outcomes.push(await part.run({ seed }, progress))
    return {
      settings: { parts, seed },
      results: outcomes.flatMap(({ results }) => results),
      targets: outcomes.flatMap(({ targets }) => targets),
    }
  },
})
