/** A short cut of every scenario that comes with Starling, with a fixed seed: what it requires, and every invariant. */
import { describe, expect, test } from 'vitest'
import { readScenario, scenarioNames } from '../../cli/sim/scenario-file.ts'
import { runScenario } from '../../mesh/sim/scenario/run.ts'

/** Small enough for all of them to take a minute on two cores. */
const CUTS: Readonly<Record<string, { readonly nodes: number; readonly minutes: number }>> = {
  'host-silent': { nodes: 16, minutes: 3 },
  'loss-30': { nodes: 16, minutes: 0.5 },
}

const CANARY = 'canary'

/** Where the mesh does not do yet what it owes, and what it does. Whoever repairs it takes the line out. */
const FAILING: Readonly<Record<string, string>> = {}

describe('scenario', () => {
  test.each(scenarioNames().filter((name) => name !== CANARY))('%s', (name) => {
    const scenario = readScenario(name)
    const cut = CUTS[name] ?? { nodes: 16, minutes: 1 }
    const { reasons, broken } = runScenario({ scenario, ...cut, seed: 1 })
    if (name in FAILING) expect([broken, reasons]).not.toEqual([undefined, []])
    else expect({ reasons, broken }).toEqual({ reasons: [], broken: undefined })
  })

  test('canary breaks an invariant, which is named with its node, time and what was seen', () => {
    const { met, broken } = runScenario({ scenario: readScenario(CANARY), nodes: 16, minutes: 1, seed: 1 })
    expect(met).toBe(false)
    expect(broken).toEqual({
      invariant: '3, a silent host is marked in time',
      node: 'node-1',
      atMs: 5_000,
      seen: 'its host has been silent for 4.0 s, enough observers are fit',
    })
  })
})
