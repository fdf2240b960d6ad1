/** The table of a node's measures: hours, gaps, and what is not known. */
import { describe, expect, it } from 'vitest'
import { measuresTable } from '../../cli/commands/measures.ts'
import type { Measures } from '../../inspection/measures.ts'

const HOUR_MS = 3_600_000
const UNTIL = Date.parse('2026-03-08T00:30:00Z')

const hoursAgo = (hours: number, averages: Measures) => {
  const hour = new Date(UNTIL - (UNTIL % HOUR_MS) - hours * HOUR_MS).toISOString()
  return { node: 'node-1', hour, averages }
}

describe('the table of measures', () => {
  it('shows the course of each, its least, most and mean, and what it is now', () => {
    const hours = [hoursAgo(4, { cpu: 10, load: 0.5 }), hoursAgo(3, { cpu: 50 }), hoursAgo(1, { cpu: 99 })]
    const text = measuresTable(
      hours,
      { cpu: 12.34, 'network-in': 5_000_000 },
      { fromMs: UNTIL - 5 * HOUR_MS, untilMs: UNTIL },
    )
    expect(text).toBe(
      [
        'MEASURE     EACH HOUR  LEAST   MOST    MEAN    NOW',
        'cpu         ▁▅ █       10.0 %  99.0 %  53.0 %  12.3 %',
        'load        █          0.50    0.50    0.50    -',
        'network-in             -       -       -       4.77 MiB/s',
        '',
      ].join('\n'),
    )
  })

  it('joins hours where there are more than columns, and has a header alone where nothing is known', () => {
    const week = { fromMs: UNTIL - 168 * HOUR_MS, untilMs: UNTIL }
    const hours = Array.from({ length: 167 }, (_, index) => hoursAgo(167 - index, { disk: index < 84 ? 20 : 80 }))
    expect(measuresTable(hours, {}, week)).toContain(`EACH 4 HOURS`)
    expect(measuresTable(hours, {}, week)).toContain(`disk     ${'▂'.repeat(21)}${'▇'.repeat(21)}  20.0 %`)
    expect(measuresTable([], {}, week)).toBe('MEASURE  EACH 4 HOURS  LEAST  MOST  MEAN  NOW\n')
  })
})
