/** `starling policies`, against an aggregator without a mesh: what it prints, and what it answers to scripts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServedSample, serveSample, TOKEN } from '../aggregator/serve-sample.ts'
import { run } from './harness.ts'

let served: ServedSample
let dir: string
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'starling-policies-'))
  served = await serveSample()
  served.sample.changeMember('node-3', { pool: 'gpu' })
  writeFileSync(join(dir, 's.yaml'), SETTINGS)
})
afterAll(async () => {
  await served.close()
  rmSync(dir, { recursive: true })
})

const cli = (...args: readonly string[]) =>
  run(['policies', ...args], { env: { STARLING_URL: served.url, STARLING_TOKEN: TOKEN }, cwd: dir })
const explain = (...args: readonly string[]) => cli('explain', ...args, '--file', 's.yaml')

const SETTINGS = `version: 4
mesh: sample-mesh
remediators: {sysctl: {mode: suggest}}
policies:
  - name: params-gpu
    selector: {pools: [gpu]}
    match: [{reason: KernelParamDiffers}]
    mode: approve
    ladder: [{remediator: sysctl, attempts: 2}]
    windows: [{cron: 0 0 * * *, duration: 24h, timeZone: UTC}]
  - name: params-warn
    selector: {roles: [compute]}
    match: [{severity: warn}]
    ladder: [{remediator: sysctl}]
`

describe('list', () => {
  it('shows them in the order in which they are asked', async () => {
    const { code, stdout } = await cli('list', '--file', 's.yaml')
    expect(code).toBe(0)
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['NAME', 'NODES', 'MATCHES', 'MODE', 'LADDER', 'WINDOWS', 'COOL-DOWN'],
      [
        'params-gpu',
        'pools gpu',
        'KernelParamDiffers',
        'approve',
        'sysctl 2 times',
        'in a window that is open now',
        '10m',
      ],
      ['params-warn', 'roles compute', 'warn', 'observe', 'sysctl', 'at any time', '10m'],
      [''],
    ])
    expect(JSON.parse((await cli('list', '--file', 's.yaml', '-o', 'json')).stdout)).toMatchObject({
      kind: 'PolicyList',
      items: [{ name: 'params-gpu' }, { name: 'params-warn', mode: 'observe' }],
    })
  })

  it('says that there are none', async () => {
    expect(await cli('list')).toMatchObject({
      code: 0,
      stdout: 'there are no policies: the modes of the remediators decide\n',
    })
  })
})

describe('explain', () => {
  it('names the first that fits the node as the mesh knows it', async () => {
    expect((await explain('KernelParamDiffers', '--node', 'node-3')).stdout).toBe(
      'params-gpu decides: mode approve, sysctl 2 times, in a window that is open now\n',
    )
  })

  it('says why those before it do not decide', async () => {
    const { stdout } = await explain('KernelParamDiffers', '--node', 'node-2')
    expect(stdout).toBe(
      'params-gpu does not decide: its selector does not fit the node\nparams-warn decides: mode observe, sysctl, at any time\n',
    )
  })

  it('falls back on the modes of the remediators', async () => {
    expect((await explain('KernelParamDiffers', '--node', 'node-1', '-o', 'json')).stdout).toContain(
      'remediators.sysctl',
    )
    const { stdout } = await explain('EtcdNoSpace', '--node', 'node-3', '-o', 'json')
    expect(JSON.parse(stdout).items).toEqual([
      {
        node: 'node-3',
        reason: 'EtcdNoSpace',
        status: 'error',
        passedOver: [
          { policy: 'params-gpu', why: 'it does not match the finding' },
          { policy: 'params-warn', why: 'it does not match the finding' },
        ],
      },
    ])
  })

  it.each([
    [
      ['KernelParamDifers', '--node', 'node-1'],
      'unknown reason "KernelParamDifers"',
      'did you mean "KernelParamDiffers"?',
    ],
    [['JobQueueLong', '--node', 'node-1'], 'unknown reason "JobQueueLong"', 'give --severity'],
    [['KernelParamDiffers', '--node', 'node-11'], 'there is no node node-11', 'did you mean "node-1"?'],
  ])('%j is refused', async (args, says, remedy) => {
    const { code, stderr } = await explain(...args)
    expect([code, stderr]).toEqual([2, expect.stringContaining(says)])
    expect(stderr).toContain(remedy)
  })

  it('takes the reason of a plugin with its severity', async () => {
    const { stdout } = await explain('JobQueueLong', '--node', 'node-1', '--severity', 'warn')
    expect(stdout).toContain('nothing is done')
  })
})
