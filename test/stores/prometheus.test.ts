/** A real Prometheus scrapes an aggregator's metrics and judges by the rules that we ship. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createAggregatorMetrics } from '../../aggregator/metrics.ts'
import { EVENT_KINDS, type Snapshot } from '../../aggregator/model.ts'
import { createAgentMetrics } from '../../node-agent/metrics.ts'
import { type ServedSample, serveSample } from '../aggregator/serve-sample.ts'
import { needsPrometheus, Prometheus, promtool } from '../prometheus.ts'
import { describeReal } from '../real-part.ts'

const RULES = 'deploy/prometheus/starling-rules.yaml'
/** Of labels: what names nodes has as many values as there are nodes. */
const NAMES_OF_NODES = ['node', 'pod', 'peer', 'instance', 'subject', 'message']

describeReal('Prometheus', needsPrometheus(), () => {
  let served: ServedSample
  let prometheus: Prometheus
  let metrics: ReturnType<typeof createAggregatorMetrics>
  beforeAll(async () => {
    served = await serveSample(undefined, () => metrics.registry.metrics())
    metrics = createAggregatorMetrics(() => served.sample.present())
    prometheus = await Prometheus.start(new URL(served.url).host, RULES)
  })
  afterAll(async () => {
    await prometheus.stop()
    await served.close()
  })

  it('finds nothing to say against our metrics, however much happened', async () => {
    const own = createAggregatorMetrics(() => served.sample.present())
    own.notice({ kind: 'suspected' } as never)
    own.verdict('NodeDown')
    own.mark('ready', 'written')
    own.apiWrite({ resource: 'nodes', verb: 'patch', code: '200' } as never)
    own.refusal('pause')
    own.outcome('sysctl', 'verified')
    own.budgets({ cluster: 0.1, zone: 0.2, pool: 0.3 })
    for (const kind of EVENT_KINDS) own.event(kind)
    const text = await own.registry.metrics()
    promtool(['check', 'metrics'], text)
    promtool(['check', 'metrics'], await createAgentMetrics(() => undefined, { bytes: 0, lost: 0 }).registry.metrics())
    const labels = new Set([...text.matchAll(/[{,](\w+)="/g)].map(([, label]) => label))
    expect(NAMES_OF_NODES.filter((label) => labels.has(label))).toEqual([])
  })

  it('is told as many figures of a thousand nodes as of five', async () => {
    const series = async (members: Snapshot['members']) => {
      const snapshot = { ...served.sample.snapshot(), members }
      const text = await createAggregatorMetrics(() => snapshot).registry.metrics()
      return text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length
    }
    const { members } = served.sample.snapshot()
    const many = Array.from({ length: 200 }, (_, n) =>
      members.map((one) => ({ ...one, node: `${one.node}-${n}` })),
    ).flat()
    expect(await series([...members, ...many])).toBe(await series(members))
  })

  it('judges by our rules as they say of themselves', () => {
    promtool(['check', 'rules', RULES])
    promtool(['test', 'rules', 'deploy/prometheus/starling-rules.test.yaml'])
    promtool(['check', 'config', 'deploy/prometheus/prometheus.yaml'])
  })

  it('scrapes us, evaluates every rule, and fires for a node that is down', async () => {
    const judged = async () => {
      const rules = (await prometheus.ruleGroups()).flatMap(({ rules }) => rules)
      return rules.map(({ name, health, lastError }) => ({ name, health, lastError }))
    }
    await expect.poll(async () => (await judged()).every(({ health }) => health !== 'unknown'), LONG).toBe(true)
    expect((await judged()).filter(({ health }) => health !== 'ok')).toEqual([])
    await expect.poll(() => prometheus.query('starling:members'), LONG).toMatchObject([{ value: '5' }])
    // node-4 of the sample is down.
    const firing = async () => (await prometheus.alerts()).filter(({ state }) => state === 'firing')
    await expect
      .poll(async () => (await firing()).map(({ labels }) => labels.alertname), LONG)
      .toEqual(['StarlingNodeNotReady'])
    expect((await firing())[0]).toMatchObject({
      labels: { state: 'NodeDown', severity: 'critical' },
      annotations: { runbook_url: 'docs/prometheus.md#starlingnodenotready' },
    })
    served.sample.changeMember('node-4', { state: 'alive' })
    await expect.poll(firing, LONG).toEqual([])
  })
})

const LONG = { timeout: 60_000, interval: 100 }
