/**
 * What the built-in detectors cost this host: a sweep of all of them, the engine at rest, and the Prometheus node exporter
 * beside them. Each part measures something by itself and adds its figures.
 */
import { builtinDetectors } from '../detectors/index.ts'
import { defineBench } from './bench.ts'
import { exporterPart } from './detectors/node-exporter.ts'
import { steadyPart } from './detectors/steady.ts'
import { sweepPart } from './detectors/sweep.ts'

export const detectors = defineBench({
  name: 'detectors',
  summary: 'processor time and memory of all detectors, by look and at rest, and of the Prometheus node exporter',
  options: {
    rounds: { summary: 'how often all detectors look once, one after the other', default: 11 },
    seconds: { summary: 'how long the engine is measured, and the exporter', default: 120 },
    settle: { summary: 'seconds to wait before, for first looks to be over', default: 20 },
    every: { summary: 'seconds between two scrapes of the exporter', default: 15 },
    port: { summary: 'port of the exporter', default: 27_910 },
  },
  async run({ rounds, seconds, settle, every, port }, progress) {
    const sweep = await sweepPart(rounds, progress)
    const [steady, exporter] = await Promise.all([
      steadyPart({ seconds, settle }, progress),
      exporterPart({ port, every, seconds }, progress),
    ])
    const parts = [sweep, steady, exporter]
    return {
      settings: { rounds, seconds, settle, every, detectors: builtinDetectors.length },
      results: parts.flatMap(({ results }) => results),
      targets: parts.flatMap(({ targets }) => targets),
    }
  },
})
