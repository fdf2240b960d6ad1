import { describe, expect, it } from 'vitest'
import { NotApplicable } from '../../detectors/contract.ts'
import { memory } from '../../detectors/memory.ts'
import { fixtureHost, look, reasons } from './fixture-host.ts'

const meminfo = (text: string) => ({ ...fixtureHost('memory/ok'), readText: async () => text })
const left = (availableKb: number) => meminfo(`MemTotal: 1000000 kB\nMemAvailable: ${availableKb} kB\n`)

describe('memory', () => {
  it('says nothing of a host with memory left, however little of it is free', async () => {
    expect(await look(memory, fixtureHost('memory/ok'))).toEqual([])
  })

  it('says how much is left, and what the kernel itself takes', async () => {
    expect(await look(memory, fixtureHost('memory/bad'))).toEqual([
      expect.objectContaining({ reason: 'MemoryLow' }),
      {
        reason: 'MemoryAlmostFull',
        summary: '97 % of 15925 MiB of memory are in use, 477 MiB are left',
        evidence: [
          { name: 'memory used', value: 15_818_328, limit: 16_307_328, unit: 'KiB' },
          { name: 'SUnreclaim', value: 240_940, unit: 'KiB' },
        ],
      },
    ])
  })

  it.each([
    [100_001, []],
    [100_000, ['MemoryLow']],
    [50_000, ['MemoryLow', 'MemoryAlmostFull']],
    [0, ['MemoryLow', 'MemoryAlmostFull']],
  ])('judges %d of 1000000 KiB left as %j', async (availableKb, expected) => {
    expect(reasons(await look(memory, left(availableKb)))).toEqual(expected)
  })

  it('does not count huge pages: they are set aside, not used up', async () => {
    expect(await look(memory, fixtureHost('memory/huge-pages'))).toEqual([])
  })

  it('uses the ratios of its options, and refuses them the wrong way round', async () => {
    expect(reasons(await look(memory, left(400_000), { warnRatio: 0.5 }))).toEqual(['MemoryLow'])
    expect(memory.options.safeParse({ warnRatio: 0.99 }).success).toBe(false)
    expect(memory.options.safeParse({ alarmRatio: 1.1 }).success).toBe(false)
  })

  it('does not know where the kernel does not say it, and does not apply without /proc', async () => {
    for (const text of ['', 'MemTotal: 0 kB\nMemAvailable: 0 kB\n', 'MemTotal: 9 kB\nMemAvailable: 10 kB\n']) {
      await expect(look(memory, meminfo(text))).rejects.toThrow('/proc/meminfo does not say how much memory')
    }
    await expect(look(memory, fixtureHost('memory/kernel-3.10'))).rejects.toThrow('does not say')
    await expect(look(memory, fixtureHost('empty'))).rejects.toThrow(NotApplicable)
  })
})
