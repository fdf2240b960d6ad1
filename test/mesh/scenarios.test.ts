/** A short cut of every scenario that comes with Starling, with a fixed seed: what it requires, and every invariant. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, test } from 'vitest'
import { readScenario, scenarioNames } from '../../cli/sim/scenario-file.ts'
import { StarlingError } from '../../common/errors.ts'
import { armOf, runRival } from '../../mesh/sim/scenario/compare.ts'
import { runScenario } from '../../mesh/sim/scenario/run.ts'
import { quantile, rateBound95 } from '../../mesh/sim/scenario/statistics.ts'

/** All of them take half a minute on two cores. */
const NODES_MAX = 30
const MINUTES_MAX = 1.5
const SEED = 1

/** It must fail, so that it is seen that the checkers are awake. */
const CANARY = 'canary'

/** Where the mesh does not do yet what it owes, and what it does instead. Whoever repairs it takes the line out. */
const FAILING: Readonly<Record<string, string>> = {}

describe('scenario', () => {
  test.each(scenarioNames().filter((name) => name !== CANARY))('%s', (name) => {
    const scenario = readScenario(name)
    expect(scenario.name).toBe(name)
    const nodes = Math.min(NODES_MAX, scenario.nodes)
    const minutes = Math.min(MINUTES_MAX, scenario.minutes)
    const { reasons, broken } = runScenario({ scenario, nodes, minutes, seed: SEED })
    if (name in FAILING) expect([broken, reasons]).not.toEqual([undefined, []])
    else expect({ reasons, broken }).toEqual({ reasons: [], broken: undefined })
  })

  test('canary breaks an invariant, which is named with its node, time and what was seen', () => {
    const { met, broken } = runScenario({ scenario: readScenario(CANARY), nodes: 16, minutes: 1, seed: SEED })
    expect(met).toBe(false)
    expect(broken).toEqual({
      invariant: '3, a silent host is marked in time',
      node: 'node-1',
      atMs: 5_000,
      seen: 'its host has been silent for 4.0 s, enough observers are fit',
    })
  })

  test('with enough liars to convict breaks the invariant that the truth is on the other side of', () => {
    const honest = readScenario('liars-accuse')
    const groups = { ...honest.groups, liars: { withLeader: false, observersOf: 'subject', count: 8 } }
    const scenario = {
      ...honest,
      groups,
      faults: honest.faults.slice(0, 1).map((fault) => ({ ...fault, about: 'subject' })),
    }
    const { broken } = runScenario({ scenario, nodes: 11, minutes: 1, seed: SEED })
    expect(broken?.invariant).toBe('2, a node whose host answers is never held for dead')
  })

  test('gives the same run for the same seed, and another for another', () => {
    const scenario = readScenario('loss-30')
    const run = (seed: number) => runScenario({ scenario, nodes: 11, minutes: 0.5, seed })
    expect(run(3)).toEqual(run(3))
    expect(run(4).moments).not.toEqual(run(3).moments)
  })

  test('stages the same faults for detectors that are compared', () => {
    const options = { scenario: readScenario('host-silent'), nodes: 16, minutes: 1.5, seed: SEED }
    const starling = armOf(runScenario(options))
    for (const rival of ['swim', 'lifeguard'] as const) {
      const arm = runRival(rival, options)
      expect([arm.due, arm.found, arm.falseDeaths]).toEqual([starling.due, starling.found, 0])
      expect(arm.detection.p50).toBeGreaterThan(starling.detection.p50 ?? Number.POSITIVE_INFINITY)
    }
  })
})

describe('a scenario file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'starling-scenario-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  const GOOD = [
    'name: mine',
    'stages: Something.',
    'requires: Something.',
    'nodes: 16',
    'minutes: 1',
    'groups: { some: { count: 2 } }',
    'faults:',
    '  - { fault: loss, on: some, share: 0.5, at: [1s, 2s] }',
    'outcome: {}',
  ].join('\n')

  /** What reading this text is refused with: message and remedy. */
  function refusal(text: string): string {
    const file = join(folder, 'mine.yaml')
    writeFileSync(file, text)
    try {
      readScenario(file)
    } catch (error) {
      if (error instanceof StarlingError) return `${error.message.replace(folder, '')}\n${error.remedy ?? ''}`
      throw error
    }
    return ''
  }

  it('is read from anywhere', () => expect(refusal(GOOD)).toBe(''))

  it.each([
    ['an unknown key', GOOD.replace('share: 0.5', 'shaer: 0.5'), ['/mine.yaml:8', 'unknown key "shaer"', '"share"']],
    ['a duration', GOOD.replace('2s]', '2sec]'), ['/mine.yaml:8', 'as in 30s']],
    ['a range', GOOD.replace('[1s, 2s]', '[2s, 1s]'), ['/mine.yaml:8', 'the shorter duration first']],
    ['a group', GOOD.replace('on: some', 'on: others'), ['/mine.yaml:8', 'no group "others": everybody, some']],
    ['a fault', GOOD.replace('fault: loss', 'fault: rain'), ['/mine.yaml:8', 'faults.0.fault']],
    ['a missing part', GOOD.replace('nodes: 16', ''), ['nodes', 'docs/simulator.md']],
    ['YAML', `${GOOD}\n  - [`, ['/mine.yaml:10', 'not valid YAML']],
  ])('that is wrong in %s is refused with file, line and remedy', (_, text, said) => {
    for (const words of said) expect(refusal(text)).toContain(words)
  })

  it('that does not exist is answered with the nearest name', () => {
    expect(() => readScenario('host-silnet')).toThrow(
      expect.objectContaining({ remedy: 'did you mean "host-silent"?' }),
    )
  })
})

describe('figures', () => {
  it('bound a rate: the rule of three when nothing was seen, more when something was', () => {
    expect(rateBound95(0, 1_000)).toBeCloseTo(0.003, 5)
    expect(rateBound95(1, 1)).toBeCloseTo(4.74, 2)
    expect(rateBound95(0, 0)).toBe(Number.POSITIVE_INFINITY)
  })

  it('give quantiles that were measured', () => {
    const values = Array.from({ length: 100 }, (_, index) => index + 1)
    expect([quantile(values, 0.5), quantile(values, 0.99), quantile([7], 0.5)]).toEqual([50, 99, 7])
    expect(quantile([], 0.5)).toBeNaN()
  })
})
