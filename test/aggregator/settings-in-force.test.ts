/** The settings at an aggregator: from the file or a person to the mesh, in stages. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  Aggregator,
  BASE,
  beginAggregators,
  changed,
  endAggregators,
  keyPair,
  NODES,
  passes,
  VIA,
  write,
} from './settings-aggregator.ts'

beforeEach(beginAggregators)
afterEach(endAggregators)

async function leader(): Promise<Aggregator> {
  const keys = await keyPair()
  return new Aggregator('first', keys, [keys]).lead()
}

describe('a version', () => {
  it('that is the first is in force at once', async () => {
    const first = await leader()
    expect([first.versions, first.events]).toEqual([[1, 1, 1, 1, 1], ['settings version 1 in force']])
  })

  it('reaches a node, two, and then all, each stage watched for as long as it says', async () => {
    const first = await leader()
    first.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    expect(first.versions).toEqual([1, 1, 1, 1, 2])
    const may = (...nodes: readonly string[]) =>
      nodes.map((node) => first.settings.documentsFor({ node }).map(({ version }) => version))
    expect(may(...NODES).toSorted()).toEqual([[1], [1], [1], [1], [1, 2]])
    passes(119_000)
    expect(first.versions).toEqual([1, 1, 1, 1, 2])
    passes(2_000)
    expect(first.versions).toEqual([1, 1, 1, 2, 2])
    passes(121_000)
    expect([first.versions, first.settings.document.version]).toEqual([[2, 2, 2, 2, 2], 1])
    expect(may('a')).toEqual([[1, 2]])
    passes(121_000)
    expect(first.settings.view()).toMatchObject({ version: 2, rollout: null, last: { version: 2, outcome: 'done' } })
    expect(first.events.at(-1)).toBe('settings version 2 in force')
    expect(may('a')).toEqual([[2]])
  })

  it('that changes nothing on any node, or is to be everywhere at once, is', async () => {
    const first = await leader()
    first.settings.propose({ document: { ...BASE, version: 2, marking: { mode: 'condition' } }, ...VIA }, 'somebody')
    expect(first.versions).toEqual([2, 2, 2, 2, 2])
    const rollout = { stages: ['100%'], soak: '0s' } as const
    first.settings.propose(
      { document: changed(3, '20s'), rollout: { ...rollout, stages: ['100%'] }, ...VIA },
      'somebody',
    )
    expect(first.versions).toEqual([3, 3, 3, 3, 3])
  })

  it('by which its first node fares worse is halted and undone, with the evidence on record', async () => {
    const first = await leader()
    first.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    first.ill = new Set(NODES.filter((node) => first.runs(node) === 2))
    passes(2_000)
    expect([first.versions, first.settings.document.detectors]).toEqual([[3, 3, 3, 3, 3], {}])
    expect(first.settings.view().last).toMatchObject({
      version: 2,
      outcome: 'halted',
      why: expect.stringContaining('on 1 of 1'),
    })
    const [halted] = first.store.query({ kinds: ['settings'], limit: 100 }).filter(({ tone }) => tone === 'bad')
    expect(halted?.data.evidence).toMatchObject([{ newer: { count: 1, of: 1 }, older: { count: 0, of: 4 } }])
  })

  it('that is to be held when it is halted stays where it is, until somebody goes back', async () => {
    const first = await leader()
    const document = { ...changed(2, '20s'), rollout: { onHalt: 'hold' } }
    first.settings.propose({ document, ...VIA }, 'somebody')
    first.ill = new Set(NODES.filter((node) => first.runs(node) === 2))
    passes(2_000)
    expect(first.settings.view().rollout).toMatchObject({
      version: 2,
      halted: expect.stringContaining('ConntrackFilling'),
    })
    passes(600_000)
    expect(first.settings.document.version).toBe(1)
    const event = first.settings.rollBack({ reason: 'too loud', ...VIA }, 'somebody')
    expect(event.summary).toBe('settings go back to version 1, as version 3, by somebody (api): too loud')
    expect(first.versions).toEqual([3, 3, 3, 3, 3])
  })

  it('is refused when it is not newer, not valid, or for another mesh, and leaves no trace', async () => {
    const first = await leader()
    const propose = (document: object) => () => first.settings.propose({ document, ...VIA }, 'somebody')
    expect(propose({ ...BASE, version: 1 })).toThrow('version 1 is too low')
    expect(propose({ ...BASE, version: 2, detectors: { conntrak: {} } })).toThrow(
      'the settings: detectors: unknown key "conntrak"',
    )
    expect(propose({ ...BASE, version: 2, mesh: 'prod-b' })).toThrow('mesh is prod-b')
    expect(() => first.settings.rollBack({ version: 9, reason: 'x', ...VIA }, 'somebody')).toThrow(
      'there is no version 9 to go back to',
    )
    expect(() => first.settings.rollBack({ reason: 'x', ...VIA }, 'somebody')).toThrow('there is no earlier version')
    expect(first.events).toEqual(['settings version 1 in force'])
  })

  it('is not below what nodes run that this aggregator has no record of', async () => {
    const first = await leader()
    vi.spyOn(first, 'runs').mockReturnValue(8)
    const propose = (version: number) => () =>
      first.settings.propose({ document: changed(version, '20s'), ...VIA }, 'x')
    expect(propose(8)).toThrow('version 8 is too low')
    expect(propose(9)).not.toThrow()
  })

  it('can be handed in and undone, whatever version a single node says that it runs', async () => {
    const first = await leader()
    const runs = first.runs.bind(first)
    vi.spyOn(first, 'runs').mockImplementation((node) => (node === 'a' ? Number.MAX_SAFE_INTEGER : runs(node)))
    first.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    first.settings.rollBack({ reason: 'too loud', ...VIA }, 'somebody')
    expect(first.settings.document.version).toBe(3)
  })

  it('in the file is taken when it is newer, and what was handed in otherwise does not make it wrong', async () => {
    const keys = await keyPair()
    const first = new Aggregator('first', keys, [keys]).lead()
    write(changed(2, '20s'))
    first.settings.readAgain()
    expect(first.versions).toEqual([1, 1, 1, 1, 2])
    first.settings.rollBack({ reason: 'x', ...VIA }, 'somebody')
    first.stop()
    const again = new Aggregator('first', keys, [keys]).lead()
    expect([again.versions, again.events.filter((says) => says.includes('refused'))]).toEqual([[3, 3, 3, 3, 3], []])
    write(changed(2, '30s'))
    again.settings.readAgain()
    expect(again.events.at(-1)).toMatch(/^settings refused, version kept: settings version 2 is too low/)
  })
})

it('that an aggregator finds in its file at a start begins once the nodes have told what was wrong before it', async () => {
  const keys = await keyPair()
  new Aggregator('first', keys, [keys]).lead().stop()
  write(changed(2, '20s'))
  const again = new Aggregator('first', keys, [keys]).lead()
  expect(again.versions).toEqual([1, 1, 1, 1, 1])
  again.ill = new Set(NODES)
  passes(16_000)
  expect(again.versions).toEqual([1, 1, 1, 1, 2])
  passes(10_000)
  again.ill = new Set(NODES.filter((node) => again.runs(node) === 2))
  passes(400_000)
  expect(again.settings.view()).toMatchObject({ version: 2, last: { outcome: 'done' } })
})

it('in the file that cannot be begun when its turn comes is refused, and ends nothing', async () => {
  const keys = await keyPair()
  new Aggregator('first', keys, [keys]).lead().stop()
  const nodes = Array.from({ length: 1_000 }, (_, index) => `node-${String(index).padStart(240, '0')}`)
  write({ ...changed(2, '20s'), overrides: [{ selector: { nodes } }, { selector: { nodes } }] })
  const again = new Aggregator('first', keys, [keys]).lead()
  passes(16_000)
  expect([again.versions, again.events.at(-1)]).toEqual([[1, 1, 1, 1, 1], expect.stringContaining('settings refused')])
})

describe('a disk that takes nothing', () => {
  /** From now on, until what this returns is called. */
  function fill({ store }: Aggregator): () => void {
    const { append, writeFact } = store
    const full = () => {
      throw new Error('database or disk is full')
    }
    Object.assign(store, { append: full, writeFact: full })
    return () => void Object.assign(store, { append, writeFact })
  }

  it('ends no rollout: its next stage begins, is said and is on record when there is room again', async () => {
    const first = await leader()
    first.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    const before = first.events
    const free = fill(first)
    passes(180_000)
    expect([first.versions, first.events]).toEqual([[1, 1, 1, 1, 2], before])
    free()
    passes(1_000)
    expect(first.versions).toEqual([1, 1, 1, 2, 2])
    expect(first.events.at(-1)).toMatch(/^settings version 2 for 2 of 5 nodes/)
    passes(242_000)
    expect(first.settings.view()).toMatchObject({ version: 2, rollout: null, last: { version: 2, outcome: 'done' } })
  })

  it('keeps no bad version going: it is halted and undone when there is room again', async () => {
    const first = await leader()
    first.settings.propose({ document: changed(2, '20s'), ...VIA }, 'somebody')
    const free = fill(first)
    first.ill = new Set(NODES.filter((node) => first.runs(node) === 2))
    passes(10_000)
    expect(first.versions).toEqual([1, 1, 1, 1, 2])
    free()
    passes(1_000)
    expect([first.versions, first.settings.view().last]).toMatchObject([[3, 3, 3, 3, 3], { outcome: 'halted' }])
    expect(first.events.filter((summary) => summary.includes('halted'))).toHaveLength(1)
  })

  it('loses no file that was changed, and no word on one that was refused', async () => {
    const first = await leader()
    passes(60_000)
    const free = fill(first)
    write({ ...changed(2, '20s'), rollout: { stages: ['100%'], soak: '0s' } })
    first.settings.readAgain()
    passes(5_000)
    expect(first.versions).toEqual([1, 1, 1, 1, 1])
    write({ ...BASE, version: 'none' })
    first.settings.readAgain()
    passes(2_000)
    free()
    passes(1_000)
    expect(first.versions).toEqual([2, 2, 2, 2, 2])
    expect(first.events.slice(1)).toEqual([
      expect.stringMatching(/^settings refused, version kept: /),
      'settings version 2 in force',
    ])
  })
})
