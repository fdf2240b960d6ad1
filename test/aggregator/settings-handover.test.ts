/** A roll-out of settings through restarts of an aggregator, clocks that are set, and changes of who leads. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type KeyPair, verifierOf } from '../../mesh/identity/keys.ts'
import { acceptSettings } from '../../settings/signed.ts'
import {
  Aggregator,
  AT_ONCE,
  beginAggregators,
  changed,
  endAggregators,
  keyPair,
  NODES,
  passes,
  takeOver,
  VIA,
} from './settings-aggregator.ts'

beforeEach(beginAggregators)
afterEach(endAggregators)

describe('a roll-out goes on', () => {
  it('where it was, in the next life of its aggregator', async () => {
    const keys = await keyPair()
    const first = new Aggregator('first', keys, [keys]).lead()
    first.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    passes(121_000)
    const before = first.said.at(-1)
    first.stop()
    const again = new Aggregator('first', keys, [keys]).lead()
    expect([again.versions, again.said.at(-1)]).toEqual([[1, 1, 1, 2, 2], before])
    passes(260_000)
    expect(again.settings.view()).toMatchObject({ version: 2, rollout: null })
  })

  it('after the whole time of a stage, when its aggregator starts again in the middle of it, and however clocks are set', async () => {
    const keys = await keyPair()
    const first = new Aggregator('first', keys, [keys]).lead()
    first.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    vi.setSystemTime(Date.now() + 3_600_000)
    passes(119_000)
    expect(first.versions).toEqual([1, 1, 1, 1, 2])
    first.stop()
    vi.setSystemTime(Date.now() + 3_600_000)
    const again = new Aggregator('first', keys, [keys]).lead()
    passes(119_000)
    expect(again.versions).toEqual([1, 1, 1, 1, 2])
    vi.setSystemTime(Date.now() - 7_200_000)
    passes(20_000)
    expect(again.versions).toEqual([1, 1, 1, 2, 2])
  })

  it('where it was, under another leader, which has the documents from the mesh', async () => {
    const [one, two] = [await keyPair(), await keyPair()]
    const first = new Aggregator('first', one, [one, two]).lead()
    const second = new Aggregator('second', two, [one, two])
    first.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    const said = first.said.at(-1)
    if (said === undefined) throw new Error('nothing was said')
    second.settings.hear(said)
    expect(second.seeks).toHaveLength(2)
    for (const bytes of first.holds) second.settings.take(bytes)
    expect(second.holds).toHaveLength(2)
    first.stop()
    second.lead()
    expect([second.versions, second.said.at(-1)]).toEqual([[1, 1, 1, 1, 2], said])
    passes(400_000)
    expect(second.settings.view()).toMatchObject({ version: 2, rollout: null })
    expect(second.settings.document.detectors).toEqual({ conntrack: { every: '20s' } })
  })

  it('under another leader that has no more than the record of what was decided', async () => {
    const [one, two, stranger] = [await keyPair(), await keyPair(), await keyPair()]
    const first = new Aggregator('first', one, [one, two]).lead()
    const handedIn = first.settings.propose({ document: changed(2, '20s'), rollout: AT_ONCE, ...VIA }, 'somebody')
    const back = first.settings.rollBack({ reason: 'findings jumped', ...VIA }, 'somebody')
    first.stop()
    const standby = (name: string, all: readonly KeyPair[]) => {
      const second = new Aggregator(name, two, all)
      for (const event of [back, handedIn]) second.settings.recorded(event)
      second.lead()
      passes(60_000)
      return [second.settings.view().version, second.settings.document.detectors]
    }
    expect(standby('second', [one, two])).toEqual([3, {}])
    expect(standby('third', [two, stranger])).toEqual([1, {}])
    const late = new Aggregator('late', two, [one, two])
    late.settings.recorded(handedIn)
    late.lead()
    passes(60_000)
    expect(late.settings.view()).toMatchObject({ version: 2, rollout: null })
    expect(late.settings.document.detectors).toEqual({ conntrack: { every: '20s' } })
  })

  it('backwards, where whoever halted it ended before it undid it', async () => {
    const [one, two] = [await keyPair(), await keyPair()]
    const first = new Aggregator('first', one, [one, two]).lead()
    const second = new Aggregator('second', two, [one, two])
    first.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    const documents = first.holds
    first.ill = new Set(NODES.filter((node) => first.runs(node) === 2))
    passes(2_000)
    const said = first.said.find(({ next }) => next !== null && next.halted !== null)
    if (said === undefined) throw new Error('it was not halted')
    first.stop()
    second.settings.hear(said)
    for (const bytes of documents) second.settings.take(bytes)
    second.lead()
    passes(20_000)
    expect([second.versions, second.settings.document.detectors]).toEqual([[3, 3, 3, 3, 3], {}])
    expect(second.settings.view()).toMatchObject({ rollout: null, last: { version: 2, outcome: 'halted' } })
  })

  it('by how the nodes were before it, when whoever began it leads again', async () => {
    const [one, two] = [await keyPair(), await keyPair()]
    const first = new Aggregator('first', one, [one, two]).lead()
    const second = new Aggregator('second', two, [one, two])
    first.ill = new Set(NODES)
    first.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    const said = first.said.at(-1)
    if (said === undefined) throw new Error('nothing was said')
    second.settings.hear(said)
    for (const bytes of first.holds) second.settings.take(bytes)
    first.isLeader = false
    second.lead()
    passes(140_000)
    const later = second.said.at(-1)
    if (later === undefined) throw new Error('nothing more was said')
    second.isLeader = false
    first.settings.hear(later)
    first.lead()
    // What all had at the beginning, two have still: it is no news.
    first.ill = new Set(NODES.filter((node) => first.runs(node) === 2))
    passes(400_000)
    expect(first.settings.view()).toMatchObject({ version: 2, last: { outcome: 'done' } })
  })

  it('under another leader, by how the nodes were when a stage of it ended well', async () => {
    const [one, two] = [await keyPair(), await keyPair()]
    const first = new Aggregator('first', one, [one, two]).lead()
    const second = new Aggregator('second', two, [one, two])
    first.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    takeOver(first, second)
    // Not new on any node, and not told apart from new without that.
    second.ill = new Set(NODES)
    passes(140_000)
    expect(second.versions).toEqual([1, 1, 1, 2, 2])
    second.ill = new Set(NODES.filter((node) => second.runs(node) === 2))
    passes(400_000)
    expect(second.settings.view()).toMatchObject({ version: 2, last: { outcome: 'done' } })
  })

  it('under another leader in its last stage only while nothing is wrong anywhere', async () => {
    const [one, two] = [await keyPair(), await keyPair()]
    const first = new Aggregator('first', one, [one, two]).lead()
    const second = new Aggregator('second', two, [one, two])
    first.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    passes(250_000)
    expect(first.said.at(-1)?.next?.reach).toBeNull()
    takeOver(first, second)
    second.ill = new Set(['a'])
    passes(20_000)
    expect(second.settings.view()).toMatchObject({ version: 3, rollout: null, last: { version: 2, outcome: 'halted' } })
    expect(second.settings.document.detectors).toEqual({})
  })

  it('not by what nobody of this mesh signed, which is not asked for again', async () => {
    const [one, two] = [await keyPair(), await keyPair()]
    const stranger = new Aggregator('stranger', one, [one]).lead()
    stranger.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    const second = new Aggregator('second', two, [two]).lead()
    const said = stranger.said.at(-1)
    if (said === undefined) throw new Error('nothing was said')
    second.settings.hear(said)
    expect(second.seeks).toHaveLength(2)
    for (const bytes of stranger.holds) second.settings.take(bytes)
    expect([second.seeks, second.settings.view().version, second.settings.view().rollout]).toEqual([[], 1, null])
  })
})

describe('what an aggregator signed that has left the roster', () => {
  it('is said again as the next version by the leader, once, and the history says so', async () => {
    const [one, two] = [await keyPair(), await keyPair()]
    const inRoster = [one, two]
    const first = new Aggregator('first', one, inRoster).lead()
    const second = new Aggregator('second', two, inRoster)
    first.settings.propose({ document: changed(2, '20s'), rollout: AT_ONCE, ...VIA }, 'somebody')
    takeOver(first, second)
    passes(120_000)
    expect(second.versions).toEqual([2, 2, 2, 2, 2])
    inRoster.shift()
    passes(200_000)
    expect(second.versions).toEqual([3, 3, 3, 3, 3])
    expect(second.settings.view()).toMatchObject({ version: 3, rollout: null })
    expect(second.settings.document.detectors).toEqual({ conntrack: { every: '20s' } })
    expect(second.events.filter((says) => says.includes('has left'))).toEqual([
      'settings version 3 has the content of version 2, which an aggregator signed that has left',
    ])
    const accepted = second.holds.map(
      (bytes) => acceptSettings(null, bytes, 'test', verifierOf(two.publicKey)).accepted,
    )
    expect(accepted).toEqual([true])
    // Going back goes to what says something else.
    second.settings.rollBack({ reason: 'x', ...VIA }, 'somebody')
    expect(second.settings.document).toMatchObject({ version: 4, detectors: {} })
  })

  it('is signed anew in the middle of its roll-out, which goes on where it was', async () => {
    const [one, two] = [await keyPair(), await keyPair()]
    const inRoster = [one, two]
    const first = new Aggregator('first', one, inRoster).lead()
    const second = new Aggregator('second', two, inRoster)
    first.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    takeOver(first, second)
    inRoster.shift()
    passes(61_000)
    expect(second.versions).toEqual([1, 1, 1, 1, 3])
    passes(500_000)
    expect(second.versions).toEqual([3, 3, 3, 3, 3])
    expect(second.settings.view()).toMatchObject({ version: 3, last: { version: 3, outcome: 'done' } })
  })

  it('stays as it is where this aggregator is not in the roster either, or does not lead', async () => {
    const [one, two] = [await keyPair(), await keyPair()]
    const inRoster = [one, two]
    const first = new Aggregator('first', one, inRoster).lead()
    const second = new Aggregator('second', two, inRoster)
    inRoster.length = 0
    passes(300_000)
    expect([first.versions, second.settings.view().version]).toEqual([[1, 1, 1, 1, 1], 1])
  })
})
