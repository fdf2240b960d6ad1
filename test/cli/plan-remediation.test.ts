/** What people read before they let a fix go by itself. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ServedSample, serveSample, TOKEN } from '../aggregator/serve-sample.ts'
import { run } from './harness.ts'

let served: ServedSample
beforeAll(async () => {
  served = await serveSample()
})
afterAll(() => served.close())

const cli = (args: string) => run(args.split(' '), { env: { STARLING_URL: served.url, STARLING_TOKEN: TOKEN } })

it('tells for each rule what it would have done, and what each fix has earned', async () => {
  const { stdout, code } = await cli('plan --remediation --since 7d')
  const lines = stdout.split('\n')
  expect(lines[0]).toMatch(/^POLICY +MODE +FIX +FAULT +POOL +FAULTS +WENT AWAY +AFTER +BEGUN +CAME TO +REFUSED BY$/)
  expect(lines[1]).toMatch(/^queues +approve +sysctl +SomaxconnLow +web +22 +2 +1.5m +20 +20 verified +budget-pool 3$/)
  expect(lines[2]).toMatch(/^remediators\.disk-clean +observe +disk-clean +DiskAlmostFull +- +4 +0 +- +0 +- +-$/)
  expect(lines[4]).toMatch(/^FIX +FAULT +POOL +MODE +90 DAYS +SUGGESTION +WHY$/)
  expect(lines[5]).toMatch(/^sysctl +SomaxconnLow +web +approve +20 verified +promote to auto +the last 20 helped/)
  expect(code).toBe(0)
})

it('gives the same as JSON, and says when there was nothing', async () => {
  const json = JSON.parse((await cli('plan --remediation -o json')).stdout)
  expect(json).toMatchObject({ kind: 'RemediationReport', items: [{ rules: [{ policy: 'queues' }, {}] }] })
  served.sample.remediationPlan = (since) => ({ since, rules: [], records: [] })
  expect((await cli('plan --remediation')).stdout).toMatch(/^no plan since \d{4}-/)
  expect((await cli('plan --remediation --marking')).code).toBe(2)
})
