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
import { followEndpoints, followReady, followTaints } from './followed.ts'
import { shownOn } from './shown.ts'
import { theStage, WITHIN_MS } from './stage.ts'
import { timed } from './timed.ts'

const MERGE = 'application/merge-patch+json'
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
    'taints that others put on and take off meanwhile are never lost by a write of ours',
    async () => {
      await inForce({ marking: { mode: 'ready', taints: { NodeDown: 'NoSchedule' } } })
      const { admin } = stage.plane
      let isOver = false
      const write = async (key: string) => {
        while (!isOver) {
          const node = await stage.cluster.node(busy)
          const others = (node.spec.taints ?? []).filter((taint) => taint.key !== key)
          const isThere = others.length < (node.spec.taints ?? []).length
          const taints = isThere ? others : [...others, { key, effect: 'PreferNoSchedule' }]
          const body = { metadata: { resourceVersion: node.metadata.resourceVersion }, spec: { taints } }
          const { status } = await admin.ask('PATCH', `/api/v1/nodes/${busy}`, body, MERGE)
          if (status !== 200 && status !== 409) throw new Error(`HTTP ${status}`)
        }
      }
      const has = async (taint: string) => (await shown(busy)).taints.includes(taint)
      const own = 'starling.mesh/unhealthy=NodeDown'
      const followed = followTaints(admin, busy)
      await stage.cluster.until('its taints are followed', () => followed.seen.length > 0)
      const writers = Promise.allSettled(['test/one', 'test/two', 'test/three'].map(write))
      stage.network.pull(busy)
      try {
        // Not all at once, and not for good: the controller of Kubernetes up to 1.20 puts its own taint into a list that it read
        // from a cache, so that ours is lost now and then, until our next look.
        await stage.cluster.until('ours is there', () => has(own))
        stage.network.plug(busy)
        await stage.cluster.until('ours is gone', async () => !(await has(own)))
        await stage.cluster.until('that was seen', () => !followed.seen.at(-1)?.includes('starling'))
      } finally {
        stage.network.plug(busy)
        isOver = true
        followed.stop()
        await writers
        await admin.ask('PATCH', `/api/v1/nodes/${busy}`, { spec: { taints: null } }, MERGE)
        await inForce({ marking: { mode: 'ready' } })
      }
      expect((await writers).filter(({ status }) => status === 'rejected')).toEqual([])
      const ours = writesOfOurs(followed.seen)
      expect(ours.length).toBeGreaterThan(0)
      for (const { before, after } of ours) expect(after).toEqual(before)
      // The test is worth nothing if the others' writes were not among them.
      expect(followed.seen.length).toBeGreaterThan(10)
    },
    WITHIN_MS,
  )
})

/** The taints of others, before and after each write in which ours came or went and none of Kubernetes' own did. */
function writesOfOurs(seen: readonly string[]): readonly Record<'before' | 'after', readonly string[]>[] {
  const isOwn = (key: string) => key === 'starling.mesh/unhealthy'
  const isOfController = (key: string) => key.startsWith('node.kubernetes.io/')
  const only = (keys: readonly string[], which: (key: string) => boolean) => keys.filter(which).join(' ')
  return seen.slice(1).flatMap((now, index) => {
    const [before, after] = [seen[index] ?? '', now].map((keys) => keys.split(' ')) as [string[], string[]]
    const isOurs = only(before, isOwn) !== only(after, isOwn)
    if (!isOurs || only(before, isOfController) !== only(after, isOfController)) return []
    const others = (keys: readonly string[]) => keys.filter((key) => key !== '' && !isOwn(key))
    return [{ before: others(before), after: others(after) }]
  })
}
