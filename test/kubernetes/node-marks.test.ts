/** Which writes to a Node and its pods follow from what they show, and how each is undone. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { desiredMarks, nothingDesired } from '../../aggregator/kubernetes/marking/desired.ts'
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
  type Taint,
} from '../../aggregator/kubernetes/marking/objects.ts'
import { markOf, mayUndo, podsToMark, undoOf } from '../../aggregator/kubernetes/marking/pod-marks.ts'
import { showsLife, verdictOn } from '../../aggregator/kubernetes/marking/shown.ts'
import { timesAt } from '../../aggregator/kubernetes/times.ts'
import type { VerdictKind } from '../../mesh/core/model.ts'
import { type MarkingSettings, readMarking } from '../../settings/marking.ts'
import { applied, finding, MARKING, standing, verdict, WALL_MS, WRITING } from './cases.ts'
import { merged } from './fake-cluster.ts'
import { BEATEN_AT, node, pod, READY } from './objects.ts'

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
    const at = (hours: number) =>
      statusChanges(marked, desired, { term: 9, times: timesAt(WALL_MS + hours * 3_600_000) })
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
    // Undone by one of ours: a kubelet knows nothing of our condition, and leaves it there.
    expect(showsLife(node('a'), standing(), true)).toBe(false)
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
      return merged(before, markOf(before, 'down', WRITING.times.now))
    }
    expect(mayUndo(marked())).toBe(true)
    expect(mayUndo(marked({ gates }))).toBe(true)
    expect(mayUndo(marked({ gates: [['gate', 'False']] }))).toBe(false)
    expect(mayUndo(marked({ containersReady: 'False' }))).toBe(false)
    expect(mayUndo(pod('web', 'a', { ready: { status: 'False', reason: 'ContainersNotReady' } }))).toBe(false)
    expect(mayUndo(pod('web', 'a'))).toBe(false)
    const before = pod('web', 'a')
    const undone = merged(marked(), undoOf(marked(), BEATEN_AT))
    expect(undone).toEqual(before)
  })
})
