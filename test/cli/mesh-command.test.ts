/** `starling mesh`: who sees whom, and the end of a freeze. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createSamplePort } from '../aggregator/sample-port.ts'
import { type ServedSample, serveSample, TOKEN } from '../aggregator/serve-sample.ts'
import { type RunOptions, run } from './harness.ts'

let served: ServedSample
let env: Record<string, string>
beforeAll(async () => {
  served = await serveSample()
  env = { STARLING_URL: served.url, STARLING_TOKEN: TOKEN }
})
afterAll(() => served.close())
beforeEach(() => served.sample.change(createSamplePort().snapshot()))

const cli = (args: string, options: RunOptions = {}) => run(args.split(' '), { env, ...options })
const rows = (stdout: string) => stdout.trimEnd().split('\n').slice(1)

describe('mesh matrix', () => {
  const sample = () => createSamplePort().matrix()
  const whole = () => {
    served.sample.matrix = () => sample().map((row) => ({ ...row, disputed: false, sights: row.sights.slice(0, 1) }))
  }
  beforeEach(() => {
    served.sample.matrix = sample
  })

  it('draws the nodes in dispute, with what the glyphs mean, and fails with 3', async () => {
    const { stdout, code } = await cli('mesh matrix')
    expect(stdout.split('\n').map((text) => text.split(/ {2,}/))).toEqual([
      ['SUBJECT', 'STATE', 'node-1', 'node-2', 'node-3', 'node-5'],
      ['node-4', 'NodeDown', '✕ 2s', '✕ 2s', '✕ 2s', '– 2s'],
      [''],
      ['✕ nothing answers', '– abstains'],
      [''],
    ])
    expect(code).toBe(3)
  })

  it('draws all of them, each hearing the others, and no column for itself', async () => {
    const { stdout } = await cli('mesh matrix --all')
    const cells = rows(stdout).map((text) => text.split(/ {2,}/))
    expect(cells[1]).toEqual(['node-2', 'alive', '●', '·', '●', '?', '●'])
    expect(cells).toHaveLength(7)
  })

  it('tells all that is known of the nodes that are named', async () => {
    const { stdout, code } = await cli('mesh matrix node-1 node-4')
    expect(stdout).toContain('node-1 is alive, heard by 3 of 4 observers\n')
    expect(stdout).toContain('node-4 is NodeDown, heard by 0 of 4 observers\n')
    expect(stdout).toMatch(/^node-5 {4}b {5}– abstains {9}unknown {7}2s {3}roll-call$/m)
    expect(stdout).toMatch(/^node-4 {4}a {5}\? says nothing about it {2}unknown {7}- {4}none$/m)
    expect(code).toBe(3)
    expect((await cli('mesh matrix node-1')).code).toBe(0)
    expect((await cli('mesh matrix nod-4')).stderr).toContain('did you mean node-4?')
  })

  it('names the observers of each node where there are many', async () => {
    served.sample.matrix = () =>
      sample().map((row) => {
        const [sight] = row.sights
        if (sight === undefined) throw new Error('a node without observers')
        const sights = Array.from({ length: 4 }, (_, n) => ({ ...sight, observer: `${row.subject}.${n}` }))
        return { ...row, sights }
      })
    const { stdout } = await cli('mesh matrix --all')
    expect(stdout).toMatch(/^SUBJECT {2}STATE {5}SEEN BY +NOT SEEN BY$/m)
    expect(stdout).toMatch(/^node-4 +NodeDown +- +✕ node-4\.0, ✕ node-4\.1, ✕ node-4\.2, ✕ node-4\.3$/m)
  })

  it('says so when nothing is in dispute', async () => {
    whole()
    const { stdout, code } = await cli('mesh matrix')
    expect(stdout).toBe(
      'No node is in dispute: no observer misses any of the 5 members, and nobody says anything about 1 of them.\n',
    )
    expect(code).toBe(0)
    const json = await cli('mesh matrix -o json')
    expect(JSON.parse(json.stdout)).toEqual({
      apiVersion: 'starling.mesh/v1alpha1',
      kind: 'MatrixRowList',
      items: [],
    })
    expect(json.code).toBe(0)
  })

  it('colours only where colours are wanted', async () => {
    const forced = await cli('mesh matrix', { env: { ...env, FORCE_COLOR: '1' } })
    expect(forced.stdout).toContain('\u001b[31m✕ 2s')
    const refused = await cli('mesh matrix', { env: { ...env, NO_COLOR: '1' } })
    expect(refused.stdout).not.toContain('\u001b')
  })
})

describe('mesh release', () => {
  const release = (...args: readonly string[]) => run(['mesh', 'release', ...args], { env })

  it('ends a freeze, with a reason, and fails when there is none', async () => {
    served.sample.change({ mesh: { ...served.sample.snapshot().mesh, frozen: 'too many' } })
    const empty = await release('--reason', ' ')
    expect([empty.code, empty.stderr]).toEqual([1, expect.stringContaining('Say why.')])
    const bare = await release()
    expect(bare.stderr).toContain('--reason')
    const { stdout, code } = await release('--reason', 'the switch was replaced')
    expect([stdout, code]).toEqual(['freeze ended by local-token (cli): the switch was replaced\n', 0])
    const again = await release('--reason', 'once more')
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('nothing is frozen')])
  })
})
