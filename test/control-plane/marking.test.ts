/** NotReady that Kubernetes obeys, on a real control plane: what is marked, when it is undone, and what is left alone. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { EventKind } from '../../aggregator/model.ts'
import { isReady, podOn, serviceOf } from '../../bench/control-plane/objects.ts'
import { missingForNodes } from '../../bench/control-plane/programs.ts'
import { putInForce } from '../../bench/control-plane/settings.ts'
import type { ControlPlaneStage } from '../../bench/control-plane/stage.ts'
import { lastSeq } from '../../bench/history.ts'
import { untilWhole } from '../../bench/whole.ts'
import { describeReal } from '../real-part.ts'
import { followEndpoints, followReady } from './followed.ts'
import { shownOn } from './shown.ts'
import { theStage, WITHIN_MS } from './stage.ts'
import { timed } from './timed.ts'

const PODS = 12
const SERVED = 4
/** 300 s in `npm run test:long`, which docs/protocol.md section 8 asks for. */
const STEADY_MS = Number(process.env.STARLING_STEADY_SECONDS ?? 15) * 1_000
const NAMES = Array.from({ length: PODS }, (_, index) => `web-${index}`)

describeReal('marking on a real control plane', missingForNodes(), () => {
  let stage: ControlPlaneStage
  /** Each death on a node of its own: one that keeps coming and going has to be heard for longer each time. */
  const [dead, isolated, cordoned, busy] = ['node-1', 'node-3', 'node-4', 'node-5'] as const

  const inForce = (change: object) => putInForce(stage, change)

  beforeAll(async () => {
    stage = await theStage()
    await inForce({ marking: { mode: 'ready' } })
    seq = await lastSeq(stage.mesh.client)
    await stage.cluster.add(
      [
        ...NAMES.map((name, index) => podOn(dead, name, index < SERVED ? { app: 'web' } : {})),
        podOn(isolated, 'apart', { app: 'apart' }),
      ],
      ['web', 'apart'].map(serviceOf),
    )
    await stage.cluster.until('the endpoints', async () => (await stage.cluster.endpoints('web')).length === SERVED)
  }, WITHIN_MS)
  afterEach(async () => {
    await stage.cluster.untilReady([...stage.kubelets.keys()])
    await untilWhole(stage.mesh.client)
  }, WITHIN_MS)
  afterAll(async () => {
    await stage.cluster.remove([...NAMES, 'apart'], ['web', 'apart'])
    await inForce({ marking: { mode: 'observe' } })
  }, WITHIN_MS)

  const shown = (name: string) => shownOn(stage.cluster, name)
  /** Other files' tests had this mesh before. */
  let seq = 0
  const kinds = async (node: string, ...wanted: readonly EventKind[]) => {
    const events = await stage.mesh.client.events({ node, kinds: wanted, limit: 100 })
    return events.filter((event) => event.seq > seq).map(({ kind }) => kind)
  }
  const readyPods = async () => (await stage.cluster.pods(dead)).filter(isReady).length

  it(
    'a dead host: Ready, taint, pods, Endpoints and EndpointSlices follow, and all of it is undone when it is back',
    async () => {
      const { heartbeat } = await shown(dead)
      stage.network.pull(dead)
      try {
        await stage.cluster.until(
          'no endpoint is left',
          async () => (await stage.cluster.endpoints('web')).length === 0,
        )
        expect(await shown(dead)).toMatchObject({ ready: 'False StarlingNodeDown', own: 'NodeDown', heartbeat })
        await stage.cluster.until('the taint of Kubernetes', async () =>
          (await shown(dead)).taints.includes('node.kubernetes.io/not-ready'),
        )
        await stage.cluster.until('no pod is Ready', async () => (await readyPods()) === 0)
        // Of another controller than the endpoints, which may be the first to follow.
        await stage.cluster.until(
          'no endpoint is left in slices',
          async () => (await stage.cluster.slices('web')).length === 0,
        )
      } finally {
        stage.network.plug(dead)
      }
      await stage.cluster.until('all is as before', async () => {
        const served = (await stage.cluster.endpoints('web')).length === SERVED && (await readyPods()) === PODS
        return served && (await shown(dead)).own === undefined
      })
      expect(await kinds(dead, 'verdict', 'marked', 'recovered')).toContain('recovered')
    },
    WITHIN_MS,
  )

  it(
    'a node that only its peers cannot reach: marked at most once, then Isolated, with Ready and endpoints as they were',
    async () => {
      const { admin } = stage.plane
      const [ready, endpoints] = [followReady(admin, isolated), followEndpoints(admin, 'apart')]
      await stage.cluster.until('both are followed', () => ready.seen.length === 1 && endpoints.seen.length === 1)
      const heal = await stage.isolate(isolated)
      try {
        const isIsolated = stage.cluster.until('Isolated', async () => {
          const { own, taints } = await shown(isolated)
          const isAsBefore = ready.seen.at(-1) === 'Ready' && endpoints.seen.at(-1) === 'apart'
          return own === 'Isolated' && taints.includes('starling.mesh/unhealthy=Isolated') && isAsBefore
        })
        await timed('cut off to Isolated, with Ready and endpoints as they were', isIsolated)
        const before = await kinds(isolated, 'marked')
        expect(before.length).toBeLessThanOrEqual(2)
        // A node under a verdict is looked at every 5 s.
        const { apiWrites } = await writesOver(STEADY_MS)
        expect(apiWrites).toBe(0)
        expect(await kinds(isolated, 'marked')).toEqual(before)
        expect((await shown(isolated)).own).toBe('Isolated')
        process.stderr.write(`    it was ${ready.seen.join(', ')}; served: ${endpoints.seen.join(', ')}\n`)
        // At most once away and back.
        expect([['Ready'], ['Ready', 'not Ready', 'Ready']]).toContainEqual(ready.seen)
        expect([['apart'], ['apart', '', 'apart']]).toContainEqual(endpoints.seen)
      } finally {
        for (const each of [ready, endpoints]) each.stop()
        await heal()
      }
    },
    STEADY_MS + WITHIN_MS,
  )

  /** Writes of the aggregator while nothing happens, by its own count, but for its own Lease. */
  async function writesOver(ms: number): Promise<{ readonly apiWrites: number }> {
    const before = await written()
    await new Promise((resolve) => setTimeout(resolve, ms))
    return { apiWrites: (await written()) - before }
  }
  async function written(): Promise<number> {
    const [aggregator] = stage.mesh.aggregators
    const text = await (await fetch(`http://127.0.0.1:${aggregator.gate.port}/metrics`)).text()
    const counts = [...text.matchAll(/^starling_api_writes_total\{(.*)\} (\d+)$/gm)]
      .filter(([, labels]) => labels?.includes('resource="leases"') === false)
      .map(([, , count]) => Number(count))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  it(
    'a node that is taken out of service and dies is not marked; the events say why',
    async () => {
      const cordon = (unschedulable: boolean) =>
        stage.plane.admin.patch(`/api/v1/nodes/${cordoned}`, { spec: { unschedulable } })
      await cordon(true)
      stage.network.pull(cordoned)
      try {
        await stage.cluster.until('withheld', async () => (await kinds(cordoned, 'mark-withheld')).length > 0)
        expect((await shown(cordoned)).own).toBeUndefined()
      } finally {
        stage.network.plug(cordoned)
        await cordon(false)
      }
    },
    WITHIN_MS,
  )

  it(
    'taints that others put on and take off meanwhile are never lost',
    async () => {
      await inForce({ marking: { mode: 'ready', taints: { NodeDown: 'NoSchedule' } } })
      let isOver = false
      const write = async (key: string) => {
        let rounds = 0
        while (!isOver || (await has(key)) === false) {
          const node = await stage.cluster.node(busy)
          const others = (node.spec.taints ?? []).filter((taint) => taint.key !== key)
          const isThere = others.length < (node.spec.taints ?? []).length
          const taints = isThere ? others : [...others, { key, effect: 'PreferNoSchedule' }]
          const body = { metadata: { resourceVersion: node.metadata.resourceVersion }, spec: { taints } }
          const { status } = await stage.plane.admin.ask('PATCH', `/api/v1/nodes/${busy}`, body, MERGE)
          if (status !== 200 && status !== 409) throw new Error(`HTTP ${status}`)
          rounds++
        }
        return rounds
      }
      const has = async (key: string) => (await shown(busy)).taints.includes(key)
      const keys = ['test/one', 'test/two', 'test/three']
      stage.network.pull(busy)
      try {
        const writers = keys.map(write)
        await stage.cluster.until('ours is there', () => has('starling.mesh/unhealthy=NodeDown'))
        isOver = true
        expect(Math.min(...(await Promise.all(writers)))).toBeGreaterThan(0)
        const { taints } = await shown(busy)
        for (const key of [...keys, 'starling.mesh/unhealthy=NodeDown']) expect(taints).toContain(key)
      } finally {
        isOver = true
        stage.network.plug(busy)
      }
      await stage.cluster.until('ours is gone', async () => !(await has('starling.mesh/unhealthy=NodeDown')))
      const { taints } = await shown(busy)
      for (const key of keys) expect(taints).toContain(key)
      const body = { spec: { taints: null } }
      await stage.plane.admin.ask('PATCH', `/api/v1/nodes/${busy}`, body, MERGE)
      await inForce({ marking: { mode: 'ready' } })
    },
    WITHIN_MS,
  )
})

const MERGE = 'application/merge-patch+json'
