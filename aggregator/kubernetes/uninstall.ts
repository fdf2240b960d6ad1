/** Takes everything of ours off a cluster, with nothing but access to it: no aggregator need run, and none should. */
import { ApiError } from './api-error.ts'
import type { Call, KubeClient } from './client.ts'
import { createCluster } from './cluster.ts'
import { nothingDesired } from './marking/desired.ts'
import { declaresGate, openGate, waitsForGate } from './marking/gates.ts'
import {
  hasOwnMarks,
  hasOwnReady,
  hasOwnTaint,
  OWN_CONDITION,
  statusChanges,
  taintsAfter,
} from './marking/node-marks.ts'
import { conditionOf, type NodeObject, type PodObject } from './marking/objects.ts'
import { isMarkedPod, releaseOf } from './marking/pod-marks.ts'
import { PERMITS_OBJECT } from './permits/book-object.ts'
import { GROUP, RESOURCE, type RemediationObject } from './remediations/rules/object.ts'
import { ROSTER_OBJECT } from './roster/epoch-record.ts'
import type { Times } from './times.ts'

/** Whole objects of ours, in whichever namespace the aggregator was. */
const OWN_OBJECTS = [
  { kind: 'Lease', ref: { group: 'coordination.k8s.io', resource: 'leases' }, name: 'starling-aggregator' },
  { kind: 'ConfigMap', ref: { group: '', resource: 'configmaps' }, name: ROSTER_OBJECT },
  { kind: 'ConfigMap', ref: { group: '', resource: 'configmaps' }, name: PERMITS_OBJECT },
] as const

/** One thing of ours that was taken off, or would be. */
export interface Removal {
  /** `pod gate`: opened, and left so, since without its condition the pod would never be Ready again. */
  readonly kind:
    | 'pod condition'
    | 'pod gate'
    | 'node Ready'
    | 'node condition'
    | 'taint'
    | 'Lease'
    | 'ConfigMap'
    | 'Remediation'
  readonly name: string
  /** Of the Lease: an aggregator that runs has it, one that was stopped has given it up. */
  readonly holder?: string
}

/** The parts that are read. */
interface OwnObject {
  readonly metadata: { readonly namespace: string }
  readonly spec?: { readonly holderIdentity?: string }
}

export interface Uninstalled {
  readonly removals: readonly Removal[]
  /** Pods that declare our gate, as `namespace/name`: what is made after their pattern would wait for it for ever. */
  readonly gated: readonly string[]
}

interface List<T> {
  readonly items?: readonly T[] | null
}

export interface UninstallOptions {
  /** Only says what. */
  readonly dryRun: boolean
  readonly times: Times
}

/** What kubelets wrote between the reading and the writing is gone through again, this often at most. */
const PASSES_MAX = 20

/** Throws ApiError; run again, it goes on where it stopped. */
export async function uninstall(client: Pick<KubeClient, 'call'>, options: UninstallOptions): Promise<Uninstalled> {
  const all = new Map<string, Removal>()
  for (let pass = 1; ; pass++) {
    const { removals, gated, beatenBy } = await goThrough(client, options)
    for (const removal of removals) all.set(`${removal.kind} ${removal.name}`, removal)
    if (beatenBy === undefined) return { removals: [...all.values()], gated }
    if (pass === PASSES_MAX) throw beatenBy
  }
}

/** Pods first, so that one that was broken off finds the rest again by the Nodes. */
async function goThrough(
  client: Pick<KubeClient, 'call'>,
  { dryRun, times }: UninstallOptions,
): Promise<Uninstalled & { readonly beatenBy: ApiError | undefined }> {
  let beatenBy: ApiError | undefined
  /** Somebody who writes first is no failure yet, and what is gone needs nothing. */
  const attempt = async (write: () => Promise<unknown>): Promise<void> => {
    try {
      if (!dryRun) await write()
    } catch (error) {
      if (!(error instanceof ApiError) || (error.kind !== 'conflict' && error.kind !== 'not-found')) throw error
      if (error.kind === 'conflict') beatenBy = error
    }
  }
  const cluster = createCluster(client)
  const list = async <T>(call: Omit<Call, 'verb'>) =>
    (await client.call<List<T>>({ verb: 'list', ...call })).items ?? []
  const removals: Removal[] = []

  const pods = await list<PodObject>({ ref: { group: '', resource: 'pods' } })
  for (const pod of pods) {
    let now = pod
    // First: Ready is given back only to a pod whose gates are open.
    if (waitsForGate(pod)) {
      removals.push({ kind: 'pod gate', name: nameOf(pod) })
      await attempt(async () => {
        now = await cluster.patchPodStatus(pod, openGate(pod, times.now))
      })
    }
    if (!isMarkedPod(pod)) continue
    removals.push({ kind: 'pod condition', name: nameOf(pod) })
    await attempt(() => cluster.patchPodStatus(now, releaseOf(now, times.now)))
  }
  const nodes = await list<NodeObject>({ ref: { group: '', resource: 'nodes' } })
  for (const node of nodes.filter(hasOwnMarks)) {
    removals.push(...removalsOf(node))
    await attempt(() => release(node))
  }
  for (const { kind, ref, name } of OWN_OBJECTS) {
    const query = { fieldSelector: `metadata.name=${name}` }
    for (const { metadata, spec } of await list<OwnObject>({ ref, query })) {
      const { namespace } = metadata
      const holder = spec?.holderIdentity ?? ''
      removals.push({ kind, name: `${namespace}/${name}`, ...(holder === '' ? {} : { holder }) })
      await attempt(() => client.call({ verb: 'delete', ref: { ...ref, namespace, name } }))
    }
  }
  for (const { metadata } of await remediations()) {
    const { name } = metadata
    removals.push({ kind: 'Remediation', name })
    await attempt(() => client.call({ verb: 'delete', ref: { group: GROUP, resource: RESOURCE, name } }))
  }
  return { removals, gated: pods.filter(declaresGate).map(nameOf), beatenBy }

  /** None where their definition is not installed. */
  async function remediations(): Promise<readonly RemediationObject[]> {
    try {
      return await list<RemediationObject>({ ref: { group: GROUP, resource: RESOURCE } })
    } catch (error) {
      if (error instanceof ApiError && error.kind === 'not-found') return []
      throw error
    }
  }

  async function release(node: NodeObject): Promise<void> {
    const writing = { term: 0, times }
    const desired = nothingDesired('observe')
    const conditions = statusChanges(node, desired, writing)
    const { name, resourceVersion } = node.metadata
    const patch = { metadata: { resourceVersion }, status: { conditions } }
    const shown = conditions.length === 0 ? node : await cluster.patchNodeStatus(name, patch)
    const taints = taintsAfter(shown, desired, writing)
    if (taints !== undefined) await cluster.setTaints(name, shown.metadata.resourceVersion, taints)
  }
}

function nameOf({ metadata }: PodObject): string {
  return `${metadata.namespace}/${metadata.name}`
}

function removalsOf(node: NodeObject): readonly Removal[] {
  const { name } = node.metadata
  return [
    ...(hasOwnReady(node) ? [{ kind: 'node Ready', name } as const] : []),
    ...(conditionOf(node, OWN_CONDITION) === undefined ? [] : [{ kind: 'node condition', name } as const]),
    ...(hasOwnTaint(node) ? [{ kind: 'taint', name } as const] : []),
  ]
}
