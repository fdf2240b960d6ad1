import { describe, expect, it } from 'vitest'
import { NotApplicable } from '../../detectors/contract.ts'
import { load } from '../../detectors/load.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

const judged = (average: number, options: unknown = {}) =>
  reasons(load.judge({ average, processors: 4, running: 1, blocked: 0 }, load.options.parse(options), []))
const reading = (files: Readonly<Record<string, string>>) => {
  const host = fixtureHost('load/ok')
  return { ...host, readText: async (path: string) => files[path] ?? host.readText(path) }
}

describe('load', () => {
  it('says nothing of a host with as much to do as it can', async () => {
    expect(await look(load, fixtureHost('load/ok'))).toEqual([])
  })

  it('tells a node that computes too much from one that waits for its disks', async () => {
    expect(summaries(await look(load, fixtureHost('load/bad')))).toEqual(
      Array(2).fill('the load is 31.4 on 4 processors (7.8 each); 52 tasks run or want to, 17 wait for a disk'),
    )
  })

  it.each([
    [7.99, []],
    [8, ['LoadHigh']],
    [19.99, ['LoadHigh']],
    [20, ['LoadHigh', 'LoadExtreme']],
  ])('judges a load of %d on 4 processors as %j', (average, expected) => {
    expect(judged(average)).toEqual(expected)
  })

  it('uses the levels of its options, and refuses them the wrong way round', () => {
    expect(judged(4, { warnPerCpu: 1 })).toEqual(['LoadHigh'])
    expect(load.options.safeParse({ warnPerCpu: 5 }).success).toBe(false)
    expect(load.options.safeParse({ warnPerCpu: 0 }).success).toBe(false)
  })

  it('names the file that it cannot make sense of', async () => {
    await expect(look(load, reading({ '/proc/loadavg': '1.0 1.0 1.0 1/1 1' }))).rejects.toThrow('/proc/loadavg is not')
    for (const text of ['', 'cpu  1 2 3\nprocs_running 1\nprocs_blocked 0\n', 'cpu0 1\nprocs_running 1\n']) {
      await expect(look(load, reading({ '/proc/stat': text }))).rejects.toThrow('/proc/stat does not say')
    }
    await expect(look(load, fixtureHost('empty'))).rejects.toThrow(NotApplicable)
  })
})
