/** The marker on a cluster in memory: what it writes, when, and what it leaves alone. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ApiError } from '../../aggregator/kubernetes/api-error.ts'
import { Marker } from '../../aggregator/kubernetes/marker.ts'
import {
  hasOwnMarks,
  hasOwnReady,
  hasOwnTaint,
  OWN_CONDITION,
  OWN_TAINT,
} from '../../aggregator/kubernetes/marking/node-marks.ts'
import { conditionOf, type NodeObject } from '../../aggregator/kubernetes/marking/objects.ts'
import { isMarkedPod } from '../../aggregator/kubernetes/marking/pod-marks.ts'
import type { KnownVerdict } from '../../aggregator/kubernetes/record.ts'
import { Witness } from '../../aggregator/kubernetes/witness.ts'
import { silentLog } from '../../common/log.ts'
import type { Finding } from '../../detectors/contract.ts'
import type { VerdictKind } from '../../mesh/core/model.ts'
import { type MarkingSettings, readMarking } from '../../settings/marking.ts'
import { finding, WRITING } from './cases.ts'
import { createFakeCluster, type FakeCluster, merged } from './fake-cluster.ts'
import { node, pod } from './objects.ts'

let cluster: FakeCluster
let settings: MarkingSettings
let now: number
let mayWrite: () => boolean
let findings: readonly Finding[]
let told: string[]
const markers: Marker[] = []

beforeEach(() => {
  cluster = createFakeCluster()
  settings = { mode: 'ready' }
  now = 1_000_000
  mayWrite = () => true
  findings = []
  told = []
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
    cluster.putNode(node(name))
    cluster.renew(name)
  }
  for (let n = 0; n < 30; n++) cluster.putPod(pod(`web-${n}`, 'a'))
})
afterEach(async () => await Promise.all(markers.splice(0).map((marker) => marker.stop())))

function newMarker(): Marker {
  const tell = (what: string) => (cause: { node: string }) => void told.push(`${what} ${cause.node}`)
  const authority = { term: 7, mayWrite: () => mayWrite(), renewals: { firstSince: () => undefined } }
  const marker = new Marker({
    cluster,
    authority,
    witness: new Witness(cluster, authority.renewals, () => now),
    record: {
      marking: (cause) => void told.push(`marking ${cause.node} after ${writes().length} writes`),
      wrote: () => {},
      wouldMark: tell('would mark'),
      withheld: ({ node }, why) => void told.push(`withheld ${node}: ${why}`),
      markedByOthers: tell('stock'),
      failed: (kind) => void told.push(`failed ${kind}`),
    },
    log: silentLog,
    marking: () => readMarking(settings),
    findingsOf: () => findings,
    lives: (name) => void told.push(`lives ${name}`),
    askAfresh: (name) => void told.push(`ask afresh ${name}`),
    now: () => now,
    times: () => WRITING.times,
  })
  markers.push(marker)
  return marker
}

function verdict(subject = 'a', kind: VerdictKind = 'NodeDown', verdictId = `v-${subject}`): KnownVerdict {
  const standing = { verdictId, kind, subject, incarnation: { serial: 1, boot: 1, refutations: 0 } }
  return { standing, sinceMs: now, silentSinceMs: now - 2_000, says: '8 of 10 observers agree' }
}

const TOLD = ['tell Warning NodeDown a', 'tell Normal Recovered a']
const writes = () => cluster.requests.filter((request) => request.startsWith('patch'))
const shown = async (name: string): Promise<NodeObject> => (await cluster.node(name)) ?? node('gone')
const markedPods = () => cluster.pods.filter(isMarkedPod).length
const soon = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 10_000, interval: 5 })
const isMarked = () =>
  soon(async () => {
    expect(hasOwnReady(await shown('a'))).toBe(true)
    expect(markedPods()).toBe(30)
  })
/** What a kubelet does to a pod of ours: it writes it as it sees it. */
const kubeletWrites = (name: string) => {
  const found = cluster.pods.find(({ metadata }) => metadata.name === name)
  if (found === undefined) throw new Error(`no pod ${name}`)
  const conditions = [{ type: 'Ready', status: 'True', reason: null, message: null }]
  cluster.putPod(merged(found, { status: { conditions } }))
}
const idle = () => new Promise((resolve) => setTimeout(resolve, 0))

test('marks node and pods, the record first, and each once', async () => {
  const marker = newMarker()
  marker.convicted(verdict())
  await isMarked()
  expect(told[0]).toBe('marking a after 0 writes')
  expect(writes()).toHaveLength(31)
  marker.convicted(verdict())
  await soon(() => expect(cluster.requests.at(-1)).toBe('get leases a'))
  expect(writes()).toHaveLength(31)
  expect(cluster.requests.filter((request) => request === TOLD[0])).toHaveLength(1)
})

test('undoes it all when the node recovers', async () => {
  const before = await shown('a')
  const marker = newMarker()
  marker.convicted(verdict())
  await isMarked()
  marker.ended('a')
  await soon(async () => expect(hasOwnMarks(await shown('a'))).toBe(false))
  expect(markedPods()).toBe(0)
  await soon(() => expect(cluster.requests.filter((request) => request.startsWith('tell'))).toEqual(TOLD))
  expect((await shown('a')).status?.conditions?.map(({ type, status }) => [type, status])).toEqual(
    before.status?.conditions?.map(({ type, status }) => [type, status]),
  )
})

test('what a kubelet wrote since is left to it', async () => {
  const marker = newMarker()
  marker.convicted(verdict())
  await isMarked()
  kubeletWrites('web-3')
  const version = cluster.pods.find(({ metadata }) => metadata.name === 'web-3')?.metadata.resourceVersion
  marker.ended('a')
  await soon(async () => expect(hasOwnMarks(await shown('a'))).toBe(false))
  expect(cluster.pods.find(({ metadata }) => metadata.name === 'web-3')?.metadata.resourceVersion).toBe(version)
  expect(markedPods()).toBe(0)
})

test.each(['observe', 'condition'] as const)('in mode %s neither Ready nor pods are touched', async (mode) => {
  settings = { mode: 'observe', pools: { mine: { mode } } }
  cluster.putNode(node('a', { labels: { 'starling.mesh/pool': 'mine' } }))
  newMarker().convicted(verdict())
  await soon(() => expect(told.length).toBeGreaterThan(0))
  await soon(() => expect(writes()).toHaveLength(mode === 'observe' ? 0 : 1))
  expect(told[0]).toBe(mode === 'observe' ? 'would mark a' : 'marking a after 0 writes')
  expect(conditionOf(await shown('a'), 'Ready')?.status).toBe('True')
  expect(conditionOf(await shown('a'), OWN_CONDITION)?.status).toBe(mode === 'observe' ? undefined : 'False')
  expect(markedPods()).toBe(0)
})

test('a Lease that is renewed while it is marked: said once to the mesh, and what was written is undone', async () => {
  const marker = newMarker()
  marker.convicted(verdict())
  await isMarked()
  cluster.renew('a')
  marker.convicted(verdict())
  await soon(() => expect(told).toContain('lives a'))
  marker.isolated(verdict('a', 'Isolated').standing)
  await soon(async () => {
    expect(conditionOf(await shown('a'), 'Ready')?.status).toBe('True')
    expect(conditionOf(await shown('a'), OWN_CONDITION)).toMatchObject({ status: 'False', reason: 'Isolated' })
    expect((await shown('a')).spec?.taints).toMatchObject([{ key: OWN_TAINT, value: 'Isolated' }])
  })
  expect(markedPods()).toBe(0)
  const count = writes().length
  cluster.renew('a')
  marker.isolated(verdict('a', 'Isolated').standing)
  await soon(() => expect(cluster.requests.at(-1)).toBe('get nodes a'))
  await idle()
  expect(writes()).toHaveLength(count)
})

test('a kubelet that writes its Ready back is alive, also to a leader that did not mark it', async () => {
  newMarker().convicted(verdict())
  await isMarked()
  const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: '' }]
  cluster.putNode(merged(await shown('a'), { status: { conditions } }))
  const count = writes().length
  newMarker().start([verdict()])
  await soon(() => expect(told).toContain('lives a'))
  expect(writes()).toHaveLength(count)
})

test('what was left half done is finished by the next, which writes nothing twice', async () => {
  let left = 10
  cluster.before = (request) => {
    if (request === 'patch pods/status' && left-- <= 0) throw new ApiError('unreachable', 0, 'killed')
  }
  const first = newMarker()
  first.convicted(verdict())
  await soon(() => expect(told).toContain('failed unreachable'))
  await first.stop()
  cluster.before = () => {}
  const done = markedPods()
  expect(done).toBe(10)
  const count = writes().length
  newMarker().start([verdict()])
  await isMarked()
  expect(writes().length - count).toBe(20)
})

test('marks that nothing stands behind are undone at take-over', async () => {
  const first = newMarker()
  first.convicted(verdict())
  await isMarked()
  await first.stop()
  newMarker().start([])
  await soon(async () => expect([hasOwnMarks(await shown('a')), markedPods()]).toEqual([false, 0]))
})

describe('an API server in trouble', () => {
  test('what could not be written when it was decided is not written later: the mesh is asked afresh', async () => {
    cluster.before = () => {
      throw new ApiError('unreachable', 0, 'gone')
    }
    const marker = newMarker()
    marker.convicted(verdict())
    await soon(() => expect(told).toContain('failed unreachable'))
    now += 60_000
    cluster.before = () => {}
    marker.convicted({ ...verdict(), sinceMs: now - 60_000 })
    await soon(() => expect(told).toContain('ask afresh a'))
    expect(writes()).toEqual([])
    marker.ended('a')
    marker.convicted(verdict('a', 'NodeDown', 'v-2'))
    await isMarked()
  })

  test('429 is obeyed, and the mark written while its verdict stands', async () => {
    let refusals = 2
    cluster.before = (request) => {
      if (request === 'patch nodes/status' && refusals-- > 0) throw new ApiError('throttled', 429, 'later', 20)
    }
    newMarker().convicted(verdict())
    now += 60_000
    await isMarked()
    expect(told.filter((text) => text === 'failed throttled')).toHaveLength(2)
  })

  test('nothing is written by who does not lead, and a write that came late is taken back', async () => {
    mayWrite = () => false
    const marker = newMarker()
    marker.convicted(verdict())
    await soon(() => expect(told.length).toBeGreaterThan(0))
    await idle()
    expect(writes()).toEqual([])
    // Stopped between the check and the reply.
    let asked = 0
    mayWrite = () => ++asked === 1
    marker.convicted(verdict())
    await soon(() => expect(writes()).toHaveLength(2))
    await soon(async () => expect(hasOwnMarks(await shown('a'))).toBe(false))
  })

  test('also of pods: late ones are Ready again', async () => {
    let asked = 0
    // The node's write in time, the first pods' not: asked before each write and after it.
    mayWrite = () => ++asked <= 2 || (asked > 2 && asked <= 18)
    newMarker().convicted(verdict())
    await soon(() => expect(writes().filter((request) => request.startsWith('patch pods')).length).toBeGreaterThan(16))
    await soon(() => expect(markedPods()).toBe(0))
  })

  test('foreign taints are never lost, however many write them meanwhile', async () => {
    settings = { mode: 'ready', taints: { NodeDown: 'NoSchedule' } }
    let added = 0
    const foreign = () => Array.from({ length: added }, (_, n) => `other-${n}`)
    cluster.before = (request) => {
      const known = cluster.nodeOf('a')
      if (request !== 'patch nodes' || added >= 10 || known === undefined) return
      // Another writer comes in between each time.
      added++
      cluster.putNode({ ...known, spec: { taints: foreign().map((key) => ({ key, effect: 'NoSchedule' })) } })
    }
    newMarker().convicted(verdict())
    await soon(async () => {
      const keys = (await shown('a')).spec?.taints?.map(({ key }) => key)
      expect(keys).toEqual([...foreign(), OWN_TAINT])
    })
    expect(added).toBe(10)
  })
})

test('a node that is being taken out of service is not marked; one that was marked stays so', async () => {
  cluster.putNode(node('a', { unschedulable: true }))
  newMarker().convicted(verdict())
  await soon(() => expect(told).toContain('withheld a: leaving: it is cordoned'))
  expect(writes()).toEqual([])
  cluster.putNode(node('a'))
  const marker = newMarker()
  marker.convicted(verdict())
  await isMarked()
  cluster.putNode({ ...(await shown('a')), spec: { unschedulable: true } })
  const count = writes().length
  for (const again of [marker, newMarker()]) {
    again.convicted(verdict())
    await soon(() => expect(cluster.requests.at(-1)).toMatch(/^(get leases|list pods) a$/))
    await idle()
    expect(writes()).toHaveLength(count)
  }
})

test('deaths that are decided at once count as one after the other', async () => {
  const marker = newMarker()
  for (const name of ['b', 'c', 'd', 'e', 'f']) marker.convicted(verdict(name))
  await soon(() => expect(told.filter((text) => text.startsWith('withheld'))).toHaveLength(3))
  const nodes = await Promise.all(['b', 'c', 'd', 'e', 'f'].map(shown))
  expect(nodes.filter(hasOwnReady)).toHaveLength(2)
  expect(told.filter((text) => text.endsWith('3 of 6 nodes would be NotReady'))).toHaveLength(3)
})

test('Unknown is left alone, and pods that are still Ready are marked', async () => {
  cluster.putNode(node('a', { ready: { status: 'Unknown', reason: 'NodeStatusUnknown' } }))
  newMarker().convicted(verdict())
  await soon(() => expect(markedPods()).toBe(30))
  expect(conditionOf(await shown('a'), 'Ready')).toMatchObject({ status: 'Unknown', reason: 'NodeStatusUnknown' })
  expect(told).toContain('stock a')
})

test('a finding shows as condition and taint until it is gone; the same said again writes nothing', async () => {
  const found = finding('ConntrackAlmostFull')
  const marker = newMarker()
  findings = [found]
  marker.reported('a')
  await soon(async () => expect((await shown('a')).spec?.taints).toMatchObject([{ value: 'ConntrackAlmostFull' }]))
  expect(conditionOf(await shown('a'), OWN_CONDITION)?.reason).toBe('FindingAlarm')
  const count = cluster.requests.length
  findings = [{ ...found, summary: '98 % full' }]
  marker.reported('a')
  await idle()
  expect(cluster.requests).toHaveLength(count)
  findings = []
  marker.reported('a')
  await soon(async () => expect(hasOwnMarks(await shown('a'))).toBe(false))
})

test('a fault that every node reports closes one of six: the others show the condition alone', async () => {
  const marker = newMarker()
  findings = [finding('ConntrackAlmostFull')]
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  for (const name of names) marker.reported(name)
  await soon(async () => {
    const nodes = await Promise.all(names.map(shown))
    expect(nodes.map((each) => conditionOf(each, OWN_CONDITION)?.reason)).toEqual(names.map(() => 'FindingAlarm'))
    expect(nodes.filter(hasOwnTaint)).toHaveLength(1)
  })
  expect(told.filter((text) => text.includes('no taint: 1 of 6 nodes have ours already'))).toHaveLength(5)
})
