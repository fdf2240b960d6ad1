/** What people run about marking: what it would do, and taking it all off again. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ServedSample, serveSample, TOKEN } from '../aggregator/serve-sample.ts'
import { run } from './harness.ts'

let served: ServedSample
let folder: string
beforeAll(async () => {
  served = await serveSample()
  folder = mkdtempSync(join(tmpdir(), 'starling-marking-'))
})
afterAll(async () => {
  await served.close()
  rmSync(folder, { recursive: true })
})

const cli = (args: string) => run(args.split(' '), { env: { STARLING_URL: served.url, STARLING_TOKEN: TOKEN } })

it('plan lists each mark with its length, votes, effect, and what Kubernetes did', async () => {
  const { stdout, code } = await cli('plan --marking --since 10000d')
  expect(stdout.split('\n')[0]).toMatch(/^TIME +NODE +VERDICT +LASTED +VOTES +EFFECT +KUBERNETES +WHY$/)
  expect(stdout).toMatch(
    /node-2 +NodeDown +1m +6 silent, 0 alive, 0 abstained \(4 needed\) +would-mark +after 40s +mode observe/,
  )
  expect(code).toBe(0)
  const json = JSON.parse((await cli('plan --marking --since 10000d -o json')).stdout)
  expect(json).toMatchObject({ kind: 'WouldBeMarkList', items: [{ node: 'node-2', stock: { afterMs: 40_000 } }] })
  expect(JSON.parse((await cli('plan --marking --since 1ms -o json')).stdout).items).toEqual([])
})

it('plan says what is missing or wrong', async () => {
  const nothing = await cli('plan')
  expect([nothing.code, nothing.stderr]).toEqual([2, 'say what to plan\nthe one there is: --marking\n'])
  expect((await cli('plan --marking --since yesterday')).stderr).toContain('Give a length of time, as 12h or 7d.')
})

it('uninstall says what it cannot read or reach', async () => {
  const missing = await cli(`uninstall --kubeconfig ${join(folder, 'none')}`)
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('cannot read')])
  const kubeconfig = join(folder, 'config')
  const clusters = [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }]
  const contexts = [{ name: 'x', context: { cluster: 'c', user: 'u' } }]
  const users = [{ name: 'u', user: {} }]
  writeFileSync(kubeconfig, JSON.stringify({ clusters, users, contexts, 'current-context': 'x' }))
  const away = await cli(`uninstall --kubeconfig ${kubeconfig} --dry-run`)
  expect([away.code, away.stderr]).toEqual([1, expect.stringContaining('the API server is not reached')])
})
