import { describe, expect, it } from 'vitest'
import type { PeerLink } from '../../detectors/contract.ts'
import { peerLatency } from '../../detectors/peer-latency.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

const link = (node: string, changed: Partial<PeerLink> = {}): PeerLink => {
  return { node, isNear: true, beats: 60, lost: 0, medianMs: 0.4, p95Ms: 0.9, ...changed }
}
const judged = (links: readonly PeerLink[], options: unknown = {}) =>
  look(peerLatency, { ...fixtureHost('empty'), peerLinks: () => links }, options)
const near = (...p95s: readonly number[]) => p95s.map((p95Ms, index) => link(`n${index}`, { p95Ms }))

describe('peer-latency', () => {
  it.each([
    [[1, 1, 15, 1], []],
    [[1, 1, 15.1, 1], ['PeerSlow']],
    [
      [1, 1, 16, 16, 1],
      ['PeerSlow', 'PeerSlow'],
    ],
    [[1, 1, 16, 16], ['PeersSlow']],
    [[16, 16, 16, 1, 1], ['PeersSlow']],
  ])('judges peers within the zone with 95th percentiles of %j ms as %j', async (p95s, expected) => {
    expect(reasons(await judged(near(...p95s)))).toEqual(expected)
  })

  it('names the one peer that is slow, and no peer when it is this side', async () => {
    const [one] = await judged(near(1, 40, 1))
    expect([one?.cause, one?.summary]).toEqual([
      'n1',
      'one answer in 20 of n1 takes over 40 ms, of 3 peers that are measured',
    ])
    expect(await look(peerLatency, fixtureHost('peer-latency/bad'))).toEqual([
      {
        reason: 'PeersSlow',
        summary: 'one answer in 20 of 4 of 5 peers takes long, of the worst over 48.2 ms',
        evidence: [
          { name: 'slow peers', value: 4, unit: 'peers' },
          { name: 'worst 95th percentile', value: 48.2, limit: 15, unit: 'ms' },
        ],
      },
    ])
  })

  it('holds a peer in another zone against its own median, however far it is', async () => {
    const far = (medianMs: number, p95Ms: number) => [...near(1, 1, 1), link('far', { isNear: false, medianMs, p95Ms })]
    expect(await judged(far(80, 240))).toEqual([])
    expect(summaries(await judged(far(80, 241)))).toEqual([
      'one answer in 20 of far takes over 241 ms, of 4 peers that are measured',
    ])
    expect(await judged(far(1, 15))).toEqual([])
  })

  it('leaves a link that loses packets to peer-loss', async () => {
    expect(await judged([...near(1, 1, 1), link('n3', { p95Ms: 180, lost: 4 })])).toEqual([])
    expect(reasons(await judged([...near(1, 1, 1), link('n3', { p95Ms: 180, lost: 3 })]))).toEqual(['PeerSlow'])
  })

  it('does not apply with too few peers known for long enough', async () => {
    await expect(judged(near(40, 40))).rejects.toThrow('2 peers have been measured for long enough, and it takes 3')
    const young = [...near(40, 40), link('young', { beats: 29 })]
    await expect(judged(young)).rejects.toThrow('2 peers have been measured')
  })

  it('knows nothing from figures that cannot be', async () => {
    for (const p95Ms of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(judged([...near(1, 1, 1), link('n3', { p95Ms })])).rejects.toThrow('the mesh measured')
    }
  })

  it('takes other limits, and refuses what is none', async () => {
    expect(reasons(await judged(near(2, 2, 2), { near: '1ms' }))).toEqual(['PeersSlow'])
    expect(peerLatency.options.safeParse({ near: 'slow' }).success).toBe(false)
    expect(peerLatency.options.safeParse({ far: 1 }).success).toBe(false)
  })
})
