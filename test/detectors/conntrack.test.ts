import { describe, expect, it } from 'vitest'
import { conntrack } from '../../detectors/conntrack.ts'
import { NotApplicable } from '../../detectors/contract.ts'
import { fixtureHost, look, reasons } from './fixture-host.ts'

const judge = (used: number, max: number, options: unknown = {}) =>
  reasons(conntrack.judge({ used, max }, conntrack.options.parse(options), []))

describe('conntrack', () => {
  it('says nothing of a table with room', async () => {
    expect(await look(conntrack, fixtureHost('conntrack/ok'))).toEqual([])
  })

  it('raises both levels of a table that is all but full, with its figures', async () => {
    const judgements = await look(conntrack, fixtureHost('conntrack/bad'))
    expect(judgements).toEqual([
      {
        reason: 'ConntrackFilling',
        summary: '254280 of 262144 conntrack entries are in use (97 %)',
        evidence: [{ name: 'nf_conntrack_count', value: 254_280, limit: 262_144, unit: 'entries' }],
      },
      expect.objectContaining({ reason: 'ConntrackAlmostFull' }),
    ])
  })

  it.each([
    [79, []],
    [80, ['ConntrackFilling']],
    [94, ['ConntrackFilling']],
    [95, ['ConntrackFilling', 'ConntrackAlmostFull']],
  ])('judges %d of 100 entries as %j', (used, expected) => {
    expect(judge(used, 100)).toEqual(expected)
  })

  it('takes a maximum of 0 for what it is: no limit', () => {
    expect(judge(1_000, 0)).toEqual([])
  })

  it('uses the ratios of its options, and refuses them the wrong way round', () => {
    expect(judge(50, 100, { warnRatio: 0.4 })).toEqual(['ConntrackFilling'])
    expect(conntrack.options.safeParse({ warnRatio: 0.95 }).success).toBe(false)
    expect(conntrack.options.safeParse({ warnRatio: 0 }).success).toBe(false)
  })

  it('does not apply where the module is not loaded', async () => {
    await expect(look(conntrack, fixtureHost('empty'))).rejects.toThrow(NotApplicable)
  })

  it('names the file that holds no number', async () => {
    await expect(look(conntrack, fixtureHost('conntrack/unreadable'))).rejects.toThrow(
      /nf_conntrack_count holds "a few"/,
    )
  })
})
