/** A remediator that is a program with a manifest: what the manifest may say, and what is made of what the program says. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UsageError } from '../../common/errors.ts'
import type { CommandResult, RunOptions } from '../../detectors/contract.ts'
import { loadPlugins } from '../../plugins/load.ts'
import { StalePlan } from '../../remediators/contract.ts'
import { makePlan } from '../../remediators/plan.ts'
import { remediatorConformance } from '../../remediators/testing/conformance.ts'
import { type ScratchHost, type StandIn, scratchHost } from '../../remediators/testing/scratch-host.ts'
import { FAN_MANIFEST, FAN_STOPPED, PROGRAMS, programCases, readManifest } from './cases/program.ts'
import { at, fixture } from './parts.ts'

const signal = new AbortController().signal

describe('a program with a manifest', () => {
  for (const check of remediatorConformance(readManifest(), programCases)) it(check.name, check.run)

  it('is a remediator like others, which touches the programs that it names', () => {
    expect(readManifest()).toMatchObject({
      name: 'start-fan',
      version: '1.0.0',
      handles: ['FanStopped'],
      reach: 'none',
      risk: 'low',
      reversible: true,
      timeout: '10s',
      touches: { commands: ['/opt/fixes/fan'] },
    })
  })
})

describe('its manifest', () => {
  it('is loaded from the folder of plugins', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'starling-manifest-'))
    try {
      await writeFile(join(folder, 'fan.yaml'), FAN_MANIFEST)
      await writeFile(join(folder, 'worse.yaml'), FAN_MANIFEST.replace('risk: low', 'risk: none'))
      const { plugins, problems } = await loadPlugins({ folder, packages: [] }, { detectors: [], remediators: [] })
      expect(plugins.flatMap(({ remediators }) => remediators.map(({ name }) => name))).toEqual(['start-fan'])
      expect(problems.map(({ why }) => why)).toEqual([expect.stringMatching(/^line 7: risk: /)])
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it.each([
    [['risk: low', 'risk: tiny'], 'risk'],
    [['reach: none', ''], 'reach'],
    [['handles: [FanStopped]', 'handles: []'], 'handles'],
    [['reversible: true', 'reversble: true'], 'did you mean "reversible"'],
    [['revert: [/opt/fixes/fan, set, stopped]', ''], 'reversible is true, and there is no revert'],
    [['[/opt/fixes/fan, state]', '[fan, state]'], 'must be an absolute path'],
    [['[/opt/fixes/fan, state]', '/opt/fixes/fan state'], 'state.command'],
    [['wanted: turning', 'wanted: ""'], 'state.wanted'],
    [['timeout: 10s', 'timeout: 1h'], 'must lie between 1s and 10m'],
    [['timeout: 10s', 'user: root'], 'user'],
  ])('is refused with %j', ([from = '', to = ''], why) => {
    try {
      readManifest(FAN_MANIFEST.replace(from, to))
      expect.unreachable()
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      expect(`${error.message} (${error.remedy})`).toContain(why)
      expect(error.message).toContain('/etc/starling/plugins.d/x.yaml')
    }
  })

  it('may say that there is no way back', async () => {
    const oneWay = readManifest(
      FAN_MANIFEST.replace('reversible: true', 'reversible: false').replace(/^revert:.*\n/m, ''),
    )
    expect(oneWay.reversible).toBe(false)
    expect(oneWay.plan(FAN_STOPPED, {}, 'stopped')?.[0]?.undo).toBe('(there is no way back)')
  })
})

describe('what the program says', () => {
  let scratch: ScratchHost
  let result: Partial<CommandResult> | undefined
  let asked: RunOptions | undefined
  const fan: StandIn = async (args, root) => result ?? PROGRAMS['/opt/fixes/fan'](args, root)
  const remediator = readManifest()
  beforeEach(async () => {
    result = undefined
    scratch = await scratchHost(fixture('program'), { '/opt/fixes/fan': fan })
  })
  afterEach(() => scratch.remove())
  const control = () => scratch.control(remediator.touches)
  const inspect = () => remediator.inspect?.(control().host, FAN_STOPPED, {}, signal)
  const plan = async () =>
    makePlan(remediator, FAN_STOPPED, remediator.plan(FAN_STOPPED, {}, await inspect()) ?? [], at(0).wall)

  it('is the plan: what is, what it becomes, and by which commands', async () => {
    expect((await plan()).changes).toEqual([
      {
        what: '/opt/fixes/fan state, by /opt/fixes/fan set turning',
        before: 'stopped',
        after: 'turning',
        undo: '/opt/fixes/fan set stopped',
      },
    ])
  })

  it('is nothing to mend when it is as wanted', async () => {
    result = { stdout: 'turning\n' }
    expect(remediator.plan(FAN_STOPPED, {}, await inspect())).toBeNull()
  })

  it.each([
    [{ code: 1, stdout: 'no such fan\n' }, '/opt/fixes/fan state: it exited with 1: no such fan'],
    [{ code: null, signal: 'SIGKILL' }, 'it was ended by SIGKILL'],
    [{ stdout: 'x'.repeat(10), truncated: true }, 'said more than it may'],
    [{ stdout: '\n \n' }, 'says no state in its first line'],
    [{ stdout: 'x'.repeat(201) }, 'says no state in its first line'],
  ])('is no state: %j', async (given, why) => {
    result = given
    await expect(inspect()).rejects.toThrow(why)
  })

  it('is believed of the state, and not of its exit', async () => {
    const planned = await plan()
    const host = { ...control().host, run: lying }
    async function lying(): Promise<CommandResult> {
      return { code: 0, signal: null, stdout: 'stopped\n', stderr: '', truncated: false }
    }
    await expect(remediator.apply(planned, { ...control(), host }, signal)).rejects.toThrow(
      '/opt/fixes/fan set turning was run, and /opt/fixes/fan state says stopped, not turning',
    )
  })

  it('is not asked for with a manifest that has changed since', async () => {
    const planned = await plan()
    const other = readManifest(FAN_MANIFEST.replace('set, turning', 'set, faster'))
    await expect(other.apply(planned, control(), signal)).rejects.toThrow(StalePlan)
    expect(await readFile(join(scratch.root, 'run/fan'), 'utf8')).toBe('stopped\n')
  })

  it('is said within its caps', async () => {
    const capped = readManifest(
      `${FAN_MANIFEST}caps: { memory: 8Mi, cpu: 2s, output: 1Ki }\nuser: nobody\nnetwork: none\n`,
    )
    const { host } = control()
    const run: typeof host.run = (command, options) => {
      asked = options
      return host.run(command, options)
    }
    await writeFile(join(scratch.root, 'run/fan'), 'turning\n')
    await capped.inspect?.({ ...host, run }, FAN_STOPPED, {}, signal)
    expect(asked).toMatchObject({
      bytesMax: 1024,
      limits: {
        memoryBytes: 8 * 1024 * 1024,
        cpuSeconds: 2,
        fileBytes: 1024 * 1024,
        asNobody: true,
        withoutNetwork: true,
      },
    })
  })
})
