/** What the command line tells of guards that hold a plan back, and how remediation is paused and let go on. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { EventKind } from '../../aggregator/model.ts'
import { planEventId } from '../../aggregator/remediation-model.ts'
import { NO_PERMITS } from '../aggregator/sample-permits.ts'
import { createSamplePort, PLAN_ID } from '../aggregator/sample-port.ts'
import { type ServedSample, serveSample, TOKEN } from '../aggregator/serve-sample.ts'
import { run } from './harness.ts'

const AT = '2026-03-14T09:26:53.000Z'
const guards = [{ guard: 'pause', allowed: false, why: 'paused for 2h: everything by local-token', restMs: 60_000 }]
const REFUSAL = { node: 'node-2', planId: PLAN_ID, at: AT, guards, retryAfterMs: 3_600_000 }

let served: ServedSample
let env: Record<string, string>
beforeAll(async () => {
  served = await serveSample()
  env = { STARLING_URL: served.url, STARLING_TOKEN: TOKEN }
})
afterAll(() => served.close())
beforeEach(() => served.sample.change(createSamplePort().snapshot()))

const cli = (...args: readonly string[]) => run(['remediations', ...args], { env })

it('list and show name the guards that said no, and show says why', async () => {
  served.sample.change({ permits: { ...NO_PERMITS, refused: [REFUSAL] } })
  expect((await cli('list')).stdout.split('\n')[1]).toMatch(/pause *$/)
  const { stdout } = await cli('show', PLAN_ID)
  expect(stdout).toContain('  net.core.somaxconn: 128 → 4096 (undo: sysctl -w net.core.somaxconn=128)\n')
  expect(stdout).toContain(', asked again in 1h:\n  pause: paused for 2h: everything by local-token\n')
  const json = JSON.parse((await cli('show', PLAN_ID, '-o', 'json')).stdout)
  expect(json.items).toMatchObject([{ plan: { id: PLAN_ID }, refusal: { guards } }])
  expect((await cli('show', 'nope')).stderr).toContain('there is no plan nope')
})

it('show names the permit that has no outcome yet', async () => {
  const permit = { id: 'permit-1', node: 'node-2', planId: PLAN_ID, remediator: 'sysctl', at: AT }
  served.sample.change({ permits: { ...NO_PERMITS, outstanding: [permit] } })
  expect((await cli('show', PLAN_ID)).stdout).toContain('by permit-1; no outcome yet')
})

it('show tells how a plan came to where it stands, and nothing of others', async () => {
  const plan = served.sample.snapshot().remediations.find(({ plan: { id } }) => id === PLAN_ID)?.plan
  if (plan === undefined) throw new Error(`the sample has no ${PLAN_ID}`)
  const began = planEventId(plan)
  const event = (id: string, kind: EventKind, summary: string, causedBy: string) =>
    served.sample.emit({ id, at: AT, kind, node: 'node-2', tone: 'info', summary, causedBy, data: {} })
  event('f-1', 'finding', 'SysctlDiffers (warn)', '')
  event('other', 'plan', 'another plan for the same', 'f-1')
  event(began, 'plan', 'sysctl would change it', 'f-1')
  event('p-1', 'permit', 'sysctl may begin', began)
  event('r-1', 'remediation', 'applying: the leader permits it', 'p-1')
  event('o-1', 'remediation', 'reverted: of the other', 'other')
  const { stdout } = await cli('show', PLAN_ID)
  expect(stdout).toContain('; policy remediators.sysctl in mode approve, rung 1, attempt 1\n')
  expect(stdout).toMatch(
    /\n\nHow it came to that\n.* {2}finding: S.*\n.*└─ plan: sysctl would.*\n.*└─ permit: .*\n.*└─ remediation: applying: .*\n$/,
  )
  const [item] = JSON.parse((await cli('show', PLAN_ID, '-o', 'json')).stdout).items
  expect(item.events.map(({ id }: { id: string }) => id)).toEqual(['f-1', began, 'p-1', 'r-1'])
})

it('pause, pauses and resume are of one scope', async () => {
  const paused = await cli('pause', '--pool', 'gpu', '--for', '2h', '--reason', 'we are moving')
  expect([paused.code, paused.stdout]).toEqual([0, expect.stringContaining('by local-token: we are moving')])
  expect((await cli('pauses')).stdout).toMatch(/pool gpu +.* local-token +we are moving/)
  const other = await cli('resume', '--reason', 'done')
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('no such pause')])
  expect((await cli('resume', '--pool', 'gpu', '--reason', 'done')).code).toBe(0)
  expect(served.sample.snapshot().permits.pauses).toEqual([])
})

it.each([
  [['pause', '--reason', 'r']],
  [['pause', '--for', '2h']],
  [['pause', '--for', 'long', '--reason', 'r']],
  [['pause', '--for', '2h', '--pool', 'a', '--node', 'b', '--reason', 'r']],
  [['release', '--pool', 'a', '--fault', 'B', '--reason', 'r']],
])('%j is refused', async (args) => {
  expect((await cli(...args)).code).not.toBe(0)
  expect(served.sample.snapshot().permits.pauses).toEqual([])
})

it('release says of what', async () => {
  expect((await cli('release', '--fault', 'DiskFull', '--reason', 'r')).stdout).toContain('"name":"DiskFull"')
})
