/** The aggregator's memory: how large it becomes, and how soon it answers. */
import { storeFigures } from './aggregator/store.ts'
import { defineBench } from './bench.ts'

export const aggregator = defineBench({
  name: 'aggregator',
  summary: "the aggregator's memory: size of its history on disk, and times of the queries of a page",
  options: {
    nodes: { summary: 'nodes of the fleet', default: 5_000 },
    transitions: { summary: 'events of each node on each day', default: 20 },
    days: { summary: 'days of history', default: 90 },
    queries: { summary: 'times that each query is asked', default: 100 },
  },
  async run(options, progress) {
    return { settings: { ...options }, ...(await storeFigures(options, progress)) }
  },
})
