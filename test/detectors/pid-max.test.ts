import { describe, expect, it } from 'vitest'
import { NotApplicable } from '../../detectors/contract.ts'
import { pidMax } from '../../detectors/pid-max.ts'
import { fixtureHost, look } from './fixture-host.ts'

const judged = (used: number, limit: number) =>
  pidMax
    .judge([{ cgroup: '', used, limit, of: 'kernel.pid_max' }], pidMax.options.parse({}), [])
    .map(({ reason }) => reason)

describe('pid-max', () => {
  it('says nothing of a host with numbers left', async () => {
    expect(await look(pidMax, fixtureHost('pid-max/ok'))).toEqual([])
  })

  it('names the limit that comes first, of the host and of its cgroups', async () => {
    const judgements = await look(pidMax, fixtureHost('pid-max/bad'))
    expect(judgements.map(({ reason, cause, summary }) => [reason, cause, summary])).toEqual([
      ['PidsLow', '', 'the host has 31002 processes and threads of 32768 that kernel.pid_max allows (94 %)'],
      ['PidsExhausted', '', 'the host has 31002 processes and threads of 32768 that kernel.pid_max allows (94 %)'],
      [
        'PidsLow',
        'kubepods',
        'the cgroup kubepods has 14801 processes and threads of 20000 that its pids.max allows (74 %)',
      ],
    ])
    const [use] = await pidMax.sample(fixtureHost('pid-max/ok'), pidMax.options.parse({}), new AbortController().signal)
    expect(use).toEqual({ cgroup: '', used: 1_203, limit: 127_000, of: 'kernel.threads-max' })
  })

  it.each([
    [69, []],
    [70, ['PidsLow']],
    [90, ['PidsLow', 'PidsExhausted']],
  ])('judges %d of 100 as %j', (used, expected) => {
    expect(judged(used, 100)).toEqual(expected)
  })

  it('refuses options by which it would read somewhere else', () => {
    for (const cgroup of ['', '/kubepods', '../proc', 'a/../b', 'a//b']) {
      expect(pidMax.options.safeParse({ cgroups: [cgroup] }).success, cgroup).toBe(false)
    }
    expect(pidMax.options.safeParse({ cgroups: ['kubepods.slice/kubepods-burstable.slice'] }).success).toBe(true)
    expect(pidMax.options.safeParse({ warnRatio: 0.95 }).success).toBe(false)
  })

  it('names what it cannot read', async () => {
    await expect(look(pidMax, fixtureHost('pid-max/unreadable'))).rejects.toThrow('/proc/loadavg is not of the form')
    const host = { ...fixtureHost('pid-max/ok'), readInt: async () => 0 }
    await expect(look(pidMax, host)).rejects.toThrow('is no limit that there can be')
    await expect(look(pidMax, fixtureHost('empty'))).rejects.toThrow(NotApplicable)
  })
})
