/** Who has kured's lock, as its DaemonSet says, and what becomes of it when nobody can tell. */
import { describe, expect, test } from 'vitest'
import { ApiError } from '../../../aggregator/kubernetes/api-error.ts'
import type { Call } from '../../../aggregator/kubernetes/client.ts'
import { createClusterNow } from '../../../aggregator/kubernetes/permits/cluster-now.ts'
import { holdersOf } from '../../../aggregator/kubernetes/permits/kured.ts'
import { readOutside } from '../../../aggregator/permits/outside.ts'
import { readGuards } from '../../../remediators/guards/settings.ts'
import { FakeLists } from './fake-cluster-now.ts'

const KURED = { namespace: 'kube-system', daemonSet: 'kured', lockAnnotation: 'weave.works/kured-node-lock' }
const NOW_MS = Date.parse('2026-01-31T12:00:00Z')
/** As kured writes it: a time.Duration is in nanoseconds. */
const MINUTE_NS = 60e9
const lock = (nodeID: string, created = '2026-01-31T11:30:00Z', TTL = 0) => {
  return { nodeID, metadata: { unschedulable: false }, created, TTL }
}

describe('the lock', () => {
  test.each([
    ['of one node', lock('a'), ['a']],
    ['whose TTL is not over', lock('a', '2026-01-31T11:30:00Z', 31 * MINUTE_NS), ['a']],
    ['whose TTL is over', lock('a', '2026-01-31T11:30:00Z', 30 * MINUTE_NS), []],
    ['that does not say since when', { nodeID: 'a', TTL: MINUTE_NS }, ['a']],
    ['since a time that is none', lock('a', 'yesterday', MINUTE_NS), ['a']],
    ['of several', { maxOwners: 3, locks: [lock('a'), lock('b', '2026-01-30T00:00:00Z', 1), lock('c')] }, ['a', 'c']],
    ['that all gave back', { maxOwners: 3, locks: [] }, []],
    ['that all gave back, as Go writes it', { maxOwners: 3, locks: null }, []],
  ])('%s', (_, annotation, holders) => {
    expect([...holdersOf(JSON.stringify(annotation), NOW_MS)]).toEqual(holders)
  })

  test('that is none is nobody’s, and one that cannot be understood is an error', () => {
    expect(holdersOf(undefined, NOW_MS).size).toBe(0)
    for (const text of ['', '{', '[]', 'null', '{"node":"a"}', '{"locks":"a"}'])
      expect(() => holdersOf(text, NOW_MS)).toThrow()
  })
})

describe('a cluster', () => {
  const clusterWith = (daemonSet: (call: Call) => unknown) => {
    const lists = new FakeLists()
    for (const name of ['a', 'b']) lists.putNode(name, true)
    const call = async <T>(asked: Call) => (asked.verb === 'get' ? (daemonSet(asked) as T) : await lists.call<T>(asked))
    return createClusterNow({ call }, KURED)
  }

  test('shows the node that has it as taken, read by the name of its DaemonSet with each request', async () => {
    const asked: Call[] = []
    const annotations: Record<string, string> = { [KURED.lockAnnotation]: JSON.stringify(lock('b')) }
    const cluster = clusterWith((call) => {
      asked.push(call)
      return { metadata: { annotations } }
    })
    const taken = async () => [...(await cluster.read([])).values()].map(({ takenBy }) => takenBy)
    expect(await taken()).toEqual([undefined, 'kured has its lock on it'])
    delete annotations[KURED.lockAnnotation]
    expect(await taken()).toEqual([undefined, undefined])
    const ref = { group: 'apps', resource: 'daemonsets', namespace: 'kube-system', name: 'kured' }
    expect(asked).toEqual([
      { verb: 'get', ref },
      { verb: 'get', ref },
    ])
  })

  test('without kured is as it is', async () => {
    const cluster = clusterWith(() => {
      throw new ApiError('not-found', 404, 'no such DaemonSet')
    })
    expect([...(await cluster.read([])).keys()]).toEqual(['a', 'b'])
  })

  test.each([
    ['it may not be read', new ApiError('forbidden', 403, 'daemonsets "kured" is forbidden')],
    ['it is no lock', undefined],
  ])('is not known when %s, and the refusal says what to do', async (_, error) => {
    const cluster = clusterWith(() => {
      if (error !== undefined) throw error
      return { metadata: { annotations: { [KURED.lockAnnotation]: 'mine' } } }
    })
    const { stale } = await readOutside({ cluster, alerts: undefined }, readGuards())
    expect(stale).toMatch(/^kured's lock on DaemonSet kube-system\/kured cannot be read: .+kubernetes\.kured/)
  })
})
