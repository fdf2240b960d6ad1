import { describe, expect, it } from 'vitest'
import { conntrackDrops } from '../../detectors/conntrack-drops.ts'
import { NotApplicable } from '../../detectors/contract.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

const STATISTICS = '/proc/net/stat/nf_conntrack'
const options = conntrackDrops.options.parse({})
const sampled = (name: string) =>
  conntrackDrops.sample(fixtureHost(`conntrack-drops/${name}`), options, new AbortController().signal)
/** Counters 60 s after they were 1,000 each. */
const judge = (counters: Readonly<Record<string, number>>, changed: unknown = {}, beforeS = 0) => {
  const before = { uptimeS: beforeS, counters: { drop: 1_000, insert_failed: 1_000, early_drop: 1_000 } }
  const now = { uptimeS: 60, counters: { ...before.counters, ...counters } }
  return conntrackDrops.judge(now, conntrackDrops.options.parse(changed), [before])
}
const withText = (text: string) => {
  const host = fixtureHost('conntrack-drops/ok')
  return { ...host, readText: async (path: string) => (path === STATISTICS ? text : host.readText(path)) }
}

describe('conntrack-drops', () => {
  it('says nothing of counters that stand still, whatever they have come to', async () => {
    expect(conntrackDrops.judge(await sampled('ok'), options, [await sampled('before')])).toEqual([])
    expect(conntrackDrops.judge(await sampled('bad'), options, [])).toEqual([])
  })

  it('sums the CPUs, and says how many packets are lost in a minute', async () => {
    const judgements = conntrackDrops.judge(await sampled('bad'), options, [await sampled('before')])
    expect(summaries(judgements)).toEqual([
      'connection tracking loses 666.2 packets a minute',
      'connection tracking loses 666.2 packets a minute',
      'connection tracking evicts 7.9 connections a minute to make room',
    ])
    expect(judgements[0]?.evidence).toEqual([
      { name: 'drop', value: 666.2, limit: 10, unit: '/min' },
      { name: 'insert_failed', value: 0, limit: 10, unit: '/min' },
    ])
  })

  it.each([
    [{ drop: 1_009 }, []],
    [{ drop: 1_010 }, ['ConntrackDrops']],
    [{ insert_failed: 1_010 }, ['ConntrackDrops']],
    [{ drop: 1_006, insert_failed: 1_006 }, []],
    [{ drop: 1_299 }, ['ConntrackDrops']],
    [{ drop: 1_300 }, ['ConntrackDrops', 'ConntrackDropsMany']],
    [{ early_drop: 1_001 }, ['ConntrackEvicts']],
    [{ drop: 0, early_drop: 0 }, []],
  ])('judges %j a minute after 1,000 as %j', (counters, expected) => {
    expect(reasons(judge(counters))).toEqual(expected)
  })

  it('does not judge two looks that are next to each other', () => {
    expect(judge({ drop: 2_000 }, {}, 58)).toEqual([])
  })

  it('uses the rates of its options, and refuses them the wrong way round', () => {
    expect(reasons(judge({ drop: 1_001 }, { warnPerMinute: 0.5 }))).toEqual(['ConntrackDrops'])
    expect(reasons(judge({ early_drop: 1_001 }, { evictedPerMinute: 2 }))).toEqual([])
    for (const wrong of [{ warnPerMinute: 300 }, { warnPerMinute: 0 }, { evictedPerMinute: -1 }]) {
      expect(conntrackDrops.options.safeParse(wrong).success).toBe(false)
    }
  })

  it('does not apply where connections are not tracked', async () => {
    await expect(look(conntrackDrops, fixtureHost('conntrack-drops/not-applicable'))).rejects.toThrow(NotApplicable)
  })

  it.each([
    ['', 'has no column drop'],
    ['entries found\n00 00', 'has no column drop'],
    ['drop insert_failed early_drop\n', 'has a line that does not fit'],
    ['drop insert_failed early_drop\n00000001 00000002', 'has a line that does not fit'],
    ['drop insert_failed early_drop\n00000001 00000002 0000000g', 'has a line that does not fit'],
  ])('does not know what to make of %j', async (text, why) => {
    await expect(look(conntrackDrops, withText(text))).rejects.toThrow(why)
  })

  it('does not know when it cannot read the time', async () => {
    const host = fixtureHost('conntrack-drops/ok')
    const odd = { ...host, readText: async (path: string) => (path === '/proc/uptime' ? 'up' : host.readText(path)) }
    await expect(look(conntrackDrops, odd)).rejects.toThrow('/proc/uptime does not say')
  })
})
