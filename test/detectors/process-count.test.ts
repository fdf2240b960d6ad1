import { describe, expect, it } from 'vitest'
import { NotApplicable } from '../../detectors/contract.ts'
import { processCount } from '../../detectors/process-count.ts'
import { fixtureHost, look } from './fixture-host.ts'

const none = { processes: 100, zombies: 0, waiting: [], zombieNames: [] }
const judged = (counts: object, last?: object, options: unknown = {}) =>
  processCount
    .judge(
      { ...none, ...counts },
      processCount.options.parse(options),
      last === undefined ? [] : [{ ...none, ...last }],
    )
    .map(({ reason }) => reason)
const ids = (count: number, first = 1) => Array.from({ length: count }, (_, index) => String(first + index))

describe('process-count', () => {
  it('says nothing of a host with a few processes, and does not count the threads of the kernel', async () => {
    const host = fixtureHost('process-count/ok')
    expect(await look(processCount, host)).toEqual([])
    const sample = await processCount.sample(host, processCount.options.parse({}), new AbortController().signal)
    expect(sample).toEqual({ processes: 2, zombies: 0, waiting: [], zombieNames: [] })
  })

  it('counts zombies and names some', async () => {
    const [zombies] = await look(processCount, fixtureHost('process-count/bad'))
    expect(zombies?.summary).toMatch(/^21 processes are zombies, among them defunct \(sh\) \(30\d\d\), /)
  })

  it.each([
    [{ processes: 4_999 }, []],
    [{ processes: 5_000 }, ['ProcessesMany']],
    [{ processes: 20_000 }, ['ProcessesMany', 'ProcessesTooMany']],
    [{ zombies: 19 }, []],
    [{ zombies: 20 }, ['ZombiesMany']],
  ])('judges %j as %j', (counts, expected) => {
    expect(judged(counts)).toEqual(expected)
  })

  it('takes for stuck only what waited in both looks', () => {
    expect(judged({ waiting: ids(10) })).toEqual([])
    expect(judged({ waiting: ids(10) }, { waiting: ids(10, 11) })).toEqual([])
    expect(judged({ waiting: ids(10) }, { waiting: ids(9) })).toEqual([])
    expect(judged({ waiting: ids(10) }, { waiting: ids(50) })).toEqual(['ProcessesStuck'])
  })

  it('passes over a process that ends, and not one that it cannot read', async () => {
    const host = fixtureHost('process-count/ok')
    const with812 = (answer: () => Promise<string>) => ({
      ...host,
      readText: (path: string) => (path === '/proc/812/stat' ? answer() : host.readText(path)),
    })
    const gone = Object.assign(new Error('ESRCH'), { code: 'ESRCH' })
    for (const error of [new NotApplicable('gone'), new Error('gone', { cause: gone })]) {
      expect(
        await look(
          processCount,
          with812(() => Promise.reject(error)),
        ),
      ).toEqual([])
    }
    await expect(
      look(
        processCount,
        with812(async () => '812 (x) S'),
      ),
    ).rejects.toThrow('/proc/812/stat is not')
  })

  it('does not apply without /proc, does not know where /proc hides others, and refuses levels out of order', async () => {
    await expect(look(processCount, fixtureHost('empty'))).rejects.toThrow(NotApplicable)
    const hidden = { ...fixtureHost('process-count/ok'), list: async () => ['4711'] }
    await expect(look(processCount, hidden)).rejects.toThrow('does not show the processes of others')
    expect(processCount.options.safeParse({ warnProcesses: 20_000 }).success).toBe(false)
  })
})
