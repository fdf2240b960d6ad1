/** The pure rules of marking: what should show, and which writes follow from what shows. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NotReadyClock, whyNotReady } from '../../aggregator/kubernetes/marking/brakes.ts'
import {
  type Desired,
  desiredMarks,
  type NodeCase,
  nothingDesired,
} from '../../aggregator/kubernetes/marking/desired.ts'
import { formatEvidence, parseEvidence } from '../../aggregator/kubernetes/marking/evidence.ts'
import { whyLeaving } from '../../aggregator/kubernetes/marking/leaving.ts'
import {
  hasOwnMarks,
  OWN_CONDITION,
  OWN_TAINT,
  statusChanges,
  taintsAfter,
} from '../../aggregator/kubernetes/marking/node-marks.ts'
import {
  type Condition,
  conditionOf,
  type NodeObject,
  poolOf,
  type Taint,
} from '../../aggregator/kubernetes/marking/objects.ts'
import { markOf, mayUndo, podsToMark, undoOf } from '../../aggregator/kubernetes/marking/pod-marks.ts'
import { showsLife, verdictOn } from '../../aggregator/kubernetes/marking/shown.ts'
import type { Finding } from '../../detectors/contract.ts'
import type { Standing, VerdictKind } from '../../mesh/core/model.ts'
import { type MarkingSettings, markingPart, readMarking } from '../../settings/marking.ts'
import { merged } from './fake-cluster.ts'
import { BEATEN_AT, node, pod, READY } from './objects.ts'

const WALL_MS = Date.parse('2026-01-02T03:04:05Z')
const WRITING = { term: 7, wallMs: WALL_MS }
const MARKING = readMarking()

function standing(kind: VerdictKind = 'NodeDown', verdictId = 'v-1'): Standing {
  return { verdictId, kind, subject: 'a', incarnation: { serial: 1, boot: 2, refutations: 0 } }
}

function verdict(kind: VerdictKind = 'NodeDown', times: { stoodMs?: number; silentMs?: number } = {}): NodeCase {
  const { stoodMs = 0, silentMs = 60_000 } = times
  const says = '8 of 10 observers agree'
  return { verdict: { standing: standing(kind), stoodMs, silentMs, says }, findings: [], leaseSeconds: 40 }
}

function finding(reason: string, status: Finding['status'] = 'alarm'): Finding {
  const times = { since: BEATEN_AT, observedAt: BEATEN_AT, ttlMs: 60_000 }
  const words = { detector: 'd', cause: '', summary: `${reason} it is`, evidence: [] }
  return { id: `a/d/${reason}#1`, node: 'a', reason, status, ...words, ...times }
}

function applied(object: NodeObject, desired: Desired, writing = WRITING): NodeObject {
  const taints = taintsAfter(object, desired, writing)
  const spec = taints === undefined ? object.spec : { ...object.spec, taints }
  const withStatus = merged(object, { status: { conditions: statusChanges(object, desired, writing) } })
  return { ...withStatus, ...(spec === undefined ? {} : { spec }) }
}

describe('what should show', () => {
  test.each([
    ['ready', 'NodeDown', 'StarlingNodeDown', true, undefined],
    ['ready', 'HostHung', 'StarlingHostHung', true, undefined],
    ['ready', 'Isolated', undefined, false, 'Isolated'],
    ['condition', 'NodeDown', undefined, false, undefined],
    ['condition', 'Isolated', undefined, false, 'Isolated'],
    ['observe', 'NodeDown', 'StarlingNodeDown', true, undefined],
  ] as const)('in mode %s for %s: Ready %s, pods %s, taint %s', (mode, kind, ready, pods, taint) => {
    const desired = desiredMarks(verdict(kind), mode, MARKING)
    expect(desired).toMatchObject({ mode, ready, pods, taint, againInMs: undefined })
    expect(desired.condition?.reason).toBe(kind)
  })

  test('each hold is counted from its own beginning', () => {
    const marking = readMarking({ holds: { endpoints: '3s', nodeReady: '10s', hung: '20s' } })
    expect(desiredMarks(verdict('NodeDown', { stoodMs: 2_000 }), 'ready', marking)).toMatchObject({
      ready: undefined,
      pods: false,
      condition: { reason: 'NodeDown' },
      againInMs: 1_000,
    })
    expect(desiredMarks(verdict('NodeDown', { stoodMs: 3_000 }), 'ready', marking)).toMatchObject({
      ready: undefined,
      pods: true,
      againInMs: 7_000,
    })
    expect(desiredMarks(verdict('NodeDown', { stoodMs: 10_000 }), 'ready', marking)).toMatchObject({
      ready: 'StarlingNodeDown',
      againInMs: undefined,
    })
    expect(desiredMarks(verdict('HostHung', { silentMs: 12_000 }), 'condition', marking)).toEqual({
      ...nothingDesired('condition'),
      againInMs: 8_000,
    })
  })

  test('a hung host must have missed one and a half renewals of its Lease', () => {
    const hung = verdict('HostHung', { silentMs: 12_000 })
    expect(desiredMarks(hung, 'ready', MARKING)).toMatchObject({ condition: undefined, againInMs: 3_000 })
    expect(desiredMarks({ ...hung, leaseSeconds: 20 }, 'ready', MARKING)).toMatchObject({ ready: 'StarlingHostHung' })
  })

  test.each([
    [[], undefined, undefined],
    [['ConntrackFilling', 'warn'], undefined, undefined],
    [['ConntrackAlmostFull', 'alarm'], 'FindingAlarm', 'ConntrackAlmostFull'],
    [['ClockUnusable', 'error'], 'FindingError', 'ClockUnusable'],
    [['ClockUnusable', 'unknown'], undefined, undefined],
    [['DiskAlmostFull', 'error'], undefined, undefined],
    [['SomethingElse', 'alarm'], 'FindingAlarm', undefined],
  ] as const)('a finding %j shows as %s with taint %s', (said, reason, taint) => {
    const findings = said.length === 0 ? [] : [finding(said[0], said[1])]
    const desired = desiredMarks({ findings, leaseSeconds: 40 }, 'ready', MARKING)
    expect([desired.condition?.reason, desired.taint]).toEqual([reason, taint])
    expect([desired.ready, desired.pods]).toEqual([undefined, false])
  })

  test('of several findings the one that keeps pods away is named, then the worst', () => {
    const findings = [finding('Aaa', 'error'), finding('ConntrackAlmostFull', 'alarm'), finding('Bbb', 'error')]
    const { condition, taint } = desiredMarks({ findings, leaseSeconds: 40 }, 'condition', MARKING)
    expect(condition).toMatchObject({ reason: 'FindingAlarm', says: expect.stringContaining('(and 2 more)') })
    expect(taint).toBe('ConntrackAlmostFull')
  })

  test("policy is the settings' where they say something", () => {
    const marking = readMarking({
      taints: { NodeDown: 'NoSchedule', Isolated: 'none', Aaa: 'none', DiskAlmostFull: 'condition' },
    })
    expect(desiredMarks(verdict(), 'condition', marking).taint).toBe('NodeDown')
    expect(desiredMarks(verdict('Isolated'), 'condition', marking)).toEqual(nothingDesired('condition'))
    const findings = [finding('Aaa'), finding('DiskAlmostFull')]
    expect(desiredMarks({ findings, leaseSeconds: 40 }, 'ready', marking)).toMatchObject({
      condition: { says: expect.stringMatching(/^DiskAlmostFull/) },
      taint: undefined,
    })
  })

  test('the mode is that of the pool, then the general one, then observe', () => {
    const marking = readMarking({ mode: 'condition', pools: { gpu: { mode: 'ready' } } })
    expect([marking.modeOf('gpu'), marking.modeOf('web'), marking.modeOf(undefined)]).toEqual([
      'ready',
      'condition',
      'condition',
    ])
    expect(MARKING.modeOf('gpu')).toBe('observe')
    expect(poolOf(node('a', { labels: { 'starling.mesh/pool': 'x', 'karpenter.sh/nodepool': 'y' } }))).toBe('x')
    expect(poolOf(node('a'))).toBeUndefined()
  })

  test.each([
    [{ mode: 'redy' }],
    [{ mode: 'auto' }],
    [{ pools: { gpu: { mode: 'mark' } } }],
    [{ holds: { hung: '10' } }],
    [{ holds: { hung: '2h' } }],
    [{ holds: { node: '1s' } }],
    [{ taints: { NodeDown: 'NoExecute' } }],
    [{ taints: { 'node-down': 'none' } }],
    [{ modes: 'ready' }],
  ])('%j is refused', (settings) => {
    expect(markingPart.safeParse(settings).success).toBe(false)
  })
})

describe('the message of our condition', () => {
  test.each(['NodeDown', 'HostHung', 'Isolated'] as const)('is read back: %s', (kind) => {
    const evidence = {
      says: `${kind}: 8 of 10 [observers] agree`,
      id: 'term 7/n once',
      term: 7,
      verdict: { kind, incarnation: { serial: 3, boot: 2, refutations: 1 } },
      until: '2026-01-02T03:04:05Z',
    }
    expect(parseEvidence(formatEvidence(evidence))).toEqual(evidence)
  })

  test('of anybody else is none', () => {
    for (const message of [undefined, '', 'all is well', 'x [verdict=a term=b until=c]']) {
      expect(parseEvidence(message)).toBeUndefined()
    }
  })

  test('can be read back whatever the words are', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), fc.nat(), (says, id, term) => {
        const until = '2026-01-02T03:04:05Z'
        const read = parseEvidence(formatEvidence({ says, id: id.toWellFormed(), term, until }))
        expect(read).toMatchObject({ id: id.toWellFormed(), term, until })
      }),
    )
  })
})

describe('the writes to a Node', () => {
  test('make Ready False with our reason, keep the heartbeat, and leave the evidence beside it', () => {
    const marked = applied(node('a'), desiredMarks(verdict(), 'ready', MARKING))
    expect(conditionOf(marked, 'Ready')).toEqual({
      ...READY,
      status: 'False',
      reason: 'StarlingNodeDown',
      message: 'NodeDown: 8 of 10 observers agree',
      lastTransitionTime: '2026-01-02T03:04:05Z',
    })
    expect(conditionOf(marked, OWN_CONDITION)).toMatchObject({ status: 'False', reason: 'NodeDown' })
    expect(verdictOn(marked)).toEqual(standing())
  })

  test.each([
    ['Unknown', 'NodeStatusUnknown'],
    ['False', 'KubeletNotReady'],
  ])('leave Ready=%s alone, and say why beside it', (status, reason) => {
    const marked = applied(node('a', { ready: { status, reason } }), desiredMarks(verdict(), 'ready', MARKING))
    expect(conditionOf(marked, 'Ready')).toMatchObject({ status, reason })
    expect(conditionOf(marked, OWN_CONDITION)?.reason).toBe('NodeDown')
    const undone = applied(marked, nothingDesired('ready'))
    expect(conditionOf(undone, 'Ready')).toMatchObject({ status, reason })
    expect(hasOwnMarks(undone)).toBe(false)
  })

  test('turn a mark into Isolated: Ready is given back, condition and taint say why', () => {
    const marked = applied(node('a'), desiredMarks(verdict(), 'ready', MARKING))
    const isolated = applied(marked, desiredMarks(verdict('Isolated'), 'ready', MARKING))
    expect(conditionOf(isolated, 'Ready')?.status).toBe('True')
    expect(conditionOf(isolated, OWN_CONDITION)?.reason).toBe('Isolated')
    expect(isolated.spec?.taints).toMatchObject([{ key: OWN_TAINT, value: 'Isolated', effect: 'NoSchedule' }])
  })

  test('come again only for another cause, or when half of their time is over', () => {
    const desired = desiredMarks({ findings: [finding('ConntrackAlmostFull')], leaseSeconds: 40 }, 'ready', MARKING)
    const marked = applied(node('a'), desired)
    const at = (hours: number) => statusChanges(marked, desired, { term: 9, wallMs: WALL_MS + hours * 3_600_000 })
    expect([at(1), at(11)]).toEqual([[], []])
    expect(at(13)).toHaveLength(1)
    const other = desiredMarks({ findings: [finding('ClockUnusable')], leaseSeconds: 40 }, 'ready', MARKING)
    expect(statusChanges(marked, other, WRITING)).toHaveLength(1)
  })

  const word = fc.constantFrom('Ready', 'MemoryPressure', 'DiskPressure', 'Weird')
  const foreignCondition: fc.Arbitrary<Condition> = fc.record({
    type: word.filter((type) => type !== 'Ready'),
    status: fc.constantFrom('True', 'False', 'Unknown'),
    reason: fc.string(),
  })
  const foreignTaint: fc.Arbitrary<Taint> = fc.record({
    key: fc.constantFrom('a', 'node.kubernetes.io/not-ready', 'starling.mesh/other'),
    value: fc.string(),
    effect: fc.constantFrom('NoSchedule', 'NoExecute', 'PreferNoSchedule'),
  })
  const anyNode = fc
    .record({
      conditions: fc.uniqueArray(foreignCondition, { selector: ({ type }) => type }),
      taints: fc.uniqueArray(foreignTaint, { selector: ({ key, effect }) => `${key}${effect}` }),
      ready: fc.constantFrom(
        {},
        { status: 'Unknown', reason: 'NodeStatusUnknown' },
        { status: 'False', reason: 'KubeletNotReady' },
      ),
    })
    .map((words) => node('a', words))
  const anyDesired = fc
    .record({
      kind: fc.constantFrom<VerdictKind>('NodeDown', 'HostHung', 'Isolated'),
      mode: fc.constantFrom('condition' as const, 'ready' as const),
      found: fc.option(fc.constantFrom('ConntrackAlmostFull', 'Other', 'DiskAlmostFull')),
      settings: fc.constantFrom<MarkingSettings>(
        {},
        { taints: { NodeDown: 'NoSchedule' } },
        { holds: { nodeReady: '5s' } },
      ),
    })
    .map(({ kind, mode, found, settings }) => {
      const known = found === null ? verdict(kind) : { findings: [finding(found)], leaseSeconds: 40 }
      return desiredMarks(known, mode, readMarking(settings))
    })
  const foreign = (object: NodeObject) => ({
    conditions: object.status?.conditions?.filter(({ type }) => type !== 'Ready' && type !== OWN_CONDITION),
    taints: object.spec?.taints?.filter(({ key }) => key !== OWN_TAINT),
  })

  test('never touch what is not ours', () => {
    fc.assert(
      fc.property(anyNode, anyDesired, (object, desired) => {
        expect(foreign(applied(object, desired))).toEqual(foreign(object))
        expect(foreign(applied(applied(object, desired), nothingDesired('ready')))).toEqual(foreign(object))
      }),
    )
  })

  test('are none when they were made', () => {
    fc.assert(
      fc.property(anyNode, anyDesired, (object, desired) => {
        const marked = applied(object, desired)
        expect([statusChanges(marked, desired, WRITING), taintsAfter(marked, desired, WRITING)]).toEqual([
          [],
          undefined,
        ])
      }),
    )
  })

  test('are undone to what was there before, but for when Ready last changed', () => {
    const timeless = (object: NodeObject) => ({
      taints: object.spec?.taints ?? [],
      conditions: object.status?.conditions?.map(({ lastTransitionTime: _, ...rest }) => rest),
    })
    fc.assert(
      fc.property(anyNode, anyDesired, anyDesired, (object, first, second) => {
        const undone = applied(applied(applied(object, first), second), nothingDesired('ready'))
        expect(timeless(undone)).toEqual(timeless(object))
      }),
    )
  })
})

describe('a Node that was read', () => {
  const marked = applied(node('a'), desiredMarks(verdict(), 'ready', MARKING))
  const rewritten = merged(marked, {
    status: { conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: '' }] },
  })

  test('shows a living kubelet when it is Ready again after we wrote for this verdict, whoever wrote', () => {
    expect(showsLife(marked, standing(), true)).toBe(false)
    expect(showsLife(rewritten, standing(), false)).toBe(true)
    expect(showsLife(rewritten, standing('NodeDown', 'v-2'), false)).toBe(false)
    expect(showsLife(node('a'), standing(), true)).toBe(true)
    expect(showsLife(node('a'), standing(), false)).toBe(false)
  })
})

describe('the pods of a node', () => {
  test('are marked if they run and are Ready, those first that may be behind a Service', () => {
    const pods = [
      pod('daemon', 'a', { ownerKind: 'DaemonSet' }),
      pod('host', 'a', { hostNetwork: true }),
      pod('mirror', 'a', { annotations: { 'kubernetes.io/config.mirror': 'x' } }),
      pod('web', 'a', { ownerKind: 'ReplicaSet' }),
      pod('going', 'a', { deletionTimestamp: BEATEN_AT }),
      pod('done', 'a', { phase: 'Succeeded' }),
      pod('failed', 'a', { phase: 'Failed' }),
      pod('unready', 'a', { ready: { status: 'False' } }),
    ]
    expect(podsToMark(pods).map(({ metadata }) => metadata.name)).toEqual(['web', 'going', 'daemon', 'host', 'mirror'])
  })

  test('are undone only while the mark is ours and nothing else keeps them from being Ready', () => {
    const gates = [['gate', 'True']] as const
    const marked = (words: Parameters<typeof pod>[2] = {}) => {
      const before = pod('web', 'a', words)
      return merged(before, markOf(before, 'down', WALL_MS))
    }
    expect(mayUndo(marked())).toBe(true)
    expect(mayUndo(marked({ gates }))).toBe(true)
    expect(mayUndo(marked({ gates: [['gate', 'False']] }))).toBe(false)
    expect(mayUndo(marked({ containersReady: 'False' }))).toBe(false)
    expect(mayUndo(pod('web', 'a', { ready: { status: 'False', reason: 'ContainersNotReady' } }))).toBe(false)
    expect(mayUndo(pod('web', 'a'))).toBe(false)
    const before = pod('web', 'a')
    const undone = merged(marked(), undoOf(marked(), Date.parse(BEATEN_AT)))
    expect(undone).toEqual(before)
  })
})

describe('what keeps from marking', () => {
  test.each([
    [{}, undefined],
    [{ unschedulable: true }, 'it is cordoned'],
    [{ deletionTimestamp: BEATEN_AT }, 'it is being deleted'],
    [{ taints: [{ key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' }] }, 'the autoscaler removes it'],
    [
      { taints: [{ key: 'node.cloudprovider.kubernetes.io/shutdown', effect: 'NoSchedule' }] },
      'its machine is shut down',
    ],
    [{ taints: [{ key: 'dedicated', effect: 'NoSchedule' }] }, undefined],
    [{ conditions: [{ type: 'Draining', status: 'True' }] }, 'its condition Draining is True'],
    [{ conditions: [{ type: 'Draining', status: 'False' }] }, undefined],
  ])('%j: leaving because %s', (words, why) => {
    expect(whyLeaving(node('a', words))).toBe(why)
  })

  /** Deaths one after the other, `gapMs` apart: how many end up marked. `zones`: of the nodes in order. */
  function markedOf(deaths: number, zones: readonly string[], gapMs: number, before: readonly number[] = []): number {
    const clock = new NotReadyClock()
    let nodes = zones.map((zone, index) => {
      const ready = before.includes(index) ? { status: 'Unknown' } : {}
      return node(`n${index}`, { ready, labels: { 'topology.kubernetes.io/zone': zone } })
    })
    clock.saw(-120_000, nodes)
    let marked = 0
    for (let at = 0; at < deaths; at++) {
      const now = at * gapMs
      clock.saw(now, nodes)
      if (whyNotReady(`n${at}`, nodes, clock.recent(now)) !== undefined) continue
      nodes = nodes.map((each, index) =>
        index === at
          ? { ...each, ...node(each.metadata.name, { ready: { status: 'False' } }), metadata: each.metadata }
          : each,
      )
      marked++
    }
    return marked
  }

  test.each([
    ['1 node', 1, ['z'], 0],
    ['2 nodes', 2, ['z', 'z'], 1],
    ['1 zone of 3', 3, ['z', 'z', 'z'], 2],
    ['3 zones of 1', 3, ['x', 'y', 'z'], 2],
    ['4 nodes', 4, ['z', 'z', 'z', 'z'], 2],
    ['5 nodes', 3, ['z', 'z', 'z', 'z', 'z'], 2],
    ['6 nodes', 3, ['x', 'x', 'y', 'y', 'z', 'z'], 2],
    ['20 nodes of 4 zones', 4, Array.from({ length: 20 }, (_, index) => `z${index % 4}`), 4],
    ['20 nodes of 4 zones', 6, Array.from({ length: 20 }, (_, index) => `z${index % 4}`), 4],
    ['20 nodes, a small zone', 4, Array.from({ length: 20 }, (_, index) => (index < 5 ? 'x' : 'y')), 2],
  ])('of %s, %i deaths within a minute', (_name, deaths, zones, marked) => {
    expect(markedOf(deaths, zones, 1_000)).toBe(marked)
  })

  test('nodes that died minutes apart, or were NotReady long before, do not count; the last Ready one is never marked', () => {
    const six = ['z', 'z', 'z', 'z', 'z', 'z']
    expect(markedOf(6, six, 70_000)).toBe(5)
    expect(markedOf(2, six, 1_000, [4, 5])).toBe(2)
  })
})
