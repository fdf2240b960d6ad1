import { describe, expect, it } from 'vitest'
import { NotApplicable } from '../../detectors/contract.ts'
import { psi } from '../../detectors/psi.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

const judged = (figures: { cpu?: number; memory?: number; io?: number }, options: unknown = {}) =>
  reasons(psi.judge(figures, psi.options.parse(options), []))

describe('psi', () => {
  it('says nothing where tasks hardly ever wait', async () => {
    expect(await look(psi, fixtureHost('psi/ok'))).toEqual([])
  })

  it('says what is waited for, and for how much of the time', async () => {
    const judgements = await look(psi, fixtureHost('psi/bad'))
    expect(reasons(judgements)).toEqual([
      'CpuStalls',
      'CpuStarved',
      'MemoryStalls',
      'MemoryThrashing',
      'IoStalls',
      'IoStuck',
    ])
    expect(new Set(summaries(judgements))).toEqual(
      new Set([
        'some task waited for a processor in 93.5 % of the last five minutes',
        'every task waited for memory in 47.2 % of the last minute',
        'every task waited for a disk in 84.3 % of the last minute',
      ]),
    )
  })

  it.each([
    [{ cpu: 69.99, memory: 9.99, io: 39.99 }, []],
    [{ cpu: 70, memory: 10, io: 40 }, ['CpuStalls', 'MemoryStalls', 'IoStalls']],
    [{ memory: 40 }, ['MemoryStalls', 'MemoryThrashing']],
    [{ io: 80 }, ['IoStalls', 'IoStuck']],
  ])('judges %j as %j', (figures, expected) => {
    expect(judged(figures)).toEqual(expected)
  })

  it('uses the levels of its options, and refuses them the wrong way round', () => {
    expect(judged({ io: 5 }, { io: { warn: 5 } })).toEqual(['IoStalls'])
    expect(psi.options.safeParse({ cpu: { warn: 95 } }).success).toBe(false)
    expect(psi.options.safeParse({ cpu: { alarm: 101 } }).success).toBe(false)
  })

  it('reads a kernel that has no "full" for processors', async () => {
    expect(await look(psi, fixtureHost('psi/kernel-5.10'))).toEqual([])
  })

  it('does not apply where pressure is not measured: not built in, or switched off at boot', async () => {
    await expect(look(psi, fixtureHost('empty'))).rejects.toThrow(NotApplicable)
    const cause = Object.assign(new Error('off'), { code: 'EOPNOTSUPP' })
    const off = {
      ...fixtureHost('psi/ok'),
      readText: () => Promise.reject(new Error('/proc/pressure/cpu cannot be read: EOPNOTSUPP', { cause })),
    }
    await expect(look(psi, off)).rejects.toThrow(NotApplicable)
    const denied = { ...fixtureHost('psi/ok'), readText: () => Promise.reject(new Error('/proc/pressure/cpu: EACCES')) }
    await expect(look(psi, denied)).rejects.not.toThrow(NotApplicable)
  })
})
