import { describe, expect, it } from 'vitest'
import { NotApplicable } from '../../detectors/contract.ts'
import { kernelParams } from '../../detectors/kernel-params.ts'
import { fixtureHost, look, summaries } from './fixture-host.ts'

describe('kernel-params', () => {
  it('says nothing when every parameter is within its default bounds', async () => {
    expect(await look(kernelParams, fixtureHost('kernel-params/ok'))).toEqual([])
  })

  it('reports each parameter that differs as a cause of its own, with the value that would mend it', async () => {
    expect(await look(kernelParams, fixtureHost('kernel-params/bad'))).toEqual([
      {
        reason: 'KernelParamDiffers',
        cause: 'vm.min_free_kbytes',
        summary: 'vm.min_free_kbytes is 11265, wanted at least 16384',
        evidence: [{ name: 'vm.min_free_kbytes', value: '11265', limit: '16384', unit: '' }],
      },
      {
        reason: 'KernelParamDiffers',
        cause: 'vm.overcommit_memory',
        summary: 'vm.overcommit_memory is 2, wanted at most 1',
        evidence: [{ name: 'vm.overcommit_memory', value: '2', limit: '1', unit: '' }],
      },
    ])
  })

  it('compares exact values whatever white space separates their fields', async () => {
    const wanted = { 'net.ipv4.tcp_rmem': '4096 131072  6291456' }
    expect(await look(kernelParams, fixtureHost('kernel-params/ok'), { wanted })).toEqual([])
    expect(summaries(await look(kernelParams, fixtureHost('kernel-params/bad'), { wanted }))).toEqual([
      'net.ipv4.tcp_rmem is 4096 87380 6291456, wanted 4096 131072 6291456',
    ])
  })

  it('takes a bare number for an exact value', async () => {
    expect(
      await look(kernelParams, fixtureHost('kernel-params/ok'), { wanted: { 'kernel.pid_max': 4_194_304 } }),
    ).toEqual([])
    expect(
      summaries(await look(kernelParams, fixtureHost('kernel-params/bad'), { wanted: { 'kernel.pid_max': 65_536 } })),
    ).toEqual(['kernel.pid_max is 32768, wanted 65536'])
  })

  it('holds both ends of a range, inclusive', async () => {
    const at = async (min: number, max: number) =>
      (await look(kernelParams, fixtureHost('kernel-params/bad'), { wanted: { 'kernel.pid_max': { min, max } } }))[0]
    expect(await at(32_768, 32_768)).toBeUndefined()
    expect((await at(32_769, 65_536))?.evidence[0]?.limit).toBe('32769')
    expect((await at(301, 32_767))?.summary).toBe('kernel.pid_max is 32768, wanted 301 to 32767')
    expect((await at(301, 32_767))?.evidence[0]?.limit).toBe('32767')
  })

  it('skips a parameter that the host lacks, and does not apply when it lacks all', async () => {
    const wanted = { 'vm.no_such_thing': '1', 'kernel.pid_max': '1' }
    expect(summaries(await look(kernelParams, fixtureHost('kernel-params/ok'), { wanted }))).toEqual([
      'kernel.pid_max is 4194304, wanted 1',
    ])
    await expect(look(kernelParams, fixtureHost('empty'))).rejects.toThrow(NotApplicable)
  })

  it('cannot hold bounds against a value that is no number, and names the file', async () => {
    await expect(look(kernelParams, fixtureHost('kernel-params/unreadable'))).rejects.toThrow(
      /vm\/min_free_kbytes holds "67584 kB"/,
    )
  })

  it('names the path of a parameter that is a folder', async () => {
    await expect(look(kernelParams, fixtureHost('kernel-params/ok'), { wanted: { 'net.ipv4': '1' } })).rejects.toThrow(
      '/proc/sys/net/ipv4 cannot be read: EISDIR',
    )
  })

  it.each([
    [{ 'vm/../../etc/passwd': '1' }],
    [{ '..': '1' }],
    [{ 'vm.swappiness': {} }],
    [{ 'vm.swappiness': { min: 2, max: 1 } }],
    [{ 'vm.swappiness': { minimum: 1 } }],
    [{ 'vm.swappiness': '' }],
  ])('refuses %j as wanted', (wanted) => {
    expect(kernelParams.options.safeParse({ wanted }).success).toBe(false)
  })

  const majorities = { 'kernel-params/vm.overcommit_memory': { pool: 'worker', value: '0', nodes: 30, of: 31 } }
  const alone = { wanted: {}, alike: ['vm.overcommit_memory'] }

  it('names a parameter that is not what nearly all nodes of the pool have', async () => {
    expect(await look(kernelParams, fixtureHost('kernel-params/bad', { majorities }), alone)).toEqual([
      {
        reason: 'KernelParamUnusual',
        cause: 'vm.overcommit_memory',
        summary: 'vm.overcommit_memory is 2, 96 % of 31 nodes of pool worker have 0',
        evidence: [
          { name: 'vm.overcommit_memory', value: '2', limit: '0', unit: '' },
          { name: 'nodes that have that', value: 30, unit: 'nodes' },
        ],
      },
    ])
  })

  it('says nothing of a node like the others, nor while there is no majority, nor of what may differ', async () => {
    const same = { 'kernel-params/vm.overcommit_memory': { pool: 'worker', value: '2', nodes: 31, of: 31 } }
    expect(await look(kernelParams, fixtureHost('kernel-params/bad', { majorities: same }), alone)).toEqual([])
    expect(await look(kernelParams, fixtureHost('kernel-params/bad'), alone)).toEqual([])
    const host = fixtureHost('kernel-params/bad', { majorities })
    expect(await look(kernelParams, host, { wanted: { 'kernel.pid_max': '32768' }, alike: [] })).toEqual([])
  })

  it('goes by what is wanted where that is said, whatever the others have', async () => {
    const host = fixtureHost('kernel-params/bad', { majorities })
    const judged = await look(kernelParams, host, { ...alone, wanted: { 'vm.overcommit_memory': '1' } })
    expect(judged.map(({ reason }) => reason)).toEqual(['KernelParamDiffers'])
  })

  it('tells the pool what this node has, white space apart', async () => {
    const told: string[] = []
    const host = {
      ...fixtureHost('kernel-params/bad'),
      majority: (fact: string, own: string) => {
        told.push(`${fact}=${own}`)
        return undefined
      },
    }
    await look(kernelParams, host, { wanted: {}, alike: ['net.ipv4.tcp_rmem', 'vm.no_such_thing'] })
    expect(told).toEqual(['kernel-params/net.ipv4.tcp_rmem=4096 87380 6291456'])
  })

  it('refuses what is no parameter among those that are to be alike', () => {
    expect(kernelParams.options.safeParse({ alike: ['../etc/passwd'] }).success).toBe(false)
  })
})
