/** Which gates are closed, and which are opened, by what shows on Nodes; and that one in memory writes just that. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ApiError } from '../../aggregator/kubernetes/api-error.ts'
import { Gatekeeper } from '../../aggregator/kubernetes/gates/gatekeeper.ts'
import type { OptedPods } from '../../aggregator/kubernetes/gates/opted-pods.ts'
import { PodTable } from '../../aggregator/kubernetes/gates/pod-table.ts'
import { desiredMarks } from '../../aggregator/kubernetes/marking/desired.ts'
import { decideGates, GATE, gatedPod, type NodeGate, nodeGate } from '../../aggregator/kubernetes/marking/gates.ts'
import { conditionOf, type NodeObject } from '../../aggregator/kubernetes/marking/objects.ts'
import { overheard } from '../../aggregator/kubernetes/overheard.ts'
import { silentLog } from '../../common/log.ts'
import { type MarkingSettings, readMarking } from '../../settings/marking.ts'
import { applied, finding, verdict, WRITING } from './cases.ts'
import { createFakeCluster, type FakeCluster, merged } from './fake-cluster.ts'
import { node, type PodWords, pod } from './objects.ts'

const SICK = { findings: [finding('ConntrackAlmostFull')], leaseSeconds: 40 }
const sick = (name: string) => applied(node(name), desiredMarks(SICK, 'condition', readMarking()))

/** A pod that opted in; `gate`: what its condition says, if it has one. */
function opted(name: string, on: string, gate?: 'True' | 'False', words: PodWords = {}) {
  const made = pod(name, on, { labels: { [GATE]: 'web' }, gates: gate === undefined ? [] : [[GATE, gate]], ...words })
  return { ...made, spec: { ...made.spec, readinessGates: [{ conditionType: GATE }] } }
}

describe('what a Node wants of gates', () => {
  const shows = (
    known: Parameters<typeof desiredMarks>[0],
    mode: 'condition' | 'ready',
    settings: MarkingSettings = {},
  ) => nodeGate(applied(node('a'), desiredMarks(known, mode, readMarking(settings))))

  test('is to be open when nothing of ours is on it, or nothing that taints', () => {
    expect(nodeGate(node('a'))).toEqual({ kind: 'open' })
    expect(shows({ ...SICK, findings: [finding('SomethingElse')] }, 'ready')).toEqual({ kind: 'open' })
    expect(shows(SICK, 'ready', { taints: { ConntrackAlmostFull: 'condition' } })).toEqual({ kind: 'open' })
  })

  test('is to be closed by what taints while the kubelet lives, with its cause', () => {
    const cause = { kind: 'finding', id: 'a/d/ConntrackAlmostFull#1' }
    expect(shows(SICK, 'condition')).toEqual({ kind: 'closed', reason: 'ConntrackAlmostFull', cause })
    const isolated = { kind: 'closed', reason: 'Isolated', cause: { kind: 'verdict', id: 'v-1' } }
    expect(shows(verdict('Isolated'), 'ready')).toEqual(isolated)
  })

  test.each(['NodeDown', 'HostHung'] as const)('is nothing where the kubelet is dead: %s, tainted or not', (kind) => {
    expect(shows(verdict(kind), 'ready')).toEqual({ kind: 'left' })
    expect(shows(verdict(kind), 'condition', { taints: { [kind]: 'NoSchedule' } })).toEqual({ kind: 'left' })
  })

  test('is nothing where the kubelet alone is dead', () => {
    expect(shows({ ...SICK, findings: [finding('KubeletDown')] }, 'ready')).toEqual({ kind: 'left' })
  })
})

describe('the gates of a group', () => {
  const OPEN: NodeGate = { kind: 'open' }
  const CLOSED: NodeGate = { kind: 'closed', reason: 'GpuLost', cause: undefined }
  const nodes: Readonly<Record<string, NodeGate>> = { well: OPEN, sick: CLOSED, dead: { kind: 'left' } }
  const decide = (pods: readonly ReturnType<typeof opted>[], isWhole = true) => {
    const { writes, kept } = decideGates(
      pods.flatMap((each) => gatedPod(each) ?? []),
      (name) => nodes[name],
      isWhole,
    )
    return {
      writes: writes.map((write) => `${write.pod.name} ${write.isOpen ? 'open' : 'closed'} ${write.reason}`),
      kept: kept.map(({ name }) => name),
    }
  }
  const NOTHING = { writes: [], kept: [] }
  const last = (name: string, on: string) => {
    const conditions = [{ type: GATE, status: 'True', reason: 'NobodyElseServes', message: null }]
    return merged(opted(name, on, 'True'), { status: { conditions } })
  }

  test('open where nothing stands against the node, also at first', () => {
    expect(decide([opted('new', 'well'), opted('was', 'well', 'False'), opted('is', 'well', 'True')])).toEqual({
      writes: ['new open NodeHealthy', 'was open NodeHealthy'],
      kept: [],
    })
  })

  test('close on a sick node while another of the group serves on one that is well', () => {
    const server = opted('server', 'well', 'True')
    const closing = ['x closed GpuLost', 'new closed GpuLost']
    expect(decide([server, opted('x', 'sick', 'True'), opted('new', 'sick')])).toEqual({ writes: closing, kept: [] })
    expect(decide([server, opted('x', 'sick', 'False')])).toEqual(NOTHING)
  })

  test.each([
    ['not Ready', opted('other', 'well', 'True', { ready: { status: 'False' } })],
    ['going', opted('other', 'well', 'True', { deletionTimestamp: '2026-01-01T00:00:00Z' })],
    ['sick as well', opted('other', 'sick', 'True')],
    ['on a dead node', opted('other', 'dead', 'True')],
    ['on a node of which nothing is known', opted('other', 'nowhere', 'True')],
  ])('never close where the only other is %s', (_, other) => {
    const { writes, kept } = decide([opted('x', 'sick', 'True'), other])
    expect(writes).toEqual([])
    expect(kept).toContain('x')
  })

  test('a fault on all nodes closes none; where nobody is left to serve the closed are opened, and do not swing', () => {
    const all = ['a', 'b', 'c'].map((name) => opted(name, 'sick', 'True'))
    expect(decide(all)).toEqual({ writes: [], kept: ['a', 'b', 'c'] })
    const server = opted('server', 'well', 'True')
    const unready = opted('server', 'well', 'True', { ready: { status: 'False' } })
    expect(decide([opted('x', 'sick', 'False'), unready]).writes).toEqual(['x open NobodyElseServes'])
    expect(decide([last('x', 'sick'), server])).toEqual(NOTHING)
    expect(decide([last('x', 'well'), server]).writes).toEqual(['x open NodeHealthy'])
  })

  test('say of none that it is the last before all are known', () => {
    expect(decide([opted('x', 'sick', 'False'), opted('new', 'sick')], false)).toEqual(NOTHING)
    expect(decide([opted('x', 'sick', 'False'), opted('new', 'well')], false).writes).toEqual(['new open NodeHealthy'])
  })

  test('stay as they are on dead and unknown nodes, before there is a node, and at the end', () => {
    const away = ['dead', 'nowhere', ''].flatMap((on) => [
      opted('a', on),
      opted('b', on, 'False'),
      opted('c', on, 'True'),
    ])
    expect(decide([...away, opted('done', 'well', undefined, { phase: 'Succeeded' })])).toEqual(NOTHING)
  })

  test('are only of pods that declare one; the label alone is enough to serve', () => {
    const undeclared = (name: string, on: string) => pod(name, on, { labels: { [GATE]: 'web' } })
    const pods = [undeclared('server', 'well'), undeclared('x', 'sick'), opted('y', 'sick', 'True')]
    expect(decide(pods as ReturnType<typeof opted>[]).writes).toEqual(['y closed GpuLost'])
    expect(gatedPod(pod('z', 'well'))).toBeUndefined()
  })
})

test('pods that were told are kept by group, the latest of each, until all have been told anew without them', () => {
  const table = new PodTable()
  const told = (name: string, version: string, group = 'web', kind: 'pod' | 'gone' = 'pod') => {
    const made = opted(name, 'a')
    const metadata = { ...made.metadata, resourceVersion: version, labels: { [GATE]: group } }
    return [...table.take({ kind, pod: { ...made, metadata } })]
  }
  const names = (group: string) => table.group(group).map(({ name }) => name)
  table.take({ kind: 'anew' })
  told('x', '100')
  told('y', '9')
  expect([names('default/web'), table.isWhole]).toEqual([['x', 'y'], false])
  expect([...table.take({ kind: 'whole' })]).toEqual(['default/web'])
  expect(table.isWhole).toBe(true)
  // Another group, and as a number, not as text.
  expect(told('y', '10', 'api').toSorted()).toEqual(['default/api', 'default/web'])
  expect(told('x', '99', 'web', 'gone')).toEqual([])
  expect([names('default/web'), names('default/api')]).toEqual([['x'], ['y']])
  table.take({ kind: 'anew' })
  told('x', '50')
  expect([names('default/api'), table.isWhole]).toEqual([['y'], false])
  table.take({ kind: 'whole' })
  expect([names('default/web'), names('default/api')]).toEqual([['x'], []])
  expect(told('x', '101', 'web', 'gone')).toEqual(['default/web'])
  expect(names('default/web')).toEqual([])
})

describe('the gatekeeper', () => {
  let cluster: FakeCluster
  let mayWrite: () => boolean
  let told: string[]
  const keepers: Gatekeeper[] = []
  beforeEach(() => {
    cluster = createFakeCluster()
    mayWrite = () => true
    told = []
    for (const name of ['a', 'b', 'c']) cluster.putNode(node(name))
  })
  afterEach(async () => {
    await Promise.all(keepers.splice(0).map((keeper) => keeper.stop()))
  })

  /** As it is put together when this process begins to lead; `seen`: marking's own way to the cluster. */
  function start(pods: OptedPods = cluster.watchPods()) {
    const authority = { term: 1, mayWrite: () => mayWrite(), renewals: { firstSince: () => undefined } }
    const keeper: Gatekeeper = new Gatekeeper({
      cluster,
      pods,
      authority,
      record: {
        wroteGates: (what, gates) =>
          void told.push(`${what} ${gates.node} ${gates.pods} ${gates.cause?.id ?? ''}`.trim()),
        keptGates: (gates) => void told.push(`kept ${gates.node} ${gates.pods}`),
      },
      log: silentLog,
      times: () => WRITING.times,
    })
    keepers.push(keeper)
    keeper.start()
    return { keeper, seen: overheard(cluster, (nodes, isAll) => keeper.saw(nodes, isAll)) }
  }

  const gateOf = (name: string) => {
    const found = cluster.pods.find(({ metadata }) => metadata.name === name)
    return found && conditionOf(found, GATE)?.status
  }
  const soon = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 5 })
  const writes = () => cluster.requests.filter((request) => request.startsWith('patch'))
  const put = (shown: NodeObject) => cluster.putNode(shown)
  /** What a kubelet does with a gate. */
  const ready = (name: string, status: 'True' | 'False') => {
    const found = cluster.pods.find(({ metadata }) => metadata.name === name)
    const conditions = [{ type: 'Ready', status, reason: null, message: null }]
    if (found !== undefined) cluster.putPod(merged(found, { status: { conditions } }))
  }

  test('opens the gate of a pod that waits, once its node is known, and writes nothing to one that is open', async () => {
    cluster.putPod(opted('first', 'a', 'True'))
    const { seen } = start()
    cluster.putPod(opted('new', 'b'))
    await soon(() => expect(gateOf('new')).toBe('True'))
    await seen.nodes()
    await seen.nodes()
    expect(writes()).toEqual(['patch pods/status default/new'])
    // The one that waited was worth a read, and no other was.
    expect(cluster.requests.filter((request) => request.startsWith('get'))).toEqual(['get nodes b'])
    expect(told).toEqual([])
  })

  test('closes gates when marking taints their node, opens them when the taint is gone, and says so', async () => {
    for (const [name, on] of [
      ['one', 'a'],
      ['two', 'a'],
      ['server', 'b'],
    ] as const) {
      cluster.putPod(opted(name, on, 'True'))
    }
    const { seen } = start()
    await seen.nodes()
    put(sick('a'))
    await seen.node('a')
    await soon(() => expect([gateOf('one'), gateOf('two'), gateOf('server')]).toEqual(['False', 'False', 'True']))
    await soon(() => expect(told).toEqual(['closed a one,two a/d/ConntrackAlmostFull#1']))
    const count = writes().length
    await seen.nodes()
    put(node('a'))
    await seen.nodes()
    await soon(() => expect([gateOf('one'), gateOf('two')]).toEqual(['True', 'True']))
    await soon(() => expect(told.at(-1)).toBe('opened a one,two'))
    expect([count, writes().length]).toEqual([2, 4])
  })

  test('leaves the last that serves alone, and opens one again when all others are gone', async () => {
    put(sick('a'))
    cluster.putPod(opted('x', 'a', 'True'))
    cluster.putPod(opted('y', 'b', 'True'))
    const { seen } = start()
    await seen.nodes()
    await soon(() => expect(gateOf('x')).toBe('False'))
    ready('x', 'False')
    ready('y', 'False')
    await soon(() => expect(gateOf('x')).toBe('True'))
    await soon(() => expect(told.slice(1)).toEqual(['opened a x a/d/ConntrackAlmostFull#1', 'kept a x']))
    // The readiness of others does not make it swing: by the time that a new one is open, all else is looked at.
    ready('x', 'True')
    ready('y', 'True')
    cluster.putPod(opted('z', 'c'))
    await soon(() => expect(gateOf('z')).toBe('True'))
    expect([gateOf('x'), writes().length]).toEqual(['True', 3])
  })

  test('a new leader finishes what was left half done, and opens what nothing stands behind', async () => {
    put(sick('a'))
    cluster.putPod(opted('left-open', 'a', 'True'))
    cluster.putPod(opted('left-closed', 'b', 'False'))
    cluster.putPod(opted('server', 'c', 'True'))
    const { seen } = start()
    await seen.nodes()
    await soon(() => expect([gateOf('left-open'), gateOf('left-closed')]).toEqual(['False', 'True']))
  })

  test('writes nothing while it may not, and goes on when it may', async () => {
    let asked = 0
    mayWrite = () => {
      asked++
      return false
    }
    cluster.putPod(opted('new', 'a'))
    start()
    await soon(() => expect(asked).toBeGreaterThan(0))
    expect(writes()).toEqual([])
    mayWrite = () => true
    await soon(() => expect(gateOf('new')).toBe('True'))
  })

  test('what somebody wrote first is decided anew, and an API server in trouble is asked again', async () => {
    let isFirst = true
    cluster.before = (request) => {
      if (request !== 'patch pods/status' || !isFirst) return
      isFirst = false
      ready('new', 'False')
    }
    cluster.putPod(opted('new', 'a'))
    start()
    await soon(() => expect(gateOf('new')).toBe('True'))
    let refusals = 1
    cluster.before = (request) => {
      if (request === 'patch pods/status' && refusals-- > 0) throw new ApiError('throttled', 429, 'later', 20)
    }
    cluster.putPod(opted('later', 'a'))
    await soon(() => expect(gateOf('later')).toBe('True'))
  })

  test('an older reading of a Node does not undo a later one', async () => {
    cluster.putPod(opted('x', 'a', 'True'))
    cluster.putPod(opted('server', 'b', 'True'))
    const { keeper, seen } = start()
    const before = await seen.nodes()
    put(sick('a'))
    await seen.node('a')
    await soon(() => expect(gateOf('x')).toBe('False'))
    keeper.saw(before, true)
    cluster.putPod(opted('new', 'c'))
    await soon(() => expect(gateOf('new')).toBe('True'))
    expect([gateOf('x'), writes().length]).toEqual(['False', 2])
  })
})
