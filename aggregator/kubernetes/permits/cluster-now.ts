/** Nodes and pods of a cluster as they are at this moment: listed anew from etcd's quorum, never from a cache. */
import type { ClusterNow } from '../../permits/outside.ts'
import type { KubeClient, ResourceRef } from '../client.ts'
import type { NodeObject, PodObject } from '../marking/objects.ts'
import { type KuredPlace, readKuredLock } from './kured.ts'
import { nodeNow } from './node-now.ts'

/** So that one page of Nodes fits into the time of one request; all pages are of one moment. */
const PAGE = 500

const PODS: ResourceRef = { group: '', resource: 'pods' }
const NODES: ResourceRef = { group: '', resource: 'nodes' }
/** Pods that have run to their end are disturbed by nothing. */
const RUNNING = 'status.phase!=Succeeded,status.phase!=Failed'

interface Page<T> {
  readonly metadata?: { readonly continue?: string }
  readonly items?: readonly T[] | null
}

/** `kured`: where it is; undefined where there is none to be asked about. */
export function createClusterNow({ call }: Pick<KubeClient, 'call'>, kured?: KuredPlace): ClusterNow {
  /** A LIST that names no resourceVersion is consistent (Kubernetes' API concepts); that of a later page is the first's. */
  const list = async <T>(ref: ResourceRef, query: Readonly<Record<string, string>>): Promise<readonly T[]> => {
    const items: T[] = []
    let next = ''
    do {
      const page = { limit: String(PAGE), ...query, ...(next === '' ? {} : { continue: next }) }
      const { metadata, items: more } = await call<Page<T>>({ verb: 'list', ref, query: page })
      items.push(...(more ?? []))
      next = metadata?.continue ?? ''
    } while (next !== '')
    return items
  }

  return {
    read: async (podSelectors) => {
      const podsOn = new Map<string, Set<string>>()
      for (const labelSelector of podSelectors) {
        for (const { metadata, spec } of await list<PodObject>(PODS, { labelSelector, fieldSelector: RUNNING })) {
          if (spec?.nodeName === undefined) continue
          const pods = podsOn.get(spec.nodeName) ?? new Set()
          podsOn.set(spec.nodeName, pods.add(`${metadata.namespace}/${metadata.name}`))
        }
      }
      const locked = kured === undefined ? new Set<string>() : await readKuredLock({ call }, kured, Date.now())
      const nodes = await list<NodeObject>(NODES, {})
      return new Map(
        nodes.map((node) => {
          const { name } = node.metadata
          return [name, nodeNow(node, [...(podsOn.get(name) ?? [])], locked.has(name))]
        }),
      )
    },
  }
}
