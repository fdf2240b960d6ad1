import { describe, expect, it } from 'vitest'
import { cadvisorCgroupMemory } from '../../detectors/cadvisor-cgroup-memory.ts'
import { type Host, NotApplicable } from '../../detectors/contract.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

const MEBI = 1024 * 1024
const options = cadvisorCgroupMemory.options.parse({})
const at = (mebibytes: number, limitMebibytes?: number, pid = '2044') => ({
  pid,
  group: '/docker/5d2c',
  bytes: mebibytes * MEBI,
  workingSetBytes: mebibytes * MEBI,
  limitBytes: limitMebibytes === undefined ? undefined : limitMebibytes * MEBI,
})
const judged = (now: number, past: readonly ReturnType<typeof at>[]) =>
  reasons(cadvisorCgroupMemory.judge(at(now), options, past))

/** The recorded host with one file of another content; null: gone. */
function changed(name: string, end: string, text: string | null): Host {
  const host = fixtureHost(`cadvisor-cgroup-memory/${name}`)
  return {
    ...host,
    readText: async (path) => {
      if (!path.endsWith(end)) return host.readText(path)
      if (text === null) throw new NotApplicable(`${path} is gone`)
      return text
    },
  }
}

describe('cadvisor-cgroup-memory', () => {
  it('says nothing of one that is small, and does not count the cache', async () => {
    expect(await look(cadvisorCgroupMemory, fixtureHost('cadvisor-cgroup-memory/ok'))).toEqual([])
    const tight = { wantedMaxBytes: 181 * MEBI }
    expect(await look(cadvisorCgroupMemory, fixtureHost('cadvisor-cgroup-memory/ok'), tight)).toEqual([])
  })

  it('finds one near the limit of its group, in v1', async () => {
    const found = await look(cadvisorCgroupMemory, fixtureHost('cadvisor-cgroup-memory/bad'))
    expect(reasons(found)).toEqual(['CadvisorMemoryHigh', 'CadvisorMemoryAlmostFull', 'CadvisorMemoryOverWanted'])
    expect(summaries(found)).toEqual([
      'cadvisor holds 1976 of the 2000 MiB of its control group',
      'cadvisor holds 1976 of the 2000 MiB of its control group',
      'cadvisor holds 1976 MiB, and 1000 MiB are wanted at most',
    ])
  })

  it.each([
    [799, 1_000, []],
    [800, 1_000, ['CadvisorMemoryHigh']],
    [949, 1_000, ['CadvisorMemoryHigh']],
    [950, 1_000, ['CadvisorMemoryHigh', 'CadvisorMemoryAlmostFull']],
    [1_000, undefined, []],
    [1_001, undefined, ['CadvisorMemoryOverWanted']],
    [0, 0, []],
  ])('of %d MiB with a limit of %s says %j', (now, limit, expected) => {
    expect(reasons(cadvisorCgroupMemory.judge(at(now, limit), options, []))).toEqual(expected)
  })

  it('finds growth only when it never paused, over eleven looks, of one life', () => {
    const steady = Array.from({ length: 10 }, (_, index) => at(190 - index * 10))
    expect(judged(200, steady)).toEqual(['CadvisorMemoryGrows'])
    expect(judged(200, steady.slice(1))).toEqual([])
    expect(judged(190, steady)).toEqual([])
    expect(judged(200, steady.with(4, at(10)))).toEqual([])
    expect(judged(200, steady.with(9, at(100, undefined, '7')))).toEqual([])
    expect(
      judged(
        149,
        Array.from({ length: 10 }, (_, index) => at(145 - index * 5)),
      ),
    ).toEqual([])
  })

  it('knows the limit of a group above, and that none is none', async () => {
    const burst = changed('ok', '.scope/memory.max', 'max\n')
    const sample = await cadvisorCgroupMemory.sample(burst, options, new AbortController().signal)
    expect(sample.limitBytes).toBe(2_000 * MEBI)
    const stat = `total_inactive_file 0\nhierarchical_memory_limit 9223372036854771712\n`
    const unlimited = changed('bad', 'memory.stat', stat)
    const { limitBytes } = await cadvisorCgroupMemory.sample(unlimited, options, new AbortController().signal)
    expect(limitBytes).toBeUndefined()
  })

  it('does not apply without a cadvisor, or to one that has no group of its own', async () => {
    await expect(look(cadvisorCgroupMemory, fixtureHost('cadvisor-cgroup-memory/not-applicable'))).rejects.toThrow(
      NotApplicable,
    )
    const inRoot = changed('ok', '/proc/2044/cgroup', '0::/\n')
    await expect(look(cadvisorCgroupMemory, inRoot)).rejects.toThrow('is in no control group of its own')
    const ended = changed('ok', '/proc/2044/cgroup', null)
    await expect(look(cadvisorCgroupMemory, ended)).rejects.toThrow(NotApplicable)
  })

  it.each([
    ['/proc/2044/cgroup', '', 'names no control group of memory'],
    ['/proc/2044/cgroup', '0::/../../pod7\n', 'another cgroup namespace'],
    ['memory.current', '', 'holds ""'],
    ['memory.current', '12 MB', 'no figure'],
    ['memory.stat', 'anon 7\nfile', 'has no inactive_file'],
    ['.scope/memory.max', '-1', 'no figure'],
  ])('does not know what %s means when it says %j', async (end, text, why) => {
    const failure = look(cadvisorCgroupMemory, changed('ok', end, text))
    await expect(failure).rejects.toThrow(why)
    await expect(failure).rejects.not.toThrow(NotApplicable)
  })

  it.each([{ warnRatio: 0.96 }, { alarmRatio: 2 }, { wantedMaxBytes: 1 }, { growthRatio: 0 }, { commands: [] }])(
    'refuses %j',
    (given) => {
      expect(cadvisorCgroupMemory.options.safeParse(given).success).toBe(false)
    },
  )
})
