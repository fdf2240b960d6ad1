/** What is read of a pod where only its metadata is: its labels, and whom it belongs to. Pure. */
import { workloadOf } from '../../measures/workloads.ts'

export interface PodMetadata {
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly resourceVersion: string
    readonly labels?: Readonly<Record<string, string>> | null
    readonly ownerReferences?:
      | readonly { readonly kind: string; readonly name: string; readonly controller?: boolean }[]
      | null
  }
}

/** That a Deployment gives the pods of each of its ReplicaSets, and their names. */
const TEMPLATE_HASH = 'pod-template-hash'

/** By its controller: of a ReplicaSet that a Deployment made, the Deployment. A pod that has none is its own. */
export function ownerOf({ metadata }: PodMetadata): string {
  const { name, labels, ownerReferences } = metadata
  const owner = ownerReferences?.find(({ controller }) => controller === true)
  if (owner === undefined) return name
  // A static pod is its node's: whatever else it belongs to, its name says.
  if (owner.kind === 'Node') return workloadOf(name)
  const hash = labels?.[TEMPLATE_HASH]
  const made = hash === undefined ? '' : `-${hash}`
  return owner.kind === 'ReplicaSet' && made !== '' && owner.name.endsWith(made)
    ? owner.name.slice(0, -made.length)
    : owner.name
}
