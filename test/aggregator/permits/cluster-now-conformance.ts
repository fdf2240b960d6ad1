/** What every ClusterNow must do, whatever is behind it: the one in memory, and a real API server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Taint } from '../../../aggregator/kubernetes/marking/objects.ts'
import type { ClusterNow } from '../../../aggregator/permits/outside.ts'

export interface NodeMarks {
  readonly unschedulable?: boolean
  readonly taints?: readonly Taint[]
  readonly annotations?: Readonly<Record<string, string>>
}

export interface ClusterUnderTest {
  readonly cluster: ClusterNow
  /** Makes a Node, or puts marks on it; Ready as it says. */
  putNode(name: string, isReady: boolean, marks?: NodeMarks): Promise<void>
  makePod(name: string, node: string, labels: Readonly<Record<string, string>>, phase: string): Promise<void>
  close(): Promise<void>
}

export function clusterNowConformance(name: string, create: () => Promise<ClusterUnderTest>): void {
  describe(`${name} keeps the contract of a ClusterNow`, () => {
    let under: ClusterUnderTest
    beforeAll(async () => {
      under = await create()
    })
    afterAll(() => under.close())

    test('shows each node as it is when it is asked', async () => {
      await under.putNode('calm', true)
      const before = (await under.cluster.read([])).get('calm')
      expect(before).toEqual({
        zone: '',
        roles: [],
        isReady: true,
        takenBy: undefined,
        paused: undefined,
        blockingPods: [],
      })
      await under.putNode('calm', true, { unschedulable: true })
      expect((await under.cluster.read([])).get('calm')?.takenBy).toBe('it is cordoned')
      await under.putNode('sick', false, {
        taints: [{ key: 'karpenter.sh/disrupted', effect: 'NoSchedule' }],
        annotations: { 'starling.mesh/paused-until': '2030-01-01T00:00:00Z' },
      })
      expect((await under.cluster.read([])).get('sick')).toMatchObject({
        isReady: false,
        takenBy: 'Karpenter is replacing it',
        paused: { until: '2030-01-01T00:00:00.000Z' },
      })
    })

    test('shows the pods that a selector fits, on their nodes, until they have run to their end', async () => {
      await under.putNode('busy', true)
      await under.makePod('first', 'busy', { app: 'backup' }, 'Running')
      await under.makePod('second', 'busy', { app: 'backup', tier: 'test' }, 'Running')
      await under.makePod('done', 'busy', { app: 'backup' }, 'Succeeded')
      await under.makePod('other', 'busy', { app: 'web' }, 'Running')
      const pods = async (...selectors: string[]) => (await under.cluster.read(selectors)).get('busy')?.blockingPods
      expect(await pods()).toEqual([])
      expect(await pods('app=backup')).toEqual(['default/first', 'default/second'])
      expect(await pods('app=backup,tier!=test')).toEqual(['default/first'])
      expect(await pods('tier', 'app=web')).toEqual(['default/second', 'default/other'])
    })
  })
}
