/** What is read of the cluster and of Alertmanager for a request, and what is made of it when it cannot be read. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createClusterNow } from '../../../aggregator/kubernetes/permits/cluster-now.ts'
import { nodeNow } from '../../../aggregator/kubernetes/permits/node-now.ts'
import { createAlertmanager } from '../../../aggregator/permits/alerts.ts'
import { readOutside } from '../../../aggregator/permits/outside.ts'
import { readGuards } from '../../../remediators/guards/settings.ts'
import { Alertmanager, needsAlertmanager } from '../../alertmanager.ts'
import { node } from '../../kubernetes/objects.ts'
import { describeReal } from '../../real-part.ts'
import { clusterNowConformance } from './cluster-now-conformance.ts'
import { FakeLists } from './fake-cluster-now.ts'

clusterNowConformance('a cluster in memory', async () => {
  const lists = new FakeLists()
  return {
    cluster: createClusterNow(lists),
    putNode: async (...args) => lists.putNode(...args),
    makePod: async (...args) => lists.makePod(...args),
    close: async () => {},
  }
})

describe('the cluster', () => {
  test('is listed page by page, and never from a cache', async () => {
    const lists = new FakeLists()
    lists.pageSize = 2
    for (const name of ['a', 'b', 'c', 'd', 'e']) lists.putNode(name, true)
    expect([...(await createClusterNow(lists).read([])).keys()]).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(lists.calls.map(({ query }) => [query?.continue, query?.resourceVersion])).toEqual([
      [undefined, undefined],
      ['2', undefined],
      ['4', undefined],
    ])
  })

  test('that cannot be read is told to be, and nothing is known of it', async () => {
    const lists = new FakeLists()
    lists.failing = 'timeout'
    const cluster = createClusterNow(lists)
    expect(await readOutside({ cluster, alerts: undefined }, readGuards())).toEqual({
      nodes: new Map(),
      stale: 'no answer',
      alerts: [],
    })
  })
})

const TAKEN: readonly (readonly [key: string, says: string])[] = [
  ['ToBeDeletedByClusterAutoscaler', 'cluster-autoscaler is removing it'],
  ['DeletionCandidateOfClusterAutoscaler', 'cluster-autoscaler may remove it'],
  ['karpenter.sh/disrupted', 'Karpenter is replacing it'],
  ['medik8s.io/drain', 'it is under maintenance (NodeMaintenance)'],
  ['medik8s.io/remediation', 'medik8s is remediating it'],
  ['node.kubernetes.io/out-of-service', 'it was declared out of service'],
]

describe('a Node', () => {
  test.each(TAKEN)('with the taint %s is in the hands of others', (key, says) => {
    expect(nodeNow(node('a', { taints: [{ key, effect: 'NoSchedule' }] }), []).takenBy).toBe(says)
  })

  test('with taints of its own, or of ours, is in nobody else’s hands', () => {
    const taints = ['dedicated', 'starling.mesh/unhealthy'].map((key) => ({ key, effect: 'NoSchedule' }))
    expect(nodeNow(node('a', { taints }), []).takenBy).toBeUndefined()
  })

  test('is told by all who have it in hand', () => {
    const annotated = node('a', { unschedulable: true, deletionTimestamp: '2026-01-01T00:00:00Z' })
    const annotations = { 'weave.works/kured-reboot-in-progress': '2026-01-01T00:00:00Z' }
    const metadata = { ...annotated.metadata, annotations }
    expect(nodeNow({ ...annotated, metadata }, []).takenBy).toBe(
      'its Node is being deleted, kured is rebooting it, it is cordoned',
    )
  })

  test.each([
    [{}, undefined],
    [{ 'starling.mesh/skip': 'true' }, { until: undefined }],
    [{ 'starling.mesh/skip': '' }, { until: undefined }],
    [{ 'starling.mesh/skip': 'false' }, undefined],
    [{ 'starling.mesh/paused-until': '2026-01-31T12:00:00+02:00' }, { until: '2026-01-31T10:00:00.000Z' }],
    [{ 'starling.mesh/paused-until': 'next week' }, { until: undefined }],
  ])('annotated %j is left alone as it says', (annotations, paused) => {
    const made = node('a')
    const now = nodeNow({ ...made, metadata: { ...made.metadata, annotations } }, [])
    if (paused === undefined) expect(now.paused).toBeUndefined()
    else expect(now.paused).toMatchObject(paused)
  })

  test('that never said whether it is Ready is not', () => {
    expect(nodeNow({ metadata: { name: 'a', resourceVersion: '1' } }, []).isReady).toBe(false)
  })
})

describeReal('Alertmanager itself', needsAlertmanager(), () => {
  let alertmanager: Alertmanager
  beforeAll(async () => {
    alertmanager = await Alertmanager.start()
  })
  afterAll(() => alertmanager.stop())

  test('tells of just the alerts that are named and count: not of what is silenced, inhibited or over', async () => {
    const named = ['CoreDown', 'Disk.Full"', 'A|B\\', 'Inhibited', 'Silenced', 'Over']
    const alerts = createAlertmanager(`${alertmanager.url}/`)
    expect(await alerts.firing(named)).toEqual([])
    await alertmanager.fire('Inhibiting', ...named, 'CoreDown2', 'DiskXFull"', 'A', 'B\\')
    await alertmanager.silence('Silenced')
    await alertmanager.resolve('Over')
    expect((await alerts.firing(named)).toSorted()).toEqual(['A|B\\', 'CoreDown', 'Disk.Full"'])
  })
})

describe('what stands where Alertmanager is said to be', () => {
  let server: Server | undefined
  afterEach(() => server?.close())
  const NAMES = { blockingAlerts: ['CoreDown', 'Disk.Full"'], blockingPods: [] }

  async function serving(listener: RequestListener): Promise<string> {
    const listening = createServer(listener)
    server = listening
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(listening.address() as AddressInfo).port}/`
  }
  const alertsOf = async (url: string) =>
    (await readOutside({ cluster: undefined, alerts: createAlertmanager(url, 500) }, NAMES)).alerts

  test.each([
    ['refuses', (_, response) => response.writeHead(500).end('[]')],
    ['sends something else', (_, response) => response.end('{"alerts": []}')],
    ['never answers', () => {}],
    ['never ends', (_, response) => void response.write('[')],
    ['sends you elsewhere', (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
    ['sends too much', (_, response) => response.end(`[${' '.repeat(9 * 1024 * 1024)}]`)],
  ] satisfies [string, RequestListener][])('that %s is not known to be calm', async (_, listener) => {
    expect(await alertsOf(await serving(listener))).toBeUndefined()
  })

  test('is not known to be calm where nobody said where it is, and not asked where nothing is named', async () => {
    expect((await readOutside({ cluster: undefined, alerts: undefined }, NAMES)).alerts).toBeUndefined()
    expect((await readOutside({ cluster: undefined, alerts: undefined }, readGuards())).alerts).toEqual([])
  })
})
