/** What the roster takes from a Node object; all else in it may change without an epoch. */
import { isIP } from 'node:net'
import { type NodeObject, poolOf, zoneOf } from '../marking/objects.ts'

export interface ListedNode {
  readonly name: string
  readonly uid: string
  /** Empty where no label names one. */
  readonly zone: string
  readonly roles: readonly string[]
  /** Undefined where no label names one. */
  readonly pool: string | undefined
  /** InternalIP addresses of all families; a host name is never resolved. */
  readonly hosts: readonly string[]
  /** As its kubelet says; undefined before it has. */
  readonly kubeletPort: number | undefined
}

const ROLE_LABEL = 'node-role.kubernetes.io/'

/** What a roster holds of one member at most (mesh/identity/signed-roster.ts). */
const HOSTS_MAX = 8
const ROLES_MAX = 32
const ROLE_CHARS_MAX = 63

/** Undefined for what is no whole Node object: it has no name or no uid. */
export function listedNode(object: NodeObject): ListedNode | undefined {
  const { name, uid } = object.metadata ?? {}
  if (!name || !uid) return undefined
  const addresses = object.status?.addresses ?? []
  const hosts = addresses.filter(({ type, address }) => type === 'InternalIP' && isIP(address) !== 0)
  return {
    name,
    uid,
    zone: zoneOf(object),
    roles: rolesOf(object),
    hosts: hosts.map(({ address }) => address).slice(0, HOSTS_MAX),
    pool: poolOf(object) || undefined,
    // Zero means: not said.
    kubeletPort: object.status?.daemonEndpoints?.kubeletEndpoint?.Port || undefined,
  }
}

/** By its labels, as `kubectl get nodes` shows them. */
export function rolesOf({ metadata: { labels = {} } }: NodeObject): readonly string[] {
  return Object.keys(labels)
    .filter((label) => label.startsWith(ROLE_LABEL))
    .map((label) => label.slice(ROLE_LABEL.length))
    .filter((role) => role !== '' && role.length <= ROLE_CHARS_MAX)
    .toSorted()
    .slice(0, ROLES_MAX)
}
