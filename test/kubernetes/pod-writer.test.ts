/** The pods of one node, marked and undone while answers are lost and others write: nothing of ours stays, nothing else goes. */
import { beforeEach, expect, test } from 'vitest'
import { ApiError } from '../../aggregator/kubernetes/api-error.ts'
import type { PodObject } from '../../aggregator/kubernetes/marking/objects.ts'
import { isMarkedPod } from '../../aggregator/kubernetes/marking/pod-marks.ts'
import { PodWriter } from '../../aggregator/kubernetes/pod-writer.ts'
import { Slots } from '../../aggregator/kubernetes/slots.ts'
import { createFakeCluster, type FakeCluster, merged } from './fake-cluster.ts'
import { BEATEN_AT, pod } from './objects.ts'

const PODS = 5

let cluster: FakeCluster

beforeEach(() => {
  cluster = createFakeCluster()
  for (let n = 0; n < PODS; n++) cluster.putPod(pod(`web-${n}`, 'a'))
})

const newWriter = () => new PodWriter({ cluster, node: 'a', slots: new Slots(2), now: () => BEATEN_AT })
const marked = () => cluster.pods.filter(isMarkedPod).length
const named = (name: string): PodObject => {
  const found = cluster.pods.find(({ metadata }) => metadata.name === name)
  if (found === undefined) throw new Error(`no pod ${name}`)
  return found
}
const label = (name: string) => {
  const found = named(name)
  cluster.putPod({ ...found, metadata: { ...found.metadata, labels: { by: 'another' } } })
}
const lost = () => {
  throw new ApiError('unreachable', 0, 'the line broke')
}

test('a mark whose answer was lost is undone with those that are known', async () => {
  const writer = newWriter()
  cluster.after = (_, name) => name === 'default/web-1' && lost()
  await expect(writer.mark('down')).rejects.toThrow('the line broke')
  cluster.after = () => {}
  await writer.mark('down')
  expect(marked()).toBe(PODS)
  expect(await writer.undo()).toBe(PODS)
  expect(marked()).toBe(0)
})

test('who finishes what another began undoes the marks of both', async () => {
  let left = 2
  cluster.before = (request) => request === 'patch pods/status' && left-- <= 0 && lost()
  await expect(newWriter().mark('down')).rejects.toThrow('the line broke')
  cluster.before = () => {}
  expect(marked()).toBe(2)
  const next = newWriter()
  expect(await next.mark('down')).toEqual({ marked: PODS - 2, isAlive: false })
  expect(await next.undo()).toBe(PODS)
  expect(marked()).toBe(0)
})

test('what another writes to a marked pod neither keeps the mark nor is lost; what its kubelet wrote is left', async () => {
  const writer = newWriter()
  await writer.mark('down')
  label('web-0')
  const conditions = [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: '' }]
  cluster.putPod(merged(named('web-1'), { status: { conditions } }))
  const { resourceVersion } = named('web-1').metadata
  expect(await writer.undo()).toBe(PODS - 1)
  expect(marked()).toBe(0)
  expect(named('web-0').metadata.labels).toEqual({ by: 'another' })
  expect(named('web-1').metadata.resourceVersion).toBe(resourceVersion)
})

test('a pod that somebody writes between LIST and PATCH is tried again, and one that is written each time is told', async () => {
  let times = 1
  cluster.before = (request, name) => {
    if (request === 'patch pods/status' && name === 'default/web-2' && times-- > 0) label('web-2')
  }
  expect(await newWriter().mark('down')).toEqual({ marked: PODS, isAlive: false })
  expect(named('web-2').metadata.labels).toEqual({ by: 'another' })
  cluster.putPod(pod('web-2', 'a'))
  times = Number.POSITIVE_INFINITY
  await expect(newWriter().mark('down')).rejects.toMatchObject({ kind: 'conflict' })
  expect(marked()).toBe(PODS - 1)
})
