/** What all nodes measured of late, by host, by container, and by workload. */
import { describe, expect, it } from 'vitest'
import { FleetMeasures } from '../../../aggregator/measures/fleet-measures.ts'
import { NO_CLUSTER, type PodLabels, podLabelsOf } from '../../../aggregator/measures/pod-labels.ts'
import { byWorkload, workloadOf } from '../../../aggregator/measures/workloads.ts'
import type { ContainerFigures, MeasureAnswer } from '../../../inspection/measure-words.ts'
import type { Measures } from '../../../inspection/measures.ts'

const MINUTE = 60_000

/** A fleet of members by pool, and the clock that it sees. */
function fleetOf(pools: Record<string, string>, pods: PodLabels = NO_CLUSTER) {
  const clock = { ms: 1_000_000 }
  const fleet = new FleetMeasures({ now: () => clock.ms, poolOf: (node) => pools[node], pods })
  const answer = (minute: number, figures: Measures, containers: readonly ContainerFigures[] = []): MeasureAnswer => {
    return { minute, passedMs: MINUTE, minutes: [figures], hours: [], containerMinute: minute, containers }
  }
  return { fleet, clock, answer, pools }
}

const container = (name: string, cpu: number): ContainerFigures => ({ name, figures: { cpu } })

describe('averages of hosts', () => {
  it('are of members that were heard, with their pools', () => {
    const { fleet, answer, pools } = fleetOf({ 'node-1': 'etcd', 'node-2': '' })
    fleet.take('node-1', answer(1, { memory: 50 }))
    fleet.take('node-2', answer(9, { memory: 70, cpu: 1 }))
    expect(fleet.averages('memory', MINUTE, 'host')).toEqual([
      { subject: { node: 'node-1', pool: 'etcd' }, value: 50, coveredMs: MINUTE },
      { subject: { node: 'node-2', pool: '' }, value: 70, coveredMs: MINUTE },
    ])
    expect(fleet.averages('cpu', MINUTE, 'host').map(({ subject }) => subject.node)).toEqual(['node-2'])
    expect(fleet.averages('swap', MINUTE, 'host')).toEqual([])
    delete pools['node-1']
    expect(fleet.averages('memory', MINUTE, 'host').map(({ subject }) => subject.node)).toEqual(['node-2'])
    fleet.retain()
    expect(fleet.heardMs('node-1')).toBeUndefined()
  })

  it('are unknown of a node that fell silent', () => {
    const { fleet, clock, answer } = fleetOf({ 'node-1': '' })
    fleet.take('node-1', answer(1, { cpu: 50 }))
    clock.ms += 4 * MINUTE
    expect(fleet.averages('cpu', MINUTE, 'host')).toEqual([])
    expect(fleet.averages('cpu', 10 * MINUTE, 'host')).toHaveLength(1)
  })
})

describe('averages of containers', () => {
  it('are asked for only while somebody wants them', () => {
    const { fleet, clock } = fleetOf({ 'node-1': '' })
    expect(fleet.wantsContainers).toBe(false)
    fleet.averages('cpu', MINUTE, 'container')
    expect(fleet.wantsContainers).toBe(true)
    clock.ms += 11 * MINUTE
    expect(fleet.wantsContainers).toBe(false)
  })

  it('name the container, and are gone an hour after it', () => {
    const { fleet, clock, answer } = fleetOf({ 'node-1': 'web' })
    fleet.take('node-1', answer(1, {}, [container('shop/api-7d4b9c6f5-x2x9k/app', 3), container('0123456789ab', 1)]))
    expect(fleet.averages('cpu', MINUTE, 'container').map(({ subject }) => subject.container)).toEqual([
      {
        namespace: 'shop',
        pod: 'api-7d4b9c6f5-x2x9k',
        name: 'app',
        labels: { workload: 'api', namespace: 'shop', pod: 'api-7d4b9c6f5-x2x9k', container: 'app' },
      },
      { namespace: '', pod: '', name: '0123456789ab', labels: { workload: '0123456789ab', container: '0123456789ab' } },
    ])
    expect(fleet.averages('disk', MINUTE, 'container')).toEqual([])
    clock.ms += 62 * MINUTE
    fleet.take('node-1', answer(63, {}))
    expect(fleet.averages('cpu', 60 * MINUTE, 'container')).toEqual([])
  })

  it('are not made new by a meter that stands still', () => {
    const { fleet, clock, answer } = fleetOf({ 'node-1': '' })
    for (let minute = 0; minute < 5; minute++) {
      fleet.take('node-1', { ...answer(minute, {}, [container('a/b/c', 9)]), containerMinute: 7 })
      clock.ms += MINUTE
    }
    expect(fleet.averages('cpu', MINUTE, 'container')).toEqual([])
  })

  it('are of 50,000 containers at most', () => {
    const { fleet, answer } = fleetOf(Object.fromEntries(Array.from({ length: 126 }, (_, n) => [`node-${n}`, ''])))
    for (let node = 0; node < 126; node++)
      fleet.take(
        `node-${node}`,
        answer(
          1,
          {},
          Array.from({ length: 400 }, (_, n) => container(`a/b/${n}`, 1)),
        ),
      )
    expect(fleet.averages('cpu', MINUTE, 'container')).toHaveLength(50_000)
  })
})

describe('labels of pods', () => {
  const SHOP = podLabelsOf({ app: 'shop', workload: 'api', pod: 'x', namespace: 'shop', container: 'app' })
  /** A cluster in which one pod has the label, and of which nothing is known at times. */
  const clusterOf = (why?: string) => {
    const wanted: string[] = []
    const pods: PodLabels = {
      want: ({ key, value }) => {
        wanted.push(`${key}=${value}`)
        return why
      },
      podWith: ({ key }, namespace, pod) =>
        key === 'app' && namespace === 'shop' && pod === 'api-x' ? { value: 'shop', workload: 'front' } : undefined,
    }
    return { pods, wanted }
  }

  it('are those that no node can tell', () => {
    expect(SHOP).toEqual([{ key: 'app', value: 'shop' }])
  })

  it('stand beside those of containers when they are asked for, with the workload that the owner is', () => {
    const { fleet, answer } = fleetOf({ 'node-1': '' }, clusterOf().pods)
    fleet.take('node-1', answer(1, {}, [container('shop/api-x/app', 3), container('test/api-x/app', 4)]))
    const labels = (more: typeof SHOP) =>
      fleet.averages('cpu', MINUTE, 'container', more).map(({ subject }) => subject.container?.labels)
    const [shop, test] = labels([])
    expect(labels(SHOP)).toEqual([{ ...shop, app: 'shop', workload: 'front' }, test])
    expect(shop).not.toHaveProperty('app')
  })

  it('are all wanted, also behind one that is missing', () => {
    const { pods, wanted } = clusterOf('no right')
    const { fleet } = fleetOf({}, pods)
    expect(fleet.missing([{ key: 'app' }, { key: 'tier', value: 'web' }])).toEqual({ key: 'app', why: 'no right' })
    expect(wanted).toEqual(['app=undefined', 'tier=web'])
    expect(fleet.missing([])).toBeUndefined()
    expect(fleetOf({}, clusterOf().pods).fleet.missing(SHOP)).toBeUndefined()
    expect(fleetOf({}).fleet.missing(SHOP)?.why).toContain('no cluster')
  })
})

describe('a workload', () => {
  it.each([
    ['api-7d4b9c6f5-x2x9k', 'api'],
    ['coredns-5dd5756b68-abcde', 'coredns-5dd5756b68-abcde'],
    ['coredns-5dd5756b68-bcdfg', 'coredns'],
    ['kube-proxy-z8w4x', 'kube-proxy'],
    ['mysql-0', 'mysql'],
    ['mysql-primary-12', 'mysql-primary'],
    ['backup-28473920-k9p2m', 'backup-28473920'],
    ['etcd-node-a', 'etcd-node-a'],
    ['api', 'api'],
    ['', ''],
    ['=cmd()<script>', '=cmd()<script>'],
  ])('of the pod %s is %s', (pod, workload) => {
    expect(workloadOf(pod)).toBe(workload)
  })

  it('is its containers on all nodes, by namespace', () => {
    const { fleet, answer } = fleetOf({ 'node-1': '', 'node-2': '' })
    fleet.take('node-1', answer(1, {}, [container('shop/api-7d4b9c6f5-x2x9k/app', 30), container('shop/db-0/db', 5)]))
    fleet.take('node-2', answer(1, {}, [container('shop/api-7d4b9c6f5-b8b7c/app', 50), container('test/db-0/db', 7)]))
    const all = fleet.averages('cpu', MINUTE, 'container')
    expect(byWorkload(all)).toEqual([
      { namespace: 'shop', workload: 'api', sum: 80, mean: 40, containers: 2, coveredMs: MINUTE },
      { namespace: 'shop', workload: 'db', sum: 5, mean: 5, containers: 1, coveredMs: MINUTE },
      { namespace: 'test', workload: 'db', sum: 7, mean: 7, containers: 1, coveredMs: MINUTE },
    ])
    expect(byWorkload(all, 'app')).toEqual([])
  })
})
