import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServedSample, serveSample, TOKEN } from '../aggregator/serve-sample.ts'
import { said } from '../unit/inspection/fleet.ts'
import { run } from './harness.ts'

let served: ServedSample
let env: Record<string, string>
beforeAll(async () => {
  served = await serveSample()
  env = { STARLING_URL: served.url, STARLING_TOKEN: TOKEN }
})
afterAll(() => served.close())

const cli = (args: string, more: Record<string, string> = {}) => run(args.split(' '), { env: { ...env, ...more } })

describe('inspect', () => {
  it('shows roles side by side, who is silent and why, and fails with 3', async () => {
    const { stdout, stderr, code } = await cli('inspect --role compute --check conntrack')
    expect(stdout).toMatch(/^Inspection \d{4}-\d\d-\d\d \d\d:\d\d \+05:45 {2}sample-mesh {2}4 nodes/)
    expect(stdout).toContain('compute nodes (4)')
    expect(stdout).toContain('node-4  NodeDown: convicted by its observers')
    expect(stdout).not.toContain('\u001b')
    expect(stderr).toBe('')
    expect(code).toBe(3)
  })

  it('speaks the language of its terminal, unless told another', async () => {
    expect((await cli('inspect --check conntrack', { LANG: 'zh_CN.UTF-8' })).stdout).toContain('计算节点')
    expect((await cli('inspect --check conntrack --lang en', { LANG: 'zh_CN.UTF-8' })).stdout).toContain(
      'compute nodes',
    )
  })

  it('prints JSON, Markdown, HTML with links to the page, and CSV', async () => {
    const [json, md, html, csv] = await Promise.all(
      ['json', 'md', 'html', 'csv'].map((form) => cli(`inspect --check conntrack -o ${form}`)),
    )
    expect(JSON.parse(json?.stdout ?? '')).toMatchObject({ kind: 'InspectionRun', mesh: 'sample-mesh' })
    expect(md?.stdout).toMatch(/^# Inspection /)
    expect(html?.stdout).toContain(`href="${served.url}/#/inspections/`)
    expect(csv?.stdout).toMatch(/^at,role,/)
  })

  it('waits for a fresh one, and says when there can be none', async () => {
    const refused = await cli('inspect --fresh')
    expect(refused.stderr).toContain('nodes cannot be asked anew by this aggregator')
    expect(refused.code).toBe(1)
    served.inspected.fresh = async ({ nodes }) => ({
      rows: nodes.map((node) => said(node, { load: 'ok' })),
      missing: [],
    })
    const { stdout, code } = await cli('inspect --fresh --check load --all')
    expect(stdout).toContain('every node was asked')
    expect(stdout).toContain('Coverage: 5 of 5 nodes were heard')
    expect(code).toBe(0)
    served.inspected.fresh = async ({ nodes }) => ({
      rows: nodes.map((node) => said(node, { load: 'warn' })),
      missing: [],
    })
    expect((await cli('inspect --fresh --check load')).code).toBe(4)
  })

  it('lists, shows and compares what is kept', async () => {
    const { items } = JSON.parse((await cli('inspect list -o json')).stdout) as {
      items: { id: string; origin: string }[]
    }
    const [later, earlier] = items.filter(({ origin }) => origin === 'fresh')
    expect((await cli('inspect list --limit 2')).stdout.trim().split('\n')).toHaveLength(3)
    const shown = await cli(`inspect show ${later?.id} -o table`)
    expect(shown.stdout).toContain('New 5')
    expect(shown.code).toBe(4)
    const { stdout, code } = await cli(`inspect diff ${earlier?.id} ${later?.id}`)
    expect(stdout).toContain('New (5)')
    expect(stdout).toContain('Warn  node-2  load: load is warn')
    expect(code).toBe(0)
    expect((await cli('inspect show nothing')).stderr).toContain('there is no inspection "nothing"')
  })

  it('takes no name that there is not', async () => {
    const { stderr, code } = await cli('inspect --check conntrak')
    expect(stderr).toContain('there is no check "conntrak"')
    expect(stderr).toContain('did you mean "conntrack"?')
    expect(code).toBe(2)
  })
})
