/** The present in one piece: what the leader holds of each member, and what the nodes say of themselves. */
import type { Leader } from '../mesh/core/leader.ts'
import type { Member, Roster } from '../mesh/core/model.ts'
import { ringOf } from '../mesh/core/ring.ts'
import type { Fleet } from './fleet.ts'
import type { NodeMarks } from './marks.ts'
import type { MatrixRow, MemberFlag, MemberState, MemberView, VoteView } from './model.ts'
import { hearing, isHeard, saysAnything, sightsOf, zonesOf } from './sights.ts'

export interface MembersInit {
  readonly roster: Roster
  readonly leader: Leader
  readonly fleet: Fleet
  /** Since when it is in this state, RFC 3339. */
  readonly since: (node: string, state: MemberState) => string
  readonly marks: Pick<NodeMarks, 'of'>
  /** Monotonic, on the mesh's clock. */
  readonly nowMs: number
}

/** `zones`: of each member. */
export function memberView(
  member: Member,
  { roster, leader, fleet, since, marks, nowMs }: MembersInit,
  zones: ReadonlyMap<string, string>,
): MemberView {
  const { node, zone, roles, pool } = member
  const observers = ringOf(roster).observersOf(node)
  const incarnation = fleet.incarnationOf(node)
  const state = stateOf(node, leader, incarnation !== undefined)
  const covers = (observer: string) =>
    fleet.couldConvictSince(observer, node) !== undefined && !leader.conditions.isExcused(observer)
  const decidesInMs = leader.hostHungInMs(nowMs, node)
  const verdictId = leader.conditions.standing.get(node)?.verdictId
  const hasFinding = (id: string) => fleet.findingsOf(node, nowMs).some((finding) => finding.id === id)
  const mark = marks.of(node, (id) => id === verdictId || hasFinding(id))
  return {
    node,
    zone,
    roles,
    pool,
    address: addressOf(member),
    state,
    flags: flagsOf(node, leader),
    since: since(node, state),
    incarnation: incarnation ?? '',
    observers,
    coveredBy: observers.every(covers) ? observers : observers.filter(covers),
    ...hearing(node, { roster, leader, fleet, zones, nowMs }),
    votes: votesAbout(node, leader, zones),
    needed: finiteOrNull(leader.neededFor(node)),
    ...(decidesInMs === undefined ? {} : { decidesInMs }),
    ...(verdictId === undefined ? {} : { verdictId }),
    ...(mark === undefined ? {} : { mark }),
  }
}

/** Who sees whom: a row for each member. */
export function matrixRows(init: Omit<MembersInit, 'since' | 'marks'>): readonly MatrixRow[] {
  const { roster, leader, fleet } = init
  const zones = zonesOf(roster)
  return roster.members.map(({ node }): MatrixRow => {
    const sights = sightsOf(node, { ...init, zones })
    const flags = flagsOf(node, leader)
    return {
      subject: node,
      state: stateOf(node, leader, fleet.incarnationOf(node) !== undefined),
      flags,
      disputed: flags.includes('LinkFault') || sights.some((sight) => saysAnything(sight) && !isHeard(sight)),
      sights,
    }
  })
}

export function stateOf(node: string, leader: Leader, wasHeard: boolean): MemberState {
  const { standing, agentDown, suspected } = leader.conditions
  const verdict = standing.get(node)
  if (verdict !== undefined) return verdict.kind
  if (leader.hasLeft(node)) return 'left'
  if (agentDown.has(node)) return 'AgentDown'
  if (suspected.has(node)) return 'suspected'
  return wasHeard ? 'alive' : 'unseen'
}

function flagsOf(node: string, { disputes }: Leader): readonly MemberFlag[] {
  const flags: MemberFlag[] = []
  if (disputes.hasLinkFault(node)) flags.push('LinkFault')
  if (disputes.hasObserverFault(node)) flags.push('ObserverFault')
  return flags
}

/** As they were cast: how long it has been by now would be another figure each time that somebody looks. */
function votesAbout(node: string, leader: Leader, zones: ReadonlyMap<string, string>): readonly VoteView[] {
  return leader.ballots.about(node, 'NodeDown', 'HostHung', 'AgentDown').map((ballot) => ({
    voter: ballot.voter,
    zone: zones.get(ballot.voter) ?? '',
    opinion: 'silent',
    kind: ballot.accusation.opinion,
    channel: ballot.accusation.channel,
    forMs: Math.round(ballot.accusation.silentMs),
  }))
}

/** JSON has no Infinity. */
function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

function addressOf({ hosts, meshPort }: Member): string {
  const host = hosts[0] ?? ''
  return `${host.includes(':') ? `[${host}]` : host}:${meshPort}`
}
