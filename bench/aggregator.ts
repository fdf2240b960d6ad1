/** What the aggregator's memory can take: each part measures one thing that an installation of the largest size asks of it. */
import { freshInspection } from './aggregator/fresh.ts'
import { agentsInspection } from './aggregator/fresh-agents.ts'
import { ingest, ingestOfAll } from './aggregator/ingest.ts'
import { stateInspection } from './aggregator/inspection.ts'
import type { Part, PartOutcome } from './aggregator/part.ts'
import { store } from './aggregator/store.ts'
import { defineBench } from './bench.ts'

const PARTS: readonly Part[] = [ingest, ingestOfAll, stateInspection, freshInspection, agentsInspection, store]

export const aggregator = defineBench({
  name: 'aggregator',
  summary: 'what the aggregator remembers, inspects and tells, at the largest sizes',
  options: {
    parts: {
      summary: `of ${PARTS.map(({ name }) => name).join(', ')}`,
      default: PARTS.map(({ name }) => name).join(','),
    },
    seed: { summary: 'of everything random', default: 1 },
    days: { summary: 'of history, of 5,000 nodes with 20 transitions a day each', default: 90 },
    seconds: { summary: 'of findings that come and go, a thousand a second', default: 60 },
  },
  async run({ parts, ...size }, progress) {
    const wanted = parts.split(',')
    const outcomes: PartOutcome[] = []
    for (const part of PARTS.filter(({ name }) => wanted.includes(name))) outcomes.push(await part.run(size, progress))
    return {
      settings: { parts, ...size },
      results: outcomes.flatMap(({ results }) => results),
      targets: outcomes.flatMap(({ targets }) => targets),
    }
  },
})
