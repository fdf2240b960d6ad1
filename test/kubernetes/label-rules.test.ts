/** How an API server is asked for a label, and what a pod's metadata says of whom it belongs to. */
import { expect, it } from 'vitest'
import { selectorOf } from '../../aggregator/kubernetes/labels/label-selector.ts'
import { ownerOf } from '../../aggregator/kubernetes/labels/pod-metadata.ts'

it.each([
  [{ key: 'app', value: 'shop' }, 'app=shop'],
  [{ key: 'app' }, 'app'],
  [{ key: 'app.kubernetes.io/name', value: 'Shop_1.2' }, 'app.kubernetes.io/name=Shop_1.2'],
  [{ key: 'a'.repeat(63), value: 'b'.repeat(63) }, `${'a'.repeat(63)}=${'b'.repeat(63)}`],
])('%j is asked for as %s', (label, selector) => {
  expect(selectorOf(label)).toBe(selector)
})

it.each([
  { key: 'app', value: 'shop!=1' },
  { key: 'app', value: 'a(b' },
  { key: 'app', value: '' },
  { key: '!app' },
  { key: 'app,tier' },
  { key: '/app' },
  { key: 'example.org/' },
  { key: 'Example.org/app' },
  { key: 'a/b/c' },
  { key: '-app', value: 'shop' },
  { key: 'a'.repeat(64) },
  { key: 'app', value: 'b'.repeat(64) },
  { key: `${'a.'.repeat(127)}a/app` },
  { key: '', value: 'shop' },
])('%j is asked of nobody', (label) => {
  expect(selectorOf(label)).toBeUndefined()
})

const HASH = { 'pod-template-hash': '5dd5756b68' }
const by = (kind: string, name: string) => [
  { kind: 'Something', name: 'else' },
  { kind, name, controller: true },
]

it.each([
  ['its Deployment', 'web-5dd5756b68-abcde', by('ReplicaSet', 'web-5dd5756b68'), HASH, 'web'],
  ['its ReplicaSet, which nobody made', 'web-abcde', by('ReplicaSet', 'web-5dd5756b68'), undefined, 'web-5dd5756b68'],
  ['its ReplicaSet of another name', 'web-abcde', by('ReplicaSet', 'web'), HASH, 'web'],
  ['its StatefulSet', 'mysql-0', by('StatefulSet', 'mysql'), undefined, 'mysql'],
  ['its DaemonSet', 'a-bcdfghj-x2x9k', by('DaemonSet', 'a-bcdfghj'), HASH, 'a-bcdfghj'],
  ['its Job', 'copy-3-k9p2m', by('Job', 'copy'), undefined, 'copy'],
  ['itself', 'cache-7', undefined, HASH, 'cache-7'],
  ['itself, with an owner that does not control it', 'cache-7', [{ kind: 'Job', name: 'x' }], undefined, 'cache-7'],
  ['what its name says, of a static pod', 'etcd-node-a', by('Node', 'node-a'), undefined, 'etcd-node-a'],
])('a pod belongs to %s', (_, name, ownerReferences, labels, owner) => {
  const metadata = {
    name,
    resourceVersion: '1',
    ...(ownerReferences && { ownerReferences }),
    ...(labels && { labels }),
  }
  expect(ownerOf({ metadata })).toBe(owner)
})

it('a pod whose metadata holds nulls is its own', () => {
  expect(ownerOf({ metadata: { name: 'x', resourceVersion: '1', labels: null, ownerReferences: null } })).toBe('x')
})
