/**
 * Does the kernel read its clock the slow way? When it finds the processor's own counter (TSC) unstable it falls back to a
 * timer chip: each reading of the time then takes about a microsecond and a system call instead of a few nanoseconds, for
 * every log line and timeout on this node. Nothing tells of it but one line in the kernel's log.
 */

import { z } from 'zod'
import { counted } from '../common/counted.ts'
import { defineDetector } from './contract.ts'

const FOLDER = '/sys/devices/system/clocksource/clocksource0'
/** Timer chips, and the tick itself: drivers/clocksource and kernel/time/jiffies.c rate them below every counter. */
const SLOW = ['hpet', 'acpi_pm', 'pit', 'jiffies', 'refined-jiffies']

export const clocksource = defineDetector({
  name: 'clocksource',
  summary: 'Whether the kernel reads its clock from a fast source.',
  every: '1m',
  timeout: '5s',
  needs: [],
  touches: { paths: [`${FOLDER}/*`] },
  options: z.strictObject({
    slow: z
      .array(z.string().min(1).max(32))
      .max(16)
      .default(SLOW)
      .describe('Clock sources that are too slow; without hpet and acpi_pm for machines that have nothing better.'),
  }),
  reasons: {
    ClocksourceSlow: {
      severity: 'warn',
      summary: 'The kernel fell back to a slow clock source: everything that asks for the time takes longer.',
      // A kernel that starts calibrates its sources for some seconds, and uses a slow one until then.
      sustain: '1m',
      runbook: 'clocksource',
    },
  },

  async sample(host, _options, signal) {
    signal.throwIfAborted()
    const current = wordsOf(await host.readText(`${FOLDER}/current_clocksource`))
    const available = wordsOf(await host.readText(`${FOLDER}/available_clocksource`))
    const [name] = current
    if (name === undefined || current.length > 1) throw new Error(`${FOLDER}/current_clocksource names no source`)
    return { name, available }
  },

  judge({ name, available }, { slow }) {
    if (!slow.includes(name)) return []
    const others = available.filter((other) => other !== name)
    const choice = others.length === 0 ? 'there is no other' : `there is also ${others.join(', ')}`
    return [
      {
        reason: 'ClocksourceSlow',
        summary: `the kernel reads its clock from ${name}, and of ${counted(available.length, 'source')} that it can use ${choice}`,
        evidence: [{ name: 'clock source', value: name, unit: '' }],
      },
    ]
  },
})

function wordsOf(text: string): readonly string[] {
  return text.trim().split(/\s+/).filter(Boolean).slice(0, 16)
}
