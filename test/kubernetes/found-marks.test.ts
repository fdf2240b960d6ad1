/**
 * What a marker makes of marks that it finds: its own of a moment ago, those of the leader before,
 * those of findings when a verdict comes, those of Nodes that are gone.
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { InheritedFindings } from '../../aggregator/kubernetes/inherited.ts'
import { Marker } from '../../aggregator/kubernetes/marker.ts'
import { hasOwnReady, hasOwnTaint, OWN_CONDITION } from '../../aggregator/kubernetes/marking/node-marks.ts'
import { conditionOf, type NodeObject } from '../../aggregator/kubernetes/marking/objects.ts'
import { findingOn } from '../../aggregator/kubernetes/marking/shown.ts'
import { overheard } from '../../aggregator/kubernetes/overheard.ts'
import type { KnownVerdict } from '../../aggregator/kubernetes/record.ts'
import { Witness } from '../../aggregator/kubernetes/witness.ts'
import { silentLog } from '../../common/log.ts'
import type { Finding } from '../../detectors/contract.ts'
import type { VerdictKind } from '../../mesh/core/model.ts'
import { type MarkingSettings, readMarking } from '../../settings/marking.ts'
import { finding, WRITING } from './cases.ts'
import { createFakeCluster, type FakeCluster } from './fake-cluster.ts'
import { node } from './objects.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f']

let cluster: FakeCluster
let settings: MarkingSettings
let now: number
/** What the agent of the one sick node said. */
let heard: readonly Finding[]
let sick: string
let lives: string[]
const markers: Marker[] = []

beforeEach(() => {
  cluster = createFakeCluster()
  settings = { mode: 'ready' }
  now = 1_000_000
  heard = []
  sick = 'a'
  lives = []
  for (const name of NAMES) {
    cluster.putNode(node(name))
    cluster.renew(name)
  }
})
afterEach(async () => {
  await Promise.all(markers.splice(0).map((marker) => marker.stop()))
})

/** As run.ts puts it together when this process begins to lead. */
function newLeader(): Marker {
  const authority = { term: 7, mayWrite: () => true, renewals: { firstSince: () => undefined } }
  const inherited = new InheritedFindings(() => now)
  const nothing = () => {}
  const marker = new Marker({
    cluster: overheard(cluster, (nodes, isAll) => {
      if (isAll) inherited.saw(nodes)
    }),
    authority,
    witness: new Witness(cluster, authority.renewals, () => now),
    record: {
      ...{ marking: nothing, wrote: nothing, wouldMark: nothing, withheld: nothing },
      ...{ markedByOthers: nothing, failed: nothing },
    },
    log: silentLog,
    marking: () => readMarking(settings),
    findingsOf: (name) => inherited.of(name, name === sick ? heard : []),
    lives: (name) => void lives.push(name),
    askAfresh: nothing,
    now: () => now,
    times: () => WRITING.times,
  })
  markers.push(marker)
  return marker
}

function verdict(kind: VerdictKind, silentMs: number): KnownVerdict {
  const standing = { verdictId: 'v-a', kind, subject: 'a', incarnation: { serial: 1, boot: 1, refutations: 0 } }
  return { standing, sinceMs: now, silentSinceMs: now - silentMs, says: '8 of 10 observers agree' }
}

const soon = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 10_000, interval: 5 })
const writes = () => cluster.requests.filter((request) => request.startsWith('patch'))
const shown = async (name: string): Promise<NodeObject> => (await cluster.node(name)) ?? node('gone')
/** Another pass over a node, which ends with the second of these; asked for while it runs, it is made again. */
const passes = async (marker: Marker) => {
  const readings = () => cluster.requests.filter((request) => request === 'get nodes a').length
  const before = readings()
  await marker.repair()
  await soon(() => expect(readings()).toBeGreaterThan(before))
  await new Promise((resolve) => setTimeout(resolve, 0))
}

test.each<[string, MarkingSettings]>([
  ['in mode condition', { mode: 'condition' }],
  ['while it is held back', { mode: 'ready', holds: { nodeReady: '10s', endpoints: '10s' } }],
])('a Ready that was never written is no sign of life, to the same leader and the next: %s', async (_, given) => {
  settings = given
  const marker = newLeader()
  marker.convicted(verdict('NodeDown', 2_000))
  await soon(async () => expect(conditionOf(await shown('a'), OWN_CONDITION)?.reason).toBe('NodeDown'))
  now += 5_000
  await passes(marker)
  await marker.stop()
  const next = newLeader()
  next.start([verdict('NodeDown', 2_000)])
  await passes(next)
  expect(lives).toEqual([])
})

test('one that was held back, and is written at last, is', async () => {
  settings = { mode: 'ready', holds: { nodeReady: '10s', endpoints: '10s' } }
  const marker = newLeader()
  marker.convicted(verdict('NodeDown', 2_000))
  await soon(async () => expect(conditionOf(await shown('a'), OWN_CONDITION)?.reason).toBe('NodeDown'))
  now += 10_000
  await passes(marker)
  await soon(async () => expect(hasOwnReady(await shown('a'))).toBe(true))
  expect(writes()).toHaveLength(2)
  await marker.stop()
  const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady' }
  const marked = await shown('a')
  const others = marked.status?.conditions?.filter(({ type }) => type !== 'Ready') ?? []
  cluster.putNode({ ...marked, status: { conditions: [...others, ready] } })
  newLeader().start([verdict('NodeDown', 2_000)])
  await soon(() => expect(lives).toContain('a'))
})

test('what a hold kept back and is written by now is not held back again by the next leader', async () => {
  settings = { mode: 'ready', holds: { nodeReady: '10s', endpoints: '10s' } }
  const marker = newLeader()
  marker.convicted({ ...verdict('NodeDown', 2_000), sinceMs: now - 10_000 })
  await soon(async () => expect(hasOwnReady(await shown('a'))).toBe(true))
  await marker.stop()
  const count = writes().length
  const next = newLeader()
  next.start([{ ...verdict('NodeDown', 2_000), sinceMs: Number.NEGATIVE_INFINITY }])
  for (let pass = 0; pass < 3; pass++) await passes(next)
  expect(hasOwnReady(await shown('a'))).toBe(true)
  expect(writes()).toHaveLength(count)
})

test('a hung host that shows as such was silent for long enough, whatever the next leader knows of it', async () => {
  const marker = newLeader()
  marker.convicted(verdict('HostHung', 25_000))
  await soon(async () => expect(hasOwnReady(await shown('a'))).toBe(true))
  await marker.stop()
  const count = writes().length
  const next = newLeader()
  next.start([verdict('HostHung', 0)])
  await passes(next)
  expect(hasOwnReady(await shown('a'))).toBe(true)
  expect(writes()).toHaveLength(count)
})

test('a finding that shows is let stand by a new leader until its agent has had the time to say it again', async () => {
  heard = [finding('ConntrackAlmostFull')]
  const marker = newLeader()
  marker.reported('a')
  await soon(async () => expect(hasOwnTaint(await shown('a'))).toBe(true))
  await marker.stop()
  expect(findingOn(await shown('a'))).toMatchObject({
    ...{ id: 'a/d/ConntrackAlmostFull#1', node: 'a', detector: 'd', reason: 'ConntrackAlmostFull', status: 'alarm' },
    summary: 'ConntrackAlmostFull it is',
  })
  heard = []
  const count = writes().length
  const next = newLeader()
  next.start([])
  await passes(next)
  expect(writes()).toHaveLength(count)
  // Its detector looked again, and all is well.
  heard = [{ ...finding('ConntrackAlmostFull'), status: 'ok' }]
  await passes(next)
  await soon(async () => expect(hasOwnTaint(await shown('a'))).toBe(false))
})

test('and no longer than that', async () => {
  heard = [finding('ConntrackAlmostFull')]
  const marker = newLeader()
  marker.reported('a')
  await soon(async () => expect(hasOwnTaint(await shown('a'))).toBe(true))
  await marker.stop()
  heard = []
  const next = newLeader()
  next.start([])
  now += 30_000
  await passes(next)
  await soon(async () => expect(hasOwnTaint(await shown('a'))).toBe(false))
})

test('a node that was tainted and is deleted leaves its place to another', async () => {
  heard = [finding('ConntrackAlmostFull')]
  const marker = newLeader()
  marker.reported('a')
  await soon(async () => expect(hasOwnTaint(await shown('a'))).toBe(true))
  cluster.deleteNode('a')
  now += 60_000
  await marker.repair()
  sick = 'b'
  marker.reported('b')
  await soon(async () => expect(hasOwnTaint(await shown('b'))).toBe(true))
})

test('a verdict that is withheld takes nothing away that a finding wants', async () => {
  cluster.putNode(node('a', { unschedulable: true }))
  heard = [finding('ConntrackAlmostFull')]
  const marker = newLeader()
  marker.reported('a')
  await soon(async () => expect(hasOwnTaint(await shown('a'))).toBe(true))
  const count = writes().length
  marker.convicted(verdict('NodeDown', 2_000))
  await passes(marker)
  expect(writes()).toHaveLength(count)
  expect(conditionOf(await shown('a'), OWN_CONDITION)?.reason).toBe('FindingAlarm')
})

test('a host that hangs is told of when it is marked, also where a finding showed before', async () => {
  heard = [finding('ConntrackAlmostFull')]
  const marker = newLeader()
  marker.reported('a')
  await soon(async () => expect(hasOwnTaint(await shown('a'))).toBe(true))
  marker.convicted(verdict('HostHung', 10_000))
  await passes(marker)
  expect(cluster.requests).not.toContain('tell Warning HostHung a')
  marker.convicted(verdict('HostHung', 60_000))
  await soon(() => expect(cluster.requests).toContain('tell Warning HostHung a'))
})

test('a finding that came while a verdict stood, and went after it, is not left on the Node', async () => {
  const marker = newLeader()
  marker.convicted(verdict('NodeDown', 2_000))
  await soon(async () => expect(hasOwnReady(await shown('a'))).toBe(true))
  heard = [finding('ConntrackAlmostFull')]
  marker.reported('a')
  marker.ended('a')
  await soon(async () => expect(conditionOf(await shown('a'), OWN_CONDITION)?.reason).toBe('FindingAlarm'))
  heard = []
  marker.reported('a')
  await soon(async () => expect(hasOwnTaint(await shown('a'))).toBe(false))
})
