import { describe, expect, it } from 'vitest'
import type { CommandResult, Host } from '../../detectors/contract.ts'
import { systemdUnits } from '../../detectors/systemd-units.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

interface Said {
  readonly state?: string
  readonly failed?: string
  readonly restarts?: string
  readonly wanted?: string
}

/** A host whose systemctl says this. */
function saying(
  { state = 'running', failed = '', restarts = '', wanted = '' }: Said,
  changed: Partial<CommandResult> = {},
): Host {
  return {
    ...fixtureHost('systemd-units/ok'),
    run: async ([, ...words]) => {
      const stdout = words.includes('--failed')
        ? failed
        : words.includes('--property=SystemState')
          ? `SystemState=${state}\n`
          : words.includes('*.service')
            ? restarts
            : wanted
      return { code: 0, signal: null, stdout, stderr: '', truncated: false, ...changed }
    },
  }
}

const counted = (count: number) => `NRestarts=${count}\nId=a.service\n\nNRestarts=9\nId=b.service\n`

/** What is judged last of looks with these counts of restarts, the oldest first. */
async function over(counts: readonly number[], options: unknown = {}, failed = '') {
  const parsed = systemdUnits.options.parse(options)
  const samples = []
  for (const count of counts) {
    const host = saying({ restarts: counted(count), failed })
    samples.unshift(await systemdUnits.sample(host, parsed, new AbortController().signal))
  }
  const [latest, ...past] = samples
  return latest === undefined ? [] : systemdUnits.judge(latest, parsed, past)
}

describe('systemd-units', () => {
  it('is content with a system that runs', async () => {
    expect(await look(systemdUnits, fixtureHost('systemd-units/ok'))).toEqual([])
  })

  it('passes over units of containers, volumes, commands and crashes, which have ids for names', async () => {
    const id = '0123456789abcdef'.repeat(4)
    const pod = 'var-lib-kubelet-pods-5b1f3c9b\\x2d2f6a-volumes-kubernetes.io\\x7enfs-data.mount'
    const passing = [
      ...['cri-containerd', 'crio', 'crio-conmon', 'docker', 'libpod'].map((runtime) => `${runtime}-${id}.scope`),
      pod,
      'run-r5d0e7a.scope',
      'run-u12.service',
      'run-p812-i913.service',
      'systemd-coredump@3-4711-0.service',
    ]
    const staying = ['run-postinsts.service', 'var-lib-kubelet.mount', 'docker.service', 'run-rpc_pipefs.mount']
    const failed = [...passing, ...staying].map((unit) => `${unit} loaded failed failed A unit\n`).join('')
    expect((await look(systemdUnits, saying({ failed }))).map(({ cause }) => cause)).toEqual(staying)
  })

  it('names each failed unit, and leaves those alone that may fail', async () => {
    const host = fixtureHost('systemd-units/bad')
    expect(summaries(await look(systemdUnits, host))).toEqual([
      'logrotate.service has failed, and 1 other unit',
      'mnt-backup.mount has failed, and 1 other unit',
    ])
    expect(summaries(await look(systemdUnits, host, { ignore: ['logrotate.service'] }))).toEqual([
      'mnt-backup.mount has failed, and 1 other unit',
    ])
    const kubelet = saying({ failed: 'kubelet.service loaded failed failed kubelet\n' })
    expect(await look(systemdUnits, kubelet)).toEqual([])
  })

  it('finds a unit that restarts again and again, by the growth of its count', async () => {
    expect(await over([100])).toEqual([])
    expect(await over([0, 4])).toEqual([])
    expect(summaries(await over([0, 2, 5]))).toEqual(['a.service was started again 5 times within the last 3 looks'])
    expect(await over([0, 2, 5], { restarts: 6 })).toEqual([])
    expect(await over([0, 2, 5], { ignore: ['a.service'] })).toEqual([])
  })

  it('takes a count that fell for one that began anew', async () => {
    expect(await over([50, 2, 3])).toEqual([])
    expect(reasons(await over([50, 0, 2, 5]))).toEqual(['UnitRestarting'])
  })

  it('calls one that gave up failed, and no longer restarting', async () => {
    expect(reasons(await over([0, 5], {}, 'a.service loaded failed failed a\n'))).toEqual(['UnitFailed'])
  })

  it.each([
    ['active', []],
    ['reloading', []],
    ['activating', []],
    ['inactive', ['UnitNotActive']],
    ['failed', ['UnitNotActive', 'UnitFailed']],
  ])('judges a wanted unit that is %s as %j', async (state, expected) => {
    const failed = state === 'failed' ? 'ssh.service loaded failed failed ssh\n' : ''
    const host = saying({ wanted: `LoadState=loaded\nActiveState=${state}\n`, failed })
    const judged = await look(systemdUnits, host, { wanted: ['ssh.service'] })
    expect(reasons(judged)).toEqual(expected)
    for (const { cause } of judged) expect(cause).toBe('ssh.service')
  })

  it('misses a wanted unit that is not there at all', async () => {
    const host = saying({
      wanted: 'LoadState=not-found\nActiveState=inactive\n\nLoadState=loaded\nActiveState=active\n',
    })
    expect(summaries(await look(systemdUnits, host, { wanted: ['a.service', 'b.timer'] }))).toEqual([
      'a.service is not-found, and must be active here, with 1 other unit',
    ])
  })

  it.each([
    ['maintenance', ['SystemInRescue']],
    ['degraded', []],
    ['starting', []],
    ['stopping', []],
  ])('judges a system that is %s as %j', async (state, expected) => {
    expect(reasons(await look(systemdUnits, saying({ state })))).toEqual(expected)
  })

  it('does without counts of restarts, which old versions do not have', async () => {
    expect(await look(systemdUnits, saying({ restarts: 'Id=a.service\n' }))).toEqual([])
  })

  it.each([
    ['among the failed units', saying({ failed: 'garbage\n' })],
    ['among the failed units', saying({ failed: 'a.service loaded active running a\n' })],
    ['in which state', saying({ state: '' })],
    ['restarted "many" times', saying({ restarts: 'Id=a.service\nNRestarts=many\n' })],
    ['without its name', saying({ restarts: 'NRestarts=1\n' })],
    ['more than 524288 bytes', saying({}, { truncated: true })],
    ['failed (1): Access denied', saying({}, { code: 1, stderr: 'Access denied\n' })],
  ])('knows nothing from an answer that is wrong: %s', async (why, host) => {
    await expect(look(systemdUnits, host)).rejects.toThrow(why)
  })

  it('knows nothing when systemctl tells of other units than it was asked for', async () => {
    await expect(look(systemdUnits, saying({}), { wanted: ['a.service'] })).rejects.toThrow('0 units, not of 1')
  })

  it('refuses what is no unit', () => {
    for (const wanted of ['ssh', '--force.service ', '; reboot', '*.service']) {
      expect(systemdUnits.options.safeParse({ wanted: [wanted] }).success).toBe(false)
    }
    expect(systemdUnits.options.safeParse({ restarts: 0 }).success).toBe(false)
  })
})
