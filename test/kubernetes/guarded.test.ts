/** Writes of a process that leads no more when they are over: those that came late are taken back, and nothing else. */
import { beforeEach, describe, expect, test } from 'vitest'
import { ApiError } from '../../aggregator/kubernetes/api-error.ts'
import { type Cluster, guarded, NotLeading } from '../../aggregator/kubernetes/cluster.ts'
import { desiredMarks } from '../../aggregator/kubernetes/marking/desired.ts'
import { hasOwnMarks, statusChanges } from '../../aggregator/kubernetes/marking/node-marks.ts'
import type { NodeObject, PodObject } from '../../aggregator/kubernetes/marking/objects.ts'
import { isMarkedPod, markOf } from '../../aggregator/kubernetes/marking/pod-marks.ts'
import { timesAt } from '../../aggregator/kubernetes/times.ts'
import { MARKING, verdict, WALL_MS, WRITING } from './cases.ts'
import { createFakeCluster, type FakeCluster } from './fake-cluster.ts'
import { BEATEN_AT, node, pod } from './objects.ts'

/** Of the next leader. */
const NEXT = { term: 8, times: timesAt(WALL_MS + 20_000) }

let cluster: FakeCluster
let mayWrite: boolean
let own: Cluster

beforeEach(() => {
  cluster = createFakeCluster()
  cluster.putNode(node('a'))
  cluster.putPod(pod('web', 'a'))
  mayWrite = true
  const authority = { term: 7, mayWrite: () => mayWrite, renewals: { firstSince: () => undefined } }
  own = guarded(cluster, authority, () => NEXT.times)
})

const shown = (): NodeObject => cluster.nodeOf('a') ?? node('gone')
const thePod = (): PodObject => cluster.pods[0] ?? pod('gone', 'a')
const patchOf = (writing: typeof WRITING) => {
  const conditions = statusChanges(shown(), desiredMarks(verdict(), 'ready', MARKING), writing)
  return { metadata: { resourceVersion: shown().metadata.resourceVersion }, status: { conditions } }
}
const markNode = () => own.patchNodeStatus('a', patchOf(WRITING))
const markPod = () => own.patchPodStatus(thePod(), markOf(thePod(), 'down', BEATEN_AT))

describe.each(['timeout', 'unreachable', 'server'] as const)('a write that nobody answered (%s)', (kind) => {
  const unanswered = () => {
    throw new ApiError(kind, 0, 'no answer')
  }
  /** Stopped meanwhile: when it goes on, another leads. */
  const goesOnLate = () => {
    if (!mayWrite) return
    mayWrite = false
    unanswered()
  }

  test('by a process that leads no more is taken back where it was carried out', async () => {
    cluster.after = goesOnLate
    await expect(markNode()).rejects.toThrow(NotLeading)
    expect(hasOwnMarks(shown())).toBe(false)
    mayWrite = true
    await expect(markPod()).rejects.toThrow(NotLeading)
    expect(isMarkedPod(thePod())).toBe(false)
  })

  test('and was not carried out leaves what the next leader wrote', async () => {
    cluster.before = (request) => {
      if (!request.startsWith('patch') || !mayWrite) return
      mayWrite = false
      void cluster.patchNodeStatus('a', patchOf(NEXT))
      unanswered()
    }
    await expect(markNode()).rejects.toThrow(NotLeading)
    expect(hasOwnMarks(shown())).toBe(true)
  })

  test('leaves pods of a Node that is marked to who leads now', async () => {
    await markNode()
    cluster.after = goesOnLate
    await expect(markPod()).rejects.toThrow(NotLeading)
    expect(isMarkedPod(thePod())).toBe(true)
  })

  test('by the leader is its own to look into: nothing is taken back', async () => {
    cluster.after = unanswered
    await expect(markNode()).rejects.toMatchObject({ kind })
    await expect(markPod()).rejects.toMatchObject({ kind })
    expect([hasOwnMarks(shown()), isMarkedPod(thePod())]).toEqual([true, true])
  })
})

test('a conflict is no such write: somebody else wrote', async () => {
  cluster.before = (request) => {
    if (request !== 'patch nodes/status') return
    mayWrite = false
    throw new ApiError('conflict', 409, 'modified')
  }
  await expect(markNode()).rejects.toMatchObject({ kind: 'conflict' })
})
