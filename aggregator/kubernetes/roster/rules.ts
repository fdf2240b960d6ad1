/**
 * The next roster, from the Node objects of the cluster and the certificates of enrolled agents: a member is a node that
 * has both. What goes beyond the brakes waits for a person. Pure.
 */
import type { Member, Roster } from '../../../mesh/core/model.ts'
import type { Enrolment } from '../../../mesh/identity/enrolment.ts'
import { type ChurnState, whyGrowthWaits, whyRemovalsWait } from './churn.ts'
import type { ListedNode } from './listed-node.ts'

export interface RosterFacts extends ChurnState {
  readonly inForce: Roster
  /** Undefined: not known. None at all is believed of no cluster. */
  readonly nodes: readonly ListedNode[] | undefined
  /** Valid ones, the latest of each name. */
  readonly enrolments: ReadonlyMap<string, Enrolment>
  /** The serial under which each name was last a member, of those that are none now. */
  readonly retired: ReadonlyMap<string, number>
  /** The mesh is in its founding epoch: growth needs nobody. */
  readonly isFounding: boolean
  /** Changes that a person let through, by `keyOf`. */
  readonly allowed: ReadonlySet<string>
  /** Where agents listen that were not members before. */
  readonly agentPort: number
}

/**
 * `replaced`: another machine has the name. `renewed`: the same one has another key or serial. `updated`: it is elsewhere,
 * or has other labels.
 */
export interface Change {
  readonly kind: 'added' | 'removed' | 'replaced' | 'renewed' | 'updated'
  readonly node: string
  readonly why: string
  /** As it will be; undefined when it goes. */
  readonly member: Member | undefined
}

export interface Held {
  readonly kind: 'removals' | 'growth'
  readonly changes: readonly Change[]
  readonly why: string
}

/** A Node without a member, or an enrolled agent without a Node. */
export interface Uncovered {
  readonly node: string
  readonly why: string
}

export interface RosterDecision {
  /** Sorted by name; undefined when nothing changes. */
  readonly members: readonly Member[] | undefined
  readonly changes: readonly Change[]
  readonly held: readonly Held[]
  readonly uncovered: readonly Uncovered[]
}

const NOTHING: RosterDecision = { members: undefined, changes: [], held: [], uncovered: [] }

const DEFAULT_KUBELET_PORT = 10_250

const WAITS = 'too many are new: they wait for a person'
const HAS_OTHER_KEY = 'its key is that of another member'

export function decideRoster(facts: RosterFacts): RosterDecision {
  const { inForce, nodes = [], isFounding, allowed } = facts
  if (nodes.length === 0) return NOTHING
  const { wanted, uncovered } = wantedChanges(facts, nodes)
  const waits = (change: Change) => !allowed.has(keyOf(change))
  const removals = wanted.filter((change) => losesMachine(change) && waits(change))
  const growth = wanted.filter((change) => change.kind === 'added' && waits(change))
  const held = [
    heldAs('removals', removals, whyRemovalsWait(removals.length, facts)),
    heldAs('growth', growth, isFounding ? undefined : whyGrowthWaits(growth.length, facts)),
  ].flat()
  const kept = new Set(held.flatMap(({ changes }) => changes))
  const free = wanted.filter((change) => !kept.has(change))
  const changes = withoutDoubleKeys(inForce.members, free)
  const notYet = [
    ...growth.filter((change) => kept.has(change)).map(({ node }) => ({ node, why: WAITS })),
    ...free.filter((change) => !changes.includes(change)).map(({ node }) => ({ node, why: HAS_OTHER_KEY })),
  ]
  const next = new Map(inForce.members.map((member) => [member.node, member]))
  for (const { node, member } of changes) {
    if (member === undefined) next.delete(node)
    else next.set(node, member)
  }
  return {
    members: changes.length === 0 ? undefined : [...next.values()].toSorted((a, b) => (a.node < b.node ? -1 : 1)),
    changes,
    held,
    uncovered: [...uncovered, ...notYet].toSorted((a, b) => (a.node < b.node ? -1 : 1)),
  }
}

/** The same for the same change, so that what a person let through is known again. */
export function keyOf({ kind, node, member }: Change): string {
  return `${kind} ${node} ${member?.uid ?? ''} ${member?.serial ?? ''}`
}

/** Whether a machine that had a say has none any more. */
export function losesMachine({ kind }: Change): boolean {
  return kind === 'removed' || kind === 'replaced'
}

/** How many machines an epoch took away, and how many names it brought. */
export function churnBetween(before: Roster, after: Roster): { readonly removed: number; readonly added: number } {
  const known = new Map(before.members.map(({ node, uid }) => [node, uid]))
  const isOther = ({ node, uid }: Member) => known.get(node) !== undefined && known.get(node) !== uid
  return {
    removed: retiredBy(before, after).length + after.members.filter(isOther).length,
    added: after.members.filter(({ node }) => !known.has(node)).length,
  }
}

/** Those that are members no more: under their serials they never come back. */
export function retiredBy(before: Roster, after: Roster): readonly Member[] {
  const stay = new Set(after.members.map(({ node }) => node))
  return before.members.filter(({ node }) => !stay.has(node))
}

function wantedChanges(
  { inForce, enrolments, retired, agentPort }: RosterFacts,
  nodes: readonly ListedNode[],
): { readonly wanted: readonly Change[]; readonly uncovered: readonly Uncovered[] } {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const members = new Set(inForce.members.map(({ node }) => node))
  const aggregators = new Set(inForce.aggregators.map(({ node }) => node))
  const wanted = inForce.members.flatMap((member) => {
    return changeOf(member, byName.get(member.node), enrolments.get(member.node))
  })
  const uncovered: Uncovered[] = []
  for (const node of nodes) {
    const { name } = node
    if (members.has(name) || aggregators.has(name)) continue
    const enrolment = enrolments.get(name)
    const why = whyUncovered(node, enrolment, retired.get(name))
    if (why !== undefined || enrolment === undefined) uncovered.push({ node: name, why: why ?? '' })
    else {
      const port = { meshPort: agentPort, kubeletPort: DEFAULT_KUBELET_PORT }
      const member = placed({ ...identityOf(enrolment), hosts: [], ...port }, node, enrolment)
      wanted.push({ kind: 'added', node: name, why: 'its Node exists and its agent is enrolled', member })
    }
  }
  for (const name of enrolments.keys()) {
    if (byName.has(name) || members.has(name) || aggregators.has(name)) continue
    uncovered.push({ node: name, why: 'an agent is enrolled under this name, but there is no such Node' })
  }
  return { wanted, uncovered }
}

function changeOf(member: Member, node: ListedNode | undefined, enrolment: Enrolment | undefined): readonly Change[] {
  const name = member.node
  if (node === undefined) return [{ kind: 'removed', node: name, why: 'its Node is gone', member: undefined }]
  const isOther = member.uid !== undefined && member.uid !== node.uid
  if (enrolment !== undefined && enrolment.serial > member.serial) {
    const next = placed({ ...member, ...identityOf(enrolment) }, node, enrolment)
    return isOther
      ? [{ kind: 'replaced', node: name, why: 'another Node has its name, and has enrolled', member: next }]
      : [{ kind: 'renewed', node: name, why: 'its agent enrolled anew', member: next }]
  }
  if (isOther) {
    const why = 'another Node has its name, and has not enrolled yet'
    return [{ kind: 'removed', node: name, why, member: undefined }]
  }
  const next = placed(member, node, enrolment)
  if (isSame(member, next)) return []
  const why = member.uid === undefined ? 'it is this Node from now on' : 'its addresses or labels changed'
  return [{ kind: 'updated', node: name, why, member: next }]
}

function whyUncovered(
  node: ListedNode,
  enrolment: Enrolment | undefined,
  retired: number | undefined,
): string | undefined {
  if (enrolment === undefined) return 'no agent has enrolled on it'
  if (retired !== undefined && enrolment.serial <= retired) {
    return 'its enrolment is that of an earlier Node of this name: it must enrol anew'
  }
  return node.hosts.length === 0 ? 'its Node has no InternalIP address' : undefined
}

/** Where the Node says it is; what the Node does not say stays. */
function placed({ pool: _, ...member }: Member, node: ListedNode, enrolment: Enrolment | undefined): Member {
  return {
    ...member,
    zone: node.zone || (enrolment?.zone ?? member.zone),
    roles: node.roles.length > 0 ? node.roles : (enrolment?.roles ?? member.roles),
    hosts: node.hosts.length > 0 ? node.hosts : member.hosts,
    kubeletPort: node.kubeletPort ?? member.kubeletPort,
    uid: node.uid,
    // A label that was taken away takes the pool away, too.
    ...(node.pool === undefined ? {} : { pool: node.pool }),
  }
}

function identityOf({ node, serial, peerId, zone, roles }: Enrolment) {
  return { node, serial, peerId, zone, roles }
}

/** Field by field: it is asked about every member whenever anything changes. */
function isSame(a: Member, b: Member): boolean {
  const isSamePlace = a.zone === b.zone && a.pool === b.pool && a.kubeletPort === b.kubeletPort && a.uid === b.uid
  return isSamePlace && isSameList(a.roles, b.roles) && isSameList(a.hosts, b.hosts)
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each, index) => each === b[index])
}

function heldAs(kind: Held['kind'], changes: readonly Change[], why: string | undefined): readonly Held[] {
  return why === undefined ? [] : [{ kind, changes, why }]
}

/** A key has one name: a node that was renamed comes when its earlier name has gone. */
function withoutDoubleKeys(members: readonly Member[], changes: readonly Change[]): readonly Change[] {
  const gone = new Set(changes.filter(({ kind }) => kind !== 'added' && kind !== 'updated').map(({ node }) => node))
  const taken = new Set(members.filter(({ node }) => !gone.has(node)).map(({ peerId }) => peerId))
  return changes.filter(({ kind, member }) => {
    if (member === undefined || kind === 'updated') return true
    if (taken.has(member.peerId)) return false
    taken.add(member.peerId)
    return true
  })
}
