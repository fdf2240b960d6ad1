/** What the command line tells of a roster that follows a cluster, and `starling roster release`. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { createSamplePort } from '../aggregator/sample-port.ts'
import { type ServedSample, serveSample, TOKEN } from '../aggregator/serve-sample.ts'
import { run } from './harness.ts'

const HELD = { kind: 'removals', nodes: ['node-1', 'node-2'], why: '2 gone is more than 1 of 5 live members' } as const

let served: ServedSample
let env: Record<string, string>
beforeAll(async () => {
  served = await serveSample()
  env = { STARLING_URL: served.url, STARLING_TOKEN: TOKEN }
})
afterAll(() => served.close())
beforeEach(() => served.sample.change(createSamplePort().snapshot()))

const cli = (...args: readonly string[]) => run([...args], { env })

it('members tells which Nodes are not covered and why, what waits, and that the cluster does not answer', async () => {
  const uncovered = [{ node: 'node-9', why: 'no agent has enrolled on it' }]
  served.sample.change({ roster: { stalled: 'nodes is forbidden', uncovered, held: [HELD] } })
  const { stderr } = await cli('members')
  expect(stderr).toContain('node-9: not covered: no agent has enrolled on it\n')
  expect(stderr).toContain(
    'Waiting for `starling roster release`: 2 gone is more than 1 of 5 live members (node-1, node-2)',
  )
  expect(stderr).toContain('The roster does not follow the cluster: nodes is forbidden\n')
})

it('members says nothing of it without a cluster', async () => {
  expect((await cli('members')).stderr).not.toMatch(/cover|roster/)
})

it('release lets through what waits, and says what it was', async () => {
  served.sample.change({ roster: { stalled: null, uncovered: [], held: [HELD] } })
  const { stdout, code } = await cli('roster', 'release', '--reason', 'the rack was sold')
  expect([code, stdout]).toEqual([0, 'let through by local-token (cli): node-1, node-2\n'])
  expect(served.sample.releases.at(-1)).toMatchObject({ reason: 'the rack was sold', via: 'cli' })
})

it('release is refused when nothing waits, and without a reason', async () => {
  const { stderr, code } = await cli('roster', 'release', '--reason', 'x')
  expect([code, stderr]).toEqual([1, expect.stringContaining('no change of the roster waits')])
  expect((await cli('roster', 'release')).code).not.toBe(0)
})
