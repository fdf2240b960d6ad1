/** Simulates what it is sent, one run at a time, so that every processor has one to do. */
import { parentPort } from 'node:worker_threads'
import { readScenario } from '../../cli/sim/scenario-file.ts'
import { runScenario } from '../../mesh/sim/scenario/run.ts'

export interface Task {
  readonly scenario: string
  readonly seed: number
}

parentPort?.on('message', ({ scenario: name, seed }: Task) => {
  const scenario = readScenario(name)
  const startedAt = performance.now()
  const result = runScenario({ scenario, seed, nodes: scenario.nodes, minutes: scenario.minutes })
  parentPort?.postMessage({ result, wallSeconds: (performance.now() - startedAt) / 1_000 })
})
