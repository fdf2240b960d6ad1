/** What is to be written to the cluster while the journal takes nothing: not without its record, and when there is room again. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Gatekeeper } from '../../aggregator/kubernetes/gates/gatekeeper.ts'
import { Marker } from '../../aggregator/kubernetes/marker.ts'
import { GATE } from '../../aggregator/kubernetes/marking/gates.ts'
import { hasOwnReady } from '../../aggregator/kubernetes/marking/node-marks.ts'
import { conditionOf } from '../../aggregator/kubernetes/marking/objects.ts'
import { Witness } from '../../aggregator/kubernetes/witness.ts'
import { silentLog } from '../../common/log.ts'
import { readMarking } from '../../settings/marking.ts'
import { WRITING } from './cases.ts'
import { createFakeCluster, type FakeCluster } from './fake-cluster.ts'
import { node, pod } from './objects.ts'

/** What the journal throws then. */
const FULL = Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR' })
const authority = { term: 7, mayWrite: () => true, renewals: { firstSince: () => undefined } }
const soon = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 20_000, interval: 5 })

let cluster: FakeCluster
let isFull: boolean
let refused: number
let running: { stop(): Promise<void> }
const record = () => {
  if (!isFull) return
  refused++
  throw FULL
}
const log = { ...silentLog, warn: vi.fn() }

beforeEach(() => {
  cluster = createFakeCluster()
  isFull = true
  refused = 0
  log.warn.mockClear()
  for (const name of ['a', 'b', 'c', 'd']) {
    cluster.putNode(node(name))
    cluster.renew(name)
  }
})
afterEach(() => running.stop())

test('a mark', async () => {
  const marker = new Marker({
    cluster,
    authority,
    witness: new Witness(cluster, authority.renewals, () => 1_000_000),
    record: {
      marking: record,
      wrote: record,
      wouldMark: record,
      withheld: record,
      markedByOthers: record,
      failed: () => {},
    },
    log,
    marking: () => readMarking({ mode: 'ready' }),
    findingsOf: () => [],
    lives: () => {},
    askAfresh: () => {},
    now: () => 1_000_000,
    times: () => WRITING.times,
  })
  running = marker
  marker.convicted({
    standing: { verdictId: 'v', kind: 'NodeDown', subject: 'a', incarnation: { serial: 1, boot: 1, refutations: 0 } },
    sinceMs: 1_000_000,
    silentSinceMs: 998_000,
    says: '8 of 10 observers agree',
  })
  await soon(() => expect(refused).toBeGreaterThan(1))
  expect(cluster.requests.filter((request) => request.startsWith('patch'))).toEqual([])
  expect(log.warn.mock.calls[0]).toEqual([expect.objectContaining({ err: FULL.message }), 'marking failed'])
  isFull = false
  await soon(async () => expect(hasOwnReady((await cluster.node('a')) ?? node('gone'))).toBe(true))
})

test('a gate', async () => {
  const made = pod('web', 'a', { labels: { [GATE]: 'web' }, gates: [[GATE, 'False']] })
  cluster.putPod({ ...made, spec: { ...made.spec, readinessGates: [{ conditionType: GATE }] } })
  const gateOf = () => cluster.pods.map((each) => conditionOf(each, GATE)?.status)
  const keeper = new Gatekeeper({
    cluster,
    pods: cluster.watchPods(),
    authority,
    record: { wroteGates: record, keptGates: record },
    log,
    times: () => WRITING.times,
  })
  running = keeper
  keeper.start()
  keeper.saw([node('a')], true)
  await soon(() => expect([gateOf(), refused]).toEqual([['True'], 1]))
  await soon(() => expect(log.warn).toHaveBeenCalled())
  expect(log.warn.mock.calls[0]).toEqual([{ group: 'default/web', err: FULL.message }, 'readiness gates not written'])
})
