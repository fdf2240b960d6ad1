/** Taking everything of ours off a cluster. */
import { expect, test } from 'vitest'
import { ApiError } from '../../aggregator/kubernetes/api-error.ts'
import type { Call } from '../../aggregator/kubernetes/client.ts'
import { desiredMarks } from '../../aggregator/kubernetes/marking/desired.ts'
import { GATE } from '../../aggregator/kubernetes/marking/gates.ts'
import { hasOwnMarks } from '../../aggregator/kubernetes/marking/node-marks.ts'
import {
  conditionOf,
  type NodeObject,
  type PodObject,
  type StatusPatch,
  type Taint,
} from '../../aggregator/kubernetes/marking/objects.ts'
import { isMarkedPod, markOf } from '../../aggregator/kubernetes/marking/pod-marks.ts'
import { uninstall } from '../../aggregator/kubernetes/uninstall.ts'
import { readMarking } from '../../settings/marking.ts'
import { applied, verdict, WRITING } from './cases.ts'
import { createFakeCluster, merged } from './fake-cluster.ts'
import { node, pod } from './objects.ts'

const isRemediation = (name: string) => name.startsWith('fix-')

/** The few requests that uninstall makes beside those of the marker, over the cluster in memory. */
function clientOf(cluster: ReturnType<typeof createFakeCluster>, objects: string[]) {
  const call = async ({ verb, ref, body, query }: Call): Promise<unknown> => {
    const { resource, name = '', subresource } = ref
    if (verb === 'list') {
      if (resource === 'pods') return { items: cluster.pods }
      if (resource === 'nodes') return { items: await cluster.nodes() }
      if (resource === 'remediations') {
        if (!objects.some(isRemediation)) throw new ApiError('not-found', 404, 'there is no such kind of object')
        return { items: objects.filter(isRemediation).map((object) => ({ metadata: { name: object } })) }
      }
      const asked = objects.filter((object) => `metadata.name=${object}` === query?.fieldSelector)
      const spec = { holderIdentity: resource === 'leases' ? 'aggregator-1_1.3' : '' }
      return { items: asked.map((object) => ({ metadata: { name: object, namespace: 'starling' }, spec })) }
    }
    if (verb === 'delete') return void objects.splice(objects.indexOf(name), 1)
    if (resource === 'pods') {
      const found = cluster.pods.find(({ metadata }) => metadata.name === name)
      return await cluster.patchPodStatus(found as PodObject, body as StatusPatch)
    }
    if (subresource === 'status') return await cluster.patchNodeStatus(name, body as StatusPatch)
    const { metadata, spec } = body as NodeObject
    return await cluster.setTaints(name, metadata.resourceVersion, (spec?.taints as readonly Taint[] | null) ?? [])
  }
  return { call: call as <T>(call: Call) => Promise<T> }
}

test('leaves nothing of ours and all of what is not; first it says what it would do', async () => {
  const cluster = createFakeCluster()
  const foreign = { key: 'dedicated', effect: 'NoSchedule' }
  const down = desiredMarks(verdict(), 'ready', readMarking({ taints: { NodeDown: 'NoSchedule' } }))
  cluster.putNode(applied(node('a', { taints: [foreign] }), down))
  cluster.putNode(applied(node('b'), desiredMarks(verdict('Isolated'), 'ready', readMarking())))
  cluster.putNode(node('c', { ready: { status: 'False', reason: 'KubeletNotReady' } }))
  for (const [name, words] of [
    ['web', {}],
    ['broken', { containersReady: 'False' }],
    ['shut', { gates: [[GATE, 'False']] }],
  ] as const) {
    const before = pod(name, 'a', words)
    cluster.putPod(merged(before, markOf(before, 'down', WRITING.times.now)))
  }
  cluster.putPod(pod('gated', 'b', { gates: [[GATE, 'True']] }))
  cluster.putPod(pod('stranger', 'b', { gates: [['other', 'False']] }))
  const objects = ['somebody-elses', 'starling-aggregator', 'starling-roster', 'starling-permits', 'fix-1', 'fix-2']
  const client = clientOf(cluster, objects)
  const would = await uninstall(client, { dryRun: true, times: WRITING.times })
  expect(cluster.requests.filter((request) => request.startsWith('patch'))).toEqual([])
  const did = await uninstall(client, { dryRun: false, times: WRITING.times })
  expect(did).toEqual(would)
  expect(did.gated).toEqual(['default/shut', 'default/gated'])
  expect(did.removals.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    'pod condition default/web',
    'pod condition default/broken',
    'pod gate default/shut',
    'pod condition default/shut',
    'node Ready a',
    'node condition a',
    'taint a',
    'node condition b',
    'taint b',
    'Lease starling/starling-aggregator',
    'ConfigMap starling/starling-roster',
    'ConfigMap starling/starling-permits',
    'Remediation fix-1',
    'Remediation fix-2',
  ])
  expect(did.removals.flatMap(({ holder }) => holder ?? [])).toEqual(['aggregator-1_1.3'])
  const nodes = await cluster.nodes()
  expect(nodes.map(hasOwnMarks)).toEqual([false, false, false])
  expect(nodes[0]?.spec?.taints).toEqual([foreign])
  expect(conditionOf(nodes[2] ?? node('c'), 'Ready')?.reason).toBe('KubeletNotReady')
  expect(cluster.pods.map((each) => [isMarkedPod(each), conditionOf(each, 'Ready')?.status])).toEqual([
    [false, 'True'],
    [false, 'False'],
    [false, 'True'],
    [false, 'True'],
    [false, 'True'],
  ])
  // Taken away, it would make them not Ready.
  expect(cluster.pods.map((each) => conditionOf(each, GATE)?.status)).toEqual([
    undefined,
    undefined,
    'True',
    'True',
    undefined,
  ])
  expect(objects).toEqual(['somebody-elses'])
  expect((await uninstall(client, { dryRun: false, times: WRITING.times })).removals).toEqual([])
})

test('what a kubelet wrote meanwhile is read again, what is gone needs nothing, and what never rests is an error', async () => {
  const cluster = createFakeCluster()
  const down = desiredMarks(verdict(), 'ready', readMarking())
  cluster.putNode(applied(node('a'), down))
  for (const name of ['web', 'gone']) {
    const before = pod(name, 'a')
    cluster.putPod(merged(before, markOf(before, 'down', WRITING.times.now)))
  }
  const writes: string[] = []
  let conflicts = 2
  cluster.before = (verb, object) => {
    if (!verb.startsWith('patch')) return
    writes.push(object)
    if (object === 'default/gone') cluster.deletePod('default', 'gone')
    else if (conflicts-- > 0) throw new ApiError('conflict', 409, 'the object has been modified')
  }
  const client = clientOf(cluster, [])
  const did = await uninstall(client, { dryRun: false, times: WRITING.times })
  expect(did.removals.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    'pod condition default/web',
    'pod condition default/gone',
    'node Ready a',
    'node condition a',
  ])
  expect(writes).toEqual(['default/web', 'default/gone', 'a', 'default/web', 'a'])
  expect((await cluster.nodes()).map(hasOwnMarks)).toEqual([false])
  expect(cluster.pods.map(isMarkedPod)).toEqual([false])

  cluster.putNode(applied(node('a'), down))
  conflicts = Number.POSITIVE_INFINITY
  await expect(uninstall(client, { dryRun: false, times: WRITING.times })).rejects.toThrow('has been modified')
})
