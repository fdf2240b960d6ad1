import { describe, expect, it } from 'vitest'
import type { PeerLink } from '../../detectors/contract.ts'
import { peerLoss } from '../../detectors/peer-loss.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

const judged = (lost: readonly number[], options: unknown = {}, beats = 60) => {
  const links = lost.map((count, index): PeerLink => {
    return { node: `n${index}`, isNear: index > 0, beats, lost: count, medianMs: 0.4, p95Ms: 0.9 }
  })
  return look(peerLoss, { ...fixtureHost('empty'), peerLinks: () => links }, options)
}

describe('peer-loss', () => {
  it.each([
    [[0, 0, 12, 0], []],
    [[0, 0, 13, 0], ['PeerLossy']],
    [
      [0, 0, 60, 20, 0],
      ['PeerLossy', 'PeerLossy'],
    ],
    [[0, 0, 13, 13], ['PeersLossy']],
    [[13, 13, 13], ['PeersLossy']],
  ])('judges peers to whom %j of 60 beats were lost as %j', async (lost, expected) => {
    expect(reasons(await judged(lost))).toEqual(expected)
  })

  it('names the one peer that is lossy, and no peer when it is this side', async () => {
    const [one] = await judged([0, 0, 30])
    expect([one?.cause, one?.summary]).toEqual([
      'n2',
      '30 of the last 60 beats to n2 got lost, of 3 peers that are measured',
    ])
    expect(summaries(await look(peerLoss, fixtureHost('peer-loss/bad')))).toEqual([
      'beats to 4 of 5 peers get lost, to the worst 35 % of them',
    ])
  })

  it('does not apply with too few peers known for long enough', async () => {
    await expect(judged([30, 30])).rejects.toThrow('2 peers have been measured for long enough, and it takes 3')
    await expect(judged([20, 20, 20], {}, 29)).rejects.toThrow('0 peers have been measured')
  })

  it('knows nothing from figures that cannot be', async () => {
    await expect(judged([0, 0, 61])).rejects.toThrow('61 of 60 beats to n2 lost')
    await expect(judged([0, 0, -1])).rejects.toThrow('the mesh measured')
  })

  it('takes another limit, and refuses what is none', async () => {
    expect(await judged([13, 13, 13], { limitRatio: 0.5 })).toEqual([])
    expect(peerLoss.options.safeParse({ limitRatio: 0 }).success).toBe(false)
    expect(peerLoss.options.safeParse({ limitRatio: 2 }).success).toBe(false)
  })
})
