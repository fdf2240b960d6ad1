/**
 * What a cluster shows of one node, sampled: its Ready, its pods, and who of them is in endpoints. Lists come from the API
 * server's watch cache, which is what watches such as kube-proxy's are fed from, and cost it little.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { conditionOf, type EndpointSlice, type Endpoints, isReady, type Pod } from '../control-plane/objects.ts'
import type { ControlPlaneStage } from '../control-plane/stage.ts'
import { podPrefix, type Workload } from './workload.ts'

const LOOK_EVERY_MS = 100
const CACHED = 'resourceVersion=0'

export interface Shown {
  /** When the last of the answers had come; wall clock, as events have it. */
  readonly atMs: number
  /** Status and reason: `False StarlingNodeDown`. */
  readonly ready: string
  /** Pods of the node that some Endpoints, or some EndpointSlice, sends to. */
  readonly inEndpoints: number
  readonly inSlices: number
  readonly readyPods: number
}

interface List<T> {
  readonly items: readonly T[]
}

/** Samples ten times a second, or as fast as the server answers, until `isOver`, or for so long. What fails is left out. */
export async function follow(
  stage: ControlPlaneStage,
  node: string,
  isOver: (shown: Shown) => boolean,
  withinMs: number,
): Promise<readonly Shown[]> {
  const deadline = performance.now() + withinMs
  const samples: Shown[] = []
  while (performance.now() < deadline) {
    const [shown] = await Promise.all([look(stage, node).catch(() => undefined), wait(LOOK_EVERY_MS)])
    if (shown === undefined) continue
    samples.push(shown)
    if (isOver(shown)) break
  }
  return samples
}

async function look({ cluster, plane: { admin } }: ControlPlaneStage, node: string): Promise<Shown> {
  const slicesIn = `/apis/${await slicesVersion(admin)}/namespaces/default/endpointslices`
  const [seen, pods, endpoints, slices] = await Promise.all([
    cluster.node(node),
    admin.get<List<Pod>>(`/api/v1/namespaces/default/pods?fieldSelector=spec.nodeName%3D${node}&${CACHED}`),
    admin.get<List<Endpoints>>(`/api/v1/namespaces/default/endpoints?${CACHED}`),
    admin.get<List<EndpointSlice>>(`${slicesIn}?${CACHED}`),
  ])
  const addresses = endpoints.items.flatMap(({ subsets = [] }) => subsets.flatMap((subset) => subset.addresses ?? []))
  const sliced = slices.items.flatMap((slice) => slice.endpoints ?? [])
  const ready = conditionOf(seen, 'Ready')
  const ours = (all: readonly { readonly targetRef?: { readonly name: string } }[]) => {
    return new Set(
      all.flatMap(({ targetRef }) => targetRef?.name ?? []).filter((name) => name.startsWith(podPrefix(node))),
    )
  }
  return {
    atMs: Date.now(),
    ready: `${ready?.status} ${ready?.reason}`,
    inEndpoints: ours(addresses).size,
    inSlices: ours(sliced.filter(({ conditions }) => conditions.ready !== false)).size,
    readyPods: pods.items.filter(isReady).length,
  }
}

const versions = new WeakMap<object, Promise<string>>()

/** Which the server prefers; asked once. */
function slicesVersion(admin: ControlPlaneStage['plane']['admin']): Promise<string> {
  const known = versions.get(admin)
  if (known !== undefined) return known
  const asked = admin
    .get<{ preferredVersion: { groupVersion: string } }>('/apis/discovery.k8s.io')
    .then(({ preferredVersion }) => preferredVersion.groupVersion)
  versions.set(admin, asked)
  return asked
}

export function isMarked({ ready }: Shown): boolean {
  return ready === 'False StarlingNodeDown'
}

export function isUnserved({ inEndpoints, inSlices }: Shown): boolean {
  return inEndpoints === 0 && inSlices === 0
}

export function isServed({ inEndpoints, inSlices }: Shown, { served }: Workload): boolean {
  return inEndpoints === served && inSlices === served
}

/** As before any fault. */
export function isComplete(shown: Shown, workload: Workload): boolean {
  return shown.ready.startsWith('True ') && isServed(shown, workload) && shown.readyPods === workload.pods
}

/** When it was first so; undefined when it never was. */
export function firstAtMs(samples: readonly Shown[], is: (shown: Shown) => boolean): number | undefined {
  return samples.find(is)?.atMs
}

/** Seconds that pods were not in endpoints, added up over the pods: each sample holds until the next. */
export function secondsOut(samples: readonly Shown[], { served }: Workload): number {
  const parts = samples.map(({ atMs, inEndpoints, inSlices }, index) => {
    const untilMs = samples[index + 1]?.atMs ?? atMs
    return ((served - Math.min(inEndpoints, inSlices)) * (untilMs - atMs)) / 1_000
  })
  return parts.reduce((sum, part) => sum + part, 0)
}
