/** Rosters, Nodes and enrolments for tests: everything of a name follows from it, and says otherwise where it is told to. */
import type { ListedNode } from '../../aggregator/kubernetes/roster/listed-node.ts'
import type { RosterFacts } from '../../aggregator/kubernetes/roster/rules.ts'
import type { Member, Roster } from '../../mesh/core/model.ts'
import type { Enrolment } from '../../mesh/identity/enrolment.ts'

export const MESH = 'test'
export const AGENT_PORT = 7_790

export function listed(name: string, parts: Partial<ListedNode> = {}): ListedNode {
  return {
    name,
    uid: `uid-${name}`,
    zone: 'z',
    roles: [],
    pool: undefined,
    hosts: ['10.0.0.1'],
    kubeletPort: 10_250,
    ...parts,
  }
}

export function enrolled(node: string, parts: Partial<Enrolment> = {}): Enrolment {
  const serial = parts.serial ?? 1
  const peerId = `key-${node}-${serial}`
  return { mesh: MESH, node, serial, peerId, zone: 'z', roles: [], notAfterMs: Number.MAX_SAFE_INTEGER, ...parts }
}

/** As it is once its Node is `listed` and its agent `enrolled`. */
export function memberOf(node: string, parts: Partial<Member> = {}): Member {
  const { serial, peerId } = enrolled(node, parts.serial === undefined ? {} : { serial: parts.serial })
  const place = { hosts: ['10.0.0.1'], meshPort: AGENT_PORT, kubeletPort: 10_250 }
  return { node, serial, zone: 'z', roles: [], peerId, ...place, uid: `uid-${node}`, ...parts }
}

export function rosterOf(members: readonly Member[]): Roster {
  const sorted = members.toSorted((a, b) => (a.node < b.node ? -1 : 1))
  return { mesh: MESH, epoch: 7, previous: '', seed: 'seed', members: sorted, aggregators: [memberOf('leader')] }
}

/** Nothing happened yet, and everybody in the roster lives. */
export function factsOf(
  members: readonly Member[],
  nodes: readonly ListedNode[] | undefined,
  enrolments: readonly Enrolment[] = [],
  parts: Partial<RosterFacts> = {},
): RosterFacts {
  return {
    inForce: rosterOf(members),
    nodes,
    enrolments: new Map(enrolments.map((one) => [one.node, one])),
    retired: new Map(),
    isFounding: false,
    allowed: new Set(),
    agentPort: AGENT_PORT,
    past: [],
    live: members.length,
    nowMs: 1_000_000,
    ...parts,
  }
}

export function names(count: number, prefix = 'n'): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${String(index).padStart(3, '0')}`)
}
