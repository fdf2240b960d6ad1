import { describe, expect, it } from 'vitest'
import { clocksource } from '../../detectors/clocksource.ts'
import type { Host } from '../../detectors/contract.ts'
import { fixtureHost, look, summaries } from './fixture-host.ts'

const reading = (current: string, available = 'tsc hpet acpi_pm \n'): Host => ({
  ...fixtureHost('empty'),
  readText: async (path) => (path.endsWith('current_clocksource') ? current : available),
})

describe('clocksource', () => {
  it.each(['tsc', 'kvm-clock', 'xen', 'hyperv_clocksource_tsc_page', 'arch_sys_counter'])(
    'is content with %s',
    async (name) => {
      expect(await look(clocksource, reading(`${name}\n`))).toEqual([])
    },
  )

  it.each(['hpet', 'acpi_pm', 'jiffies'])('finds the fall-back to %s', async (name) => {
    expect(summaries(await look(clocksource, reading(`${name}\n`, `${name} \n`)))).toEqual([
      `the kernel reads its clock from ${name}, and of 1 source that it can use there is no other`,
    ])
  })

  it('says what else there is', async () => {
    expect(summaries(await look(clocksource, fixtureHost('clocksource/bad')))).toEqual([
      'the kernel reads its clock from hpet, and of 2 sources that it can use there is also acpi_pm',
    ])
  })

  it('leaves machines in peace that have nothing better, when told to', async () => {
    expect(await look(clocksource, fixtureHost('clocksource/bad'), { slow: ['jiffies'] })).toEqual([])
    expect(clocksource.options.safeParse({ slow: [''] }).success).toBe(false)
  })

  it('knows nothing from a file that names none or several', async () => {
    await expect(look(clocksource, reading(''))).rejects.toThrow('names no source')
    await expect(look(clocksource, reading('tsc hpet\n'))).rejects.toThrow('names no source')
  })
})
