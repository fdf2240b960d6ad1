/** `starling sim` as people and scripts use it; what the scenarios come to is in test/mesh/scenarios.test.ts. */
import { describe, expect, it } from 'vitest'
import { scenarioNames } from '../../cli/sim/scenario-file.ts'
import { run } from './harness.ts'

const sim = (args: string) => run(['sim', ...args.split(' ')])
const SHORT = '--scenario host-silent --nodes 11 --minutes 1'

describe('sim', () => {
  it('tells what is staged, what is required and what came of it, and ends with 0', async () => {
    const { stdout, stderr, code } = await sim(SHORT)
    expect(stdout).toMatch(/^host-silent: One host after another falls silent/)
    expect(stdout).toMatch(/^required: NodeDown/m)
    expect(stdout).toMatch(/^found +2 \(100\.0 %\)$/m)
    expect(stdout).toMatch(/^1\.0 s +host down node-1$/m)
    expect(stdout).toMatch(/^outcome: met$/m)
    // No progress where nobody watches.
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })

  it('names a broken invariant with node, time and what was seen, and the line that shows it again', async () => {
    const { stdout, code } = await sim('--scenario canary --minutes 1 --seed 7')
    expect(stdout).toMatch(
      /^invariant broken: 3, a silent host is marked in time\n {2}5\.0 s node-1: its host has been/m,
    )
    expect(stdout).toMatch(/^outcome: NOT met$/m)
    expect(stdout).toMatch(/^replay: starling sim --scenario canary --nodes 16 --seed 7 --minutes 1$/m)
    expect(code).toBe(3)
  })

  it.each(['--json', '-o json'])('prints versioned JSON alone with %s', async (flag) => {
    const { stdout, code } = await sim(`${SHORT} ${flag} --against swim`)
    const { kind, items } = JSON.parse(stdout)
    expect(kind).toBe('SimulationList')
    expect(items).toHaveLength(1)
    expect(items[0]).toMatchObject({ scenario: 'host-silent', nodes: 11, seed: 1, met: true, kills: 2, found: 2 })
    expect(items[0].arms.map(({ arm }: { arm: string }) => arm)).toEqual(['starling', 'swim'])
    expect(code).toBe(0)
  })

  it('sets others beside it', async () => {
    const { stdout } = await sim(`${SHORT} --against swim,lifeguard`)
    expect(stdout).toMatch(/^SIDE BY SIDE +starling +swim +lifeguard$/m)
    expect(stdout).toMatch(/^false deaths of healthy members +0 +0 +0$/m)
  })

  it('lists the scenarios', async () => {
    const { stdout, code } = await sim('--list')
    for (const name of scenarioNames()) expect(stdout).toMatch(new RegExp(`^${name} {2,}\\S`, 'm'))
    expect(code).toBe(0)
  })

  it.each([
    ['--seed 1', 'no scenario is given'],
    ['--scenario host-silnet', 'did you mean "host-silent"?'],
    ['--scenario ./nowhere.yaml', 'cannot read ./nowhere.yaml'],
    [`${SHORT} --against rapid`, '--against does not know "rapid"'],
    ['--scenario zone-lost --nodes 1', '--nodes must be 2 to'],
    ['--scenario liars-accuse --nodes 3', 'group "honest" has no member in a mesh of 3'],
  ])('with %s says what is wrong, and ends with 2', async (args, said) => {
    const { stdout, stderr, code } = await sim(args)
    expect(stderr).toContain(said)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })
})
