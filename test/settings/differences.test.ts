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

const policy = {
  name: 'params',
  selector: { pools: ['gpu'] },
  match: [{ reason: 'KernelParamDiffers' }],
  mode: 'suggest' as const,
  ladder: [{ remediator: 'sysctl', attempts: 2 }],
}
const withPolicies = (...policies: object[]) => ({ ...before, policies }) as SettingsDocument

test('of policies are said by their names', () => {
  const after = { ...policy, mode: 'approve', ladder: [{ remediator: 'sysctl', attempts: 3 }], coolDown: '1h' }
  expect(differences(withPolicies(policy), withPolicies(after))).toEqual([
    { path: 'policies.params.coolDown', before: undefined, after: '1h' },
    { path: 'policies.params.ladder.0.attempts', before: 2, after: 3 },
    { path: 'policies.params.mode', before: 'suggest', after: 'approve' },
  ])
  expect(differences(before, withPolicies(policy)).map(({ path, after }) => [path, after])).toEqual([
    ['policies.params.ladder.0.attempts', 2],
    ['policies.params.ladder.0.remediator', 'sysctl'],
    ['policies.params.match.0.reason', 'KernelParamDiffers'],
    ['policies.params.mode', 'suggest'],
    ['policies.params.selector.pools', ['gpu']],
  ])
})

test('of policies do not come of the order of keys, and do of their own order', () => {
  const { mode, name, ...others } = policy
  expect(differences(withPolicies(policy), withPolicies({ mode, ...others, name }))).toEqual([])
  const other = { ...policy, name: 'more' }
  expect(differences(withPolicies(policy, other), withPolicies(other, policy))).toEqual([
    { path: 'policies', before: ['params', 'more'], after: ['more', 'params'] },
  ])
})

test.each<[Partial<SettingsDocument>, boolean]>([
  [{ version: 2 }, false],
  [{ marking: { mode: 'ready' } }, false],
  [{ rollout: { soak: '1m' } }, false],
  [{ policies: [] }, false],
  [{ guards: { attempts: 3 } }, false],
  [{ policies: [policy] }, true],
  [{ detectors: {} }, true],
  [{ remediators: {} }, true],
  [{ overrides: [{ selector: { pools: ['gpu'] }, detectors: { conntrack: { enabled: false } } }] }, true],
])('%j changes what a node runs: %s', (parts, answer) => {
  expect(changesNodes(before, { ...before, ...parts })).toBe(answer)
})
