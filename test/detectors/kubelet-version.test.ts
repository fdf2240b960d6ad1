import { describe, expect, it, vi } from 'vitest'
import { type Host, NotApplicable } from '../../detectors/contract.ts'
import { kubeletVersion } from '../../detectors/kubelet-version.ts'
import { compareVersions, isVersion } from '../../detectors/reading/version.ts'
import type { HostRecord } from '../../detectors/testing/fixture-host.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

const OPEN = 'http://127.0.0.1:10255/metrics'
const GUARDED = 'https://127.0.0.1:10250/metrics'
const EXE = '/proc/812/exe --version'
const info = (version: string) => ({ status: 200, body: `kubernetes_build_info{git_version="${version}"} 1\n` })
const running = (record: HostRecord) => fixtureHost('kubelet-version/ok', { replies: {}, majorities: {}, ...record })
const of = (version: string) => running({ replies: { [OPEN]: info(version) } })

describe('kubelet-version', () => {
  it('says nothing of any version, unless it is told which one is wanted', async () => {
    expect(await look(kubeletVersion, fixtureHost('kubelet-version/ok'))).toEqual([])
  })

  it('finds one that was replaced and not restarted, and that the pool left behind', async () => {
    expect(await look(kubeletVersion, fixtureHost('kubelet-version/bad'))).toEqual([
      {
        reason: 'KubeletUnusual',
        summary: 'the kubelet is v1.28.2, 96 % of 31 nodes of pool worker have v1.29.6',
        evidence: [
          { name: 'the kubelet', value: 'v1.28.2', limit: 'v1.29.6', unit: '' },
          { name: 'nodes that have that', value: 30, unit: 'nodes' },
        ],
      },
      {
        reason: 'KubeletNotRestarted',
        summary: '/usr/bin/kubelet was replaced, and process 812 still runs the old one, v1.28.2',
        evidence: [{ name: 'kubelet', value: 'v1.28.2', unit: '' }],
      },
    ])
  })

  it.each([
    ['v1.28.2', { min: '1.28' }, []],
    ['v1.28.2', { min: 'v1.28.2' }, []],
    ['v1.28.2', { min: '1.28.3' }, ['v1.28.2, wanted is 1.28.3 or newer']],
    ['v1.28.10', { min: '1.28.9' }, []],
    ['v1.28.2', { max: '1.28' }, []],
    ['v1.28.2', { max: '1.28.1' }, ['v1.28.2, wanted is 1.28.1 or older']],
    ['v1.29.0', { min: '1.27', max: '1.28' }, ['v1.29.0, wanted is 1.28 or older']],
    ['v1.27.3-gke.100', { allowed: ['1.27.3', '1.28'] }, []],
    ['v1.27.4+k3s1', { allowed: ['1.27.3', '1.28'] }, ['v1.27.4+k3s1, wanted is 1.27.3 or 1.28']],
  ])('judges %s against %j', async (version, options, expected) => {
    expect(summaries(await look(kubeletVersion, of(version), options))).toEqual(
      expected.map((text) => `the kubelet that runs is ${text}`),
    )
  })

  it('holds it against its pool, unless somebody said which is wanted, and tells the others', async () => {
    const told: string[] = []
    const host = (value: string): Host => ({
      ...of('v1.28.2'),
      majority: (fact, own) => {
        told.push(`${fact}=${own}`)
        return { pool: 'worker', value, nodes: 4, of: 5 }
      },
    })
    expect(reasons(await look(kubeletVersion, host('v1.28.2')))).toEqual([])
    expect(reasons(await look(kubeletVersion, host('v1.28.3')))).toEqual(['KubeletUnusual'])
    expect(reasons(await look(kubeletVersion, host('v1.28.3'), { min: '1.28.3' }))).toEqual(['KubeletVersionUnwanted'])
    // Within its bounds it can still be the odd one.
    expect(reasons(await look(kubeletVersion, host('v1.28.3'), { min: '1.28' }))).toEqual(['KubeletUnusual'])
    expect(new Set(told)).toEqual(new Set(['kubelet-version=v1.28.2']))
  })

  it('asks the program itself where no port tells, and once for each process', async () => {
    const host = running({ commands: { [EXE]: { stdout: 'Kubernetes v1.30.1\n' } } })
    const run = vi.spyOn(host, 'run')
    for (const _ of [1, 2, 3]) {
      expect(summaries(await look(kubeletVersion, host, { max: '1.29' }))).toHaveLength(1)
    }
    expect(run).toHaveBeenCalledTimes(1)
    const text = await host.readText('/proc/812/stat')
    const later: Host['readText'] = async (path) =>
      path === '/proc/812/stat' ? text.replace(' 1482 ', ' 991482 ') : fixtureHost('kubelet-version/ok').readText(path)
    vi.spyOn(host, 'readText').mockImplementation(later)
    await look(kubeletVersion, host)
    expect(run).toHaveBeenCalledTimes(2)
  })

  it('asks with a token where it has one, and the program when that port does not tell either', async () => {
    const host = (status: number): Host => {
      const recorded = running({
        replies: { [GUARDED]: { ...info('v1.25.0'), status } },
        commands: { [EXE]: { stdout: 'k3s version v1.26.0+k3s1 (x)\ngo version go1.20\n' } },
      })
      return { ...recorded, readText: async (path) => (path === '/token' ? 'abc\n' : recorded.readText(path)) }
    }
    const options = { tokenFile: '/token', max: '1.0' }
    expect(summaries(await look(kubeletVersion, host(200), options))[0]).toContain('v1.25.0')
    expect(summaries(await look(kubeletVersion, host(403), options))[0]).toContain('v1.26.0+k3s1')
  })

  it('says which privilege it lacks where only the program would tell', async () => {
    const denied = new Error(`${EXE} cannot be started: EACCES`, { cause: { code: 'EACCES' } })
    const host = (record: HostRecord): Host => ({ ...running(record), run: () => Promise.reject(denied) })
    await expect(look(kubeletVersion, host({ missing: ['CAP_SYS_PTRACE'] }))).rejects.toThrow(
      new NotApplicable("needs CAP_SYS_PTRACE to ask the kubelet's program for its version"),
    )
    await expect(look(kubeletVersion, host({}))).rejects.toThrow(denied)
  })

  it('never runs the program of somebody else who calls it kubelet', async () => {
    const host = fixtureHost('kubelet-version/unreadable', { commands: { [EXE]: { stdout: 'Kubernetes v1.1.1' } } })
    const run = vi.spyOn(host, 'run')
    await expect(look(kubeletVersion, host)).rejects.toThrow('does not run as root: its program is not run')
    expect(run).not.toHaveBeenCalled()
  })

  it.each<[string, HostRecord]>([
    ['metrics of something else', { replies: { [OPEN]: { status: 200, body: 'kubernetes_build_info{' } } }],
    ['a version of no such form', { replies: { [OPEN]: info('latest') } }],
    ['no version', { replies: { [OPEN]: { status: 200, body: 'kubernetes_build_info 1\n' } } }],
    ['a program that fails', { commands: { [EXE]: { code: 1, stderr: 'no' } } }],
    ['a program that says nothing', { commands: { [EXE]: {} } }],
    ['a program that is not of this host', {}],
  ])('does not know from %s', async (what, record) => {
    const looked = look(kubeletVersion, running(record))
    await expect(looked).rejects.toThrow(Error)
    if (what === 'a program that is not of this host') await expect(looked).rejects.toThrow(NotApplicable)
    else await expect(looked).rejects.not.toThrow(NotApplicable)
  })

  it('does not apply where no kubelet runs', async () => {
    const host = of('v1.28.2')
    vi.spyOn(host, 'readWords').mockResolvedValue(['/usr/bin/other'])
    vi.spyOn(host, 'processes').mockResolvedValue({ processes: [], unseen: undefined, isFresh: true })
    await expect(look(kubeletVersion, host)).rejects.toThrow(NotApplicable)
  })

  it('takes a program that is gone and not replaced for no upgrade', async () => {
    const host = fixtureHost('kubelet-version/bad', { majorities: {} })
    vi.spyOn(host, 'exists').mockImplementation(async (path) => path !== '/usr/bin/kubelet')
    expect(await look(kubeletVersion, host)).toEqual([])
    const hidden = of('v1.28.2')
    vi.spyOn(hidden, 'readLink').mockRejectedValue(new Error('EACCES'))
    expect(reasons(await look(kubeletVersion, hidden))).toEqual([])
  })

  it('refuses options that no version could meet', () => {
    for (const options of [
      { min: 'new' },
      { min: '1' },
      { allowed: ['1.x'] },
      { min: '1.29', max: '1.28' },
      { tokenFile: 'x' },
    ]) {
      expect(kubeletVersion.options.safeParse(options).success, JSON.stringify(options)).toBe(false)
    }
  })
})

describe('versions', () => {
  it.each([
    ['1.28.2', '1.28.10', -1],
    ['v1.28.2', '1.28', 0],
    ['1.28', '1.28.0', 0],
    ['2.0.0', '1.99', 1],
  ])('compares %s with %s', (a, b, sign) => expect(Math.sign(compareVersions(a, b))).toBe(sign))

  it('knows what is none', () => {
    for (const text of ['', 'v', '1', '1.2.3.4', '1.2;x', `1.${'9'.repeat(400)}`]) expect(isVersion(text)).toBe(false)
    expect(() => compareVersions('x', '1.2')).toThrow('"x" is no version such as v1.28.2')
  })
})
