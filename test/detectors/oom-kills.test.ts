import { describe, expect, it } from 'vitest'
import { NotApplicable } from '../../detectors/contract.ts'
import { oomKills } from '../../detectors/oom-kills.ts'
import { fixtureHost, look } from './fixture-host.ts'

const options = oomKills.options.parse({})
const sampled = (name: string) =>
  oomKills.sample(fixtureHost(`oom-kills/${name}`), options, new AbortController().signal)
const between = async (before: string, now: string) =>
  oomKills.judge(await sampled(now), options, [await sampled(before)]).map(({ reason, summary }) => [reason, summary])
const judged = (killed: number, past: readonly number[]) =>
  oomKills
    .judge(
      { killed, limitsHit: 0 },
      options,
      past.map((earlier) => ({ killed: earlier, limitsHit: 0 })),
    )
    .map(({ evidence }) => evidence[0]?.value)

describe('oom-kills', () => {
  it('says nothing of kills before it first looked', async () => {
    expect(await look(oomKills, fixtureHost('oom-kills/bad'))).toEqual([])
    expect(await between('before', 'ok')).toEqual([])
  })

  it('tells a host that is out of memory from a container at its limit', async () => {
    expect(await between('before', 'bad')).toEqual([
      ['SystemOomKills', 'the kernel killed 3 processes for want of memory on the whole host: no limit was hit'],
    ])
    expect(await between('before', 'limit')).toEqual([
      [
        'LimitOomKills',
        'the kernel killed 3 processes for want of memory: limits of containers or services were hit 2 times',
      ],
    ])
  })

  it('does not tell them apart where the kernel does not', async () => {
    expect(await between('v1-before', 'v1')).toEqual([['OomKills', 'the kernel killed 2 processes for want of memory']])
  })

  it.each([
    [5, [5, 5, 5], []],
    [7, [6, 6, 5], [2]],
    // The host started again after the second look back: what was counted before says nothing.
    [2, [1, 9, 8], [1]],
    [0, [9], []],
  ])('of a count of %d after %j reports %j', (killed, past, expected) => {
    expect(judged(killed, past)).toEqual(expected)
  })

  it('takes a kill at a limit for one also when a look fell between the two counts of it', () => {
    const look = (killed: number, limitsHit: number) => ({ killed, limitsHit })
    // Newest first: one look has the limit already, and only those after it the kill.
    const looks = [...Array.from({ length: 20 }, () => look(4, 8)), look(3, 8), look(3, 7), look(3, 7)]
    const said = looks.map((now, index) =>
      oomKills.judge(now, options, looks.slice(index + 1, index + 11)).map(({ reason }) => reason),
    )
    expect(new Set(said.flat())).toEqual(new Set(['LimitOomKills']))
    expect(said.filter((reasons) => reasons.length > 0)).toHaveLength(9)
  })

  it('names the file that does not count, and does not apply without one', async () => {
    await expect(look(oomKills, fixtureHost('oom-kills/unreadable'))).rejects.toThrow('does not count oom_kill')
    await expect(look(oomKills, fixtureHost('empty'))).rejects.toThrow(NotApplicable)
    expect(oomKills.options.safeParse({ kills: 0 }).success).toBe(false)
  })
})
