/** One pass over one node: from what it shows to what should show, in an order that a crash cannot spoil. */
import { setTimeout as wait } from 'node:timers/promises'
import { ApiError } from './api-error.ts'
import type { Cluster } from './cluster.ts'
import type { Desired } from './marking/desired.ts'
import { hasOwnReady, statusChanges, taintsAfter, type Writing } from './marking/node-marks.ts'
import { conditionOf, type NodeObject } from './marking/objects.ts'
import { mayHaveMarkedPods } from './marking/shown.ts'
import type { PodWriter } from './pod-writer.ts'

/** Writers that keep a Node busy leave a gap of some milliseconds. */
const CONFLICTS_MAX = 20
const CONFLICT_GAP_MS = 10

/** What was written; `pods` is how many. `isAlive`: its kubelet wrote meanwhile, so the rest was left. */
export interface Written {
  readonly ready: 'marked' | 'undone' | undefined
  readonly condition: boolean
  readonly taint: boolean
  readonly pods: number
  readonly isAlive: boolean
}

export interface Pass {
  readonly cluster: Cluster
  readonly node: NodeObject
  readonly desired: Desired
  readonly pods: PodWriter
  /** False once the pods were marked for this verdict: each is written once. */
  readonly marksPods: boolean
  readonly writing: () => Writing
}

/**
 * A mark begins with the Node, whose condition is the record that the rest is found by, and an undoing ends with it.
 * Throws ApiError and NotLeading; a pass that follows goes on from what is there.
 */
export async function carryOut(pass: Pass): Promise<Written> {
  const { node, desired, pods, marksPods } = pass
  const isUndoing = !desired.pods && (pods.hasMarked || mayHaveMarkedPods(node))
  const undone = isUndoing ? await pods.undo() : 0
  const onNode = await writeNode(pass)
  if (!desired.pods || !marksPods || onNode.isAlive) return { ...onNode, pods: undone }
  const { marked, isAlive } = await pods.mark(desired.condition?.says ?? '')
  return { ...onNode, pods: marked, isAlive }
}

async function writeNode({ cluster, node, desired, writing }: Pass): Promise<Omit<Written, 'pods'>> {
  const { name } = node.metadata
  let shown: NodeObject | undefined = node
  let ready: Written['ready']
  let condition = false
  let taint = false
  for (let conflicts = 0; shown !== undefined; ) {
    try {
      const changes = statusChanges(shown, desired, writing())
      if (changes.length > 0) {
        const { resourceVersion } = shown.metadata
        shown = await cluster.patchNodeStatus(name, {
          metadata: { resourceVersion },
          status: { conditions: changes },
        })
        if (changes.some(({ type }) => type === 'Ready')) ready = hasOwnReady(shown) ? 'marked' : 'undone'
        condition = true
      }
      const taints = taintsAfter(shown, desired, writing())
      if (taints === undefined) break
      shown = await cluster.setTaints(name, shown.metadata.resourceVersion, taints)
      taint = true
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind !== 'conflict' || ++conflicts > CONFLICTS_MAX) throw error
      // Somebody wrote first: decided anew on what is there now.
      await wait(CONFLICT_GAP_MS)
      shown = await cluster.node(name)
      const hasBeaten = shown !== undefined && heartbeatOn(shown) !== heartbeatOn(node)
      if (hasBeaten && (desired.ready !== undefined || desired.pods)) return { ready, condition, taint, isAlive: true }
    }
  }
  return { ready, condition, taint, isAlive: false }
}

/** Only the kubelet sets it. */
function heartbeatOn(node: NodeObject): string | undefined {
  return conditionOf(node, 'Ready')?.lastHeartbeatTime
}
