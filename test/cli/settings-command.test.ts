/** `starling settings`, against an aggregator without a mesh: what it prints, and what it answers to scripts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createSamplePort } from '../aggregator/sample-port.ts'
import { SETTINGS_VIEW } from '../aggregator/sample-settings.ts'
import { type ServedSample, serveSample, TOKEN } from '../aggregator/serve-sample.ts'
import { run } from './harness.ts'

let served: ServedSample
let env: Record<string, string>
let dir: string
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'starling-settings-'))
  served = await serveSample()
  env = { STARLING_URL: served.url, STARLING_TOKEN: TOKEN }
})
afterAll(async () => {
  await served.close()
  rmSync(dir, { recursive: true })
})
beforeEach(() => served.sample.change(createSamplePort().snapshot()))

const cli = (...args: readonly string[]) => run(['settings', ...args], { env, cwd: dir })
const write = (text: string) => {
  writeFileSync(join(dir, 's.yaml'), `mesh: sample-mesh\n${text}`)
  return 's.yaml'
}
const SAME = 'version: 4\ndetectors: {conntrack: {options: {warnRatio: 0.7}}}\n'
const OTHER = 'version: 4\ndetectors: {conntrack: {options: {warnRatio: 0.6}}, clock-skew: {enabled: false}}\n'

describe('diff', () => {
  it('shows what goes and what comes, and answers 3; 0 when nothing does', async () => {
    expect(await cli('diff', write(OTHER))).toEqual({
      code: 3,
      stderr: '',
      stdout:
        '+ detectors.clock-skew.enabled: false\n- detectors.conntrack.options.warnRatio: 0.7\n+ detectors.conntrack.options.warnRatio: 0.6\n',
    })
    expect(await cli('diff', write(SAME))).toMatchObject({ code: 0, stdout: 's.yaml says what version 3 says\n' })
    const { stdout } = await cli('diff', write(OTHER), '-o', 'json')
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'SettingsDifferenceList',
      items: [{ after: false }, { before: 0.7, after: 0.6 }],
    })
  })

  it('says what is wrong with a file, and answers 2', async () => {
    expect(await cli('diff', 'none.yaml')).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot read') })
    expect(await cli('diff', write('version: 4\ndetectors: {conntrack: {evry: 5s}}\n'))).toMatchObject({
      code: 2,
      stderr: 's.yaml: detectors.conntrack: unknown key "evry"\ndid you mean "every"?\n',
    })
    expect((await cli('diff', write('version: 4\n').replace('s.yaml', 's.yaml'))).code).toBe(3)
  })
})

describe('apply', () => {
  it('asks nobody where nobody is, shows what changes, and hands it in with how it is to go', async () => {
    const refused = await cli('apply', write(OTHER))
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--yes')])
    const { code, stdout, stderr } = await cli('apply', write(OTHER), '--yes', '--no-wait', '--stages', '100%')
    expect([code, stdout]).toEqual([0, 'settings version 4 handed in by local-token (cli)\n'])
    expect(stderr).toBe(
      'settings version 3 → 4\n+ detectors.clock-skew.enabled: false\n- detectors.conntrack.options.warnRatio: 0.7\n+ detectors.conntrack.options.warnRatio: 0.6\n',
    )
    expect(served.sample.snapshot().settings.rollout).toMatchObject({ version: 4, stagesLeft: 0 })
  })

  it('waits until it is in force, or says why it is not', async () => {
    const applied = cli('apply', write(OTHER), '--yes')
    await expect.poll(() => served.sample.snapshot().settings.rollout?.version, { timeout: 20_000 }).toBe(4)
    const applied4 = Object.fromEntries(Object.keys(SETTINGS_VIEW.applied).map((node) => [node, 4]))
    served.sample.change({ settings: { ...SETTINGS_VIEW, version: 4, applied: applied4 } })
    expect(await applied).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('version 4 is in force on 4 of 4 live nodes\n'),
    })

    served.sample.change(createSamplePort().snapshot())
    const halting = cli('apply', write(OTHER), '--yes')
    await expect.poll(() => served.sample.snapshot().settings.rollout?.version, { timeout: 20_000 }).toBe(4)
    const last = { version: 4, outcome: 'halted', why: 'conntrack: ConntrackFilling on 1 of 1' } as const
    served.sample.change({ settings: { ...SETTINGS_VIEW, version: 5, last } })
    expect(await halting).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('halted: conntrack: ConntrackFilling on 1 of 1; rolled back as version 5\n'),
    })
  }, 60_000)

  it('refuses stages that make no sense, and an old version', async () => {
    expect(await cli('apply', write(OTHER), '--yes', '--stages', '50%')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the last stage must be 100%'),
    })
    expect(await cli('apply', write(SAME.replace('4', '3')), '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('version 3 is too low'),
    })
  })
})

describe('rollback', () => {
  it('goes back, with a reason on record', async () => {
    expect((await cli('rollback')).code).not.toBe(0)
    expect(await cli('rollback', '1', '--reason', 'it was quieter', '--no-wait')).toMatchObject({
      code: 0,
      stdout: 'settings go back to version 1, as version 4, by local-token (cli): it was quieter\n',
    })
    expect(await cli('rollback', '7', '--reason', 'x')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no version 7'),
    })
  })
})

describe('status', () => {
  it('tells the version in force and what each node runs', async () => {
    const { code, stdout } = await cli('status')
    expect(stdout).toMatch(
      /^Settings version 3 is in force\.\nNODE +STATE +RUNS +IS TO RUN +REFUSED\nnode-1 +alive +3 +3 +-\n/,
    )
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\nnode-4 +NodeDown +2 +3 +-\n/)])
  })

  it('tells of a version on its way, of one that is halted, and of who refuses it', async () => {
    const rollout = {
      version: 4,
      nodes: ['node-3'],
      of: 5,
      stagesLeft: 2,
      since: '2026-03-14T09:26:53Z',
      soakMs: 120_000,
    }
    served.sample.change({ settings: { ...SETTINGS_VIEW, rollout: { ...rollout, halted: null } } })
    const going = await cli('status')
    expect([going.code, going.stdout]).toEqual([
      4,
      expect.stringContaining(
        'Version 4 is for 1 of 5 nodes, watched for 2m until 2026-03-14 15:13:53 +05:45; 2 more to come.\n',
      ),
    ])
    const refused = { 'node-3': { version: 4, why: 'no such option' } }
    served.sample.change({ settings: { ...SETTINGS_VIEW, refused, rollout: { ...rollout, halted: 'refused' } } })
    const halted = await cli('status')
    expect(halted.stdout).toContain('Version 4 is for 1 of 5 nodes, and halted: refused\n')
    expect([halted.code, halted.stdout]).toEqual([
      3,
      expect.stringMatching(/node-3 +alive +3 +3 +version 4: no such option\n/),
    ])
    expect(JSON.parse((await cli('status', '-o', 'json')).stdout).items[0]).toMatchObject({
      version: 3,
      refused,
      rollout: { version: 4 },
    })
  })
})
