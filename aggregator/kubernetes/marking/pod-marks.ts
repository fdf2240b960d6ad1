/** Which pods of a node are marked, in which order, and which of those marks may be undone. */
import { conditionOf, type PodObject, type StatusPatch } from './objects.ts'

const POD_REASON = 'StarlingNodeDown'
const ENDED_PHASES = ['Succeeded', 'Failed']
const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror'

/** Whether Ready=False on this pod is our doing. */
export function isMarkedPod(pod: PodObject): boolean {
  const ready = conditionOf(pod, 'Ready')
  return ready?.status === 'False' && ready.reason === POD_REASON
}

/**
 * All that say they are Ready and run: terminating, host network, DaemonSet and mirror pods included. Those that are
 * likely to be behind a Service come first; asking which are would take a right and a LIST more.
 */
export function podsToMark(pods: readonly PodObject[]): readonly PodObject[] {
  const ready = pods.filter((pod) => {
    return !ENDED_PHASES.includes(pod.status?.phase ?? '') && conditionOf(pod, 'Ready')?.status === 'True'
  })
  return [...ready.filter((pod) => !servesItsNode(pod)), ...ready.filter(servesItsNode)]
}

export function markOf(pod: PodObject, says: string, now: string): StatusPatch {
  return patchOf(pod, {
    status: 'False',
    reason: POD_REASON,
    message: says,
    lastTransitionTime: now,
  })
}

/** Ready again: as the kubelet writes it, without a reason. */
export function undoOf(pod: PodObject, now: string): StatusPatch {
  return patchOf(pod, { status: 'True', reason: null, message: null, lastTransitionTime: now })
}

/** As far as it is ours it goes: where it could not be undone, the pod stays not Ready for a reason that is not ours. */
export function releaseOf(pod: PodObject, now: string): StatusPatch {
  if (mayUndo(pod)) return undoOf(pod, now)
  const lastTransitionTime = conditionOf(pod, 'Ready')?.lastTransitionTime ?? now
  return patchOf(pod, { status: 'False', reason: 'ContainersNotReady', message: null, lastTransitionTime })
}

/** Ours, and without our mark it would be Ready: its containers are, and so is every gate that it declares. */
export function mayUndo(pod: PodObject): boolean {
  const needed = ['ContainersReady', ...(pod.spec?.readinessGates ?? []).map(({ conditionType }) => conditionType)]
  return isMarkedPod(pod) && needed.every((type) => conditionOf(pod, type)?.status === 'True')
}

function patchOf(
  { metadata }: PodObject,
  ready: { readonly status: string; readonly reason: string | null; readonly message: string | null } & {
    readonly lastTransitionTime: string
  },
): StatusPatch {
  const { resourceVersion } = metadata
  return { metadata: { resourceVersion }, status: { conditions: [{ type: 'Ready', ...ready }] } }
}

function servesItsNode({ metadata, spec }: PodObject): boolean {
  const isDaemon = metadata.ownerReferences?.some(({ kind }) => kind === 'DaemonSet') === true
  return isDaemon || spec?.hostNetwork === true || metadata.annotations?.[MIRROR_ANNOTATION] !== undefined
}
