import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fits, type NodeTraits, type Selector } from '../../common/selector.ts'
import { combinations } from '../../settings/combinations.ts'
import { type Override, settingsFor } from '../../settings/overrides.ts'

const NODE: NodeTraits = { node: 'node-1', zone: 'a', roles: ['compute', 'storage'], pool: 'gpu' }

const NAMES = ['x', 'y', 'z']
const some = fc.subarray(NAMES, { minLength: 1 })
const anySelector: fc.Arbitrary<Selector> = fc.record(
  { roles: some, pools: some, zones: some, nodes: some },
  { requiredKeys: [] },
)
const one = fc.constantFrom(...NAMES)
const anyNode: fc.Arbitrary<NodeTraits> = fc.record({
  node: one,
  zone: one,
  roles: fc.subarray(NAMES),
  pool: fc.option(one, { nil: undefined }),
})

describe('a selector', () => {
  test.each<[Selector, boolean]>([
    [{}, false],
    [{ roles: ['storage'] }, true],
    [{ roles: ['control-plane'] }, false],
    [{ pools: ['gpu', 'cpu'] }, true],
    [{ zones: ['b'] }, false],
    [{ nodes: ['node-1'] }, true],
    [{ pools: ['gpu'], zones: ['b'] }, false],
    [{ pools: ['gpu'], zones: ['a'], roles: ['compute'] }, true],
  ])('%j fits the node: %s', (selector, answer) => {
    expect(fits(selector, NODE)).toBe(answer)
  })

  test('of pools fits no node without one', () => {
    expect(fits({ pools: ['gpu', ''] }, { ...NODE, pool: undefined })).toBe(true)
    expect(fits({ pools: ['gpu'] }, { ...NODE, pool: undefined })).toBe(false)
  })
})

describe('what a node is told', () => {
  const base = { detectors: { conntrack: { every: '30s', options: { warnRatio: 0.7, alarmRatio: 0.9 } } } }
  const over = (selector: Selector, detectors: Override['detectors']): Override => ({
    selector,
    detectors: detectors ?? {},
  })

  test('is the document, where no part is for it', () => {
    const overrides = [
      over({ pools: ['cpu'] }, { conntrack: { enabled: false } }),
      over({}, { conntrack: { every: '1s' } }),
    ]
    expect(settingsFor({ ...base, overrides }, NODE)).toEqual({ ...base, remediators: {} })
  })

  test('is merged key by key and option by option, later parts over earlier ones', () => {
    const overrides = [
      over(
        { pools: ['gpu'] },
        { conntrack: { every: '10s', options: { warnRatio: 0.5 } }, 'clock-skew': { every: '5s' } },
      ),
      over({ nodes: ['node-1'] }, { conntrack: { options: { warnRatio: 0.6 } } }),
    ]
    expect(settingsFor({ ...base, overrides }, NODE).detectors).toEqual({
      conntrack: { every: '10s', options: { warnRatio: 0.6, alarmRatio: 0.9 } },
      'clock-skew': { every: '5s' },
    })
  })

  test("replaces an option's own value whole", () => {
    const wanted = (map: object) => ({ 'kernel-params': { options: { wanted: map } } })
    const overrides = [over({ roles: ['storage'] }, wanted({ 'vm.swappiness': 1 }) as Override['detectors'])]
    const document = { detectors: wanted({ 'net.core.somaxconn': 4096 }) as Override['detectors'] & object, overrides }
    expect(settingsFor(document, NODE).detectors).toEqual(wanted({ 'vm.swappiness': 1 }))
  })

  test('is nothing of the parts for others, whatever they say', () => {
    fc.assert(
      fc.property(fc.array(anySelector, { maxLength: 6 }), anyNode, (selectors, node) => {
        const overrides = selectors.map((selector, index) => over(selector, { conntrack: { every: `${index}s` } }))
        const last = selectors.findLastIndex((selector) => fits(selector, node))
        const { every } = settingsFor({ ...base, overrides }, node).detectors.conntrack ?? {}
        expect(every).toBe(last === -1 ? '30s' : `${last}s`)
      }),
    )
  })
})

describe('the combinations of parts', () => {
  test('hold every set that a node can have, and none that no node can', () => {
    fc.assert(
      fc.property(fc.array(anySelector, { maxLength: 5 }), anyNode, (selectors, node) => {
        const parts = selectors.map((selector, index) => ({ index, selector }))
        const sets = (combinations(parts, 1_000) ?? []).map((set) => set.map(({ index }) => index).join())
        const matching = parts.filter(({ selector }) => fits(selector, node)).map(({ index }) => index)
        if (matching.length > 0) expect(sets).toContain(matching.join())
        expect(new Set(sets).size).toBe(sets.length)
      }),
    )
    const apart = [{ pools: ['x'] }, { pools: ['y'] }, { pools: ['x', 'y'], zones: ['a'] }, { zones: ['b'] }]
    const sets = combinations(
      apart.map((selector, index) => ({ index, selector })),
      100,
    )
    expect(sets?.map((set) => set.map(({ index }) => index).join(''))).toEqual([
      '0',
      '02',
      '03',
      '1',
      '12',
      '13',
      '2',
      '3',
    ])
  })

  test('are undefined when there are too many', () => {
    const parts = Array.from({ length: 12 }, (_, index) => ({ index, selector: { roles: [`role-${index}`] } }))
    expect(combinations(parts, 1_024)).toBeUndefined()
  })
})
