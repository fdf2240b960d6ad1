import { expect, test } from 'vitest'
import { changesNodes, differences } from '../../settings/differences.ts'
import type { SettingsDocument } from '../../settings/document.ts'
import { sampleDocument } from './sample.ts'

const before = sampleDocument()
const changed = (parts: Partial<SettingsDocument>) => differences(before, { ...before, ...parts })

test('are the values that are said otherwise, in the order of their paths', () => {
  expect(changed({})).toEqual([])
  const detectors = { conntrack: { every: '30s', options: { warnRatio: 0.6 } }, 'kubelet-process': { enabled: false } }
  expect(changed({ version: 2, detectors })).toEqual([
    { path: 'detectors.clock-skew.enabled', before: false, after: undefined },
    { path: 'detectors.conntrack.options.warnRatio', before: 0.7, after: 0.6 },
    { path: 'detectors.kubelet-process.enabled', before: undefined, after: false },
    { path: 'version', before: 1, after: 2 },
  ])
})

test('go into the parts for some nodes, and take any other list as one value', () => {
  const override = { selector: { pools: ['gpu', 'cpu'] }, detectors: { conntrack: { enabled: false } } }
  expect(changed({ overrides: [override] }).map(({ path, after }) => [path, after])).toEqual([
    ['overrides.0.detectors.conntrack.enabled', false],
    ['overrides.0.selector.pools', ['gpu', 'cpu']],
  ])
})

test('are none where nothing is said, but for the empty value of an option', () => {
  expect(changed({ overrides: [], marking: {}, rollout: {} })).toEqual([])
  const wanted = (map: object) =>
    ({ ...before, detectors: { 'kernel-params': { options: { wanted: map } } } }) as SettingsDocument
  expect(differences(wanted({ a: 1 }), wanted({}))).toEqual([
    { path: 'detectors.kernel-params.options.wanted', before: undefined, after: {} },
    { path: 'detectors.kernel-params.options.wanted.a', before: 1, after: undefined },
  ])
})

test.each<[Partial<SettingsDocument>, boolean]>([
  [{ version: 2 }, false],
  [{ marking: { mode: 'ready' } }, false],
  [{ rollout: { soak: '1m' } }, false],
  [{ detectors: {} }, true],
  [{ remediators: {} }, true],
  [{ overrides: [{ selector: { pools: ['gpu'] }, detectors: { conntrack: { enabled: false } } }] }, true],
])('%j changes what a node runs: %s', (parts, answer) => {
  expect(changesNodes(before, { ...before, ...parts })).toBe(answer)
})
