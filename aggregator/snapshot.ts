/** The present in one piece: what the leader holds of each member, and what the nodes say of themselves. */
import { silentFor } from '../mesh/core/ballots.ts'
import type { Leader } from '../mesh/core/leader.ts'
import type { Member, Roster } from '../mesh/core/model.ts'
import { ringOf } from '../mesh/core/ring.ts'
import type { Fleet } from './fleet.ts'
import type { MemberState, MemberView, VoteView } from './model.ts'

/** Since when each member has been in its state, as far as this aggregator saw. */
export class StateClock {
  readonly #states = new Map<string, { readonly state: MemberState; readonly since: string }>()

  since(node: string, state: MemberState, now: string): string {
    const known = this.#states.get(node)
    if (known?.state === state) return known.since
    this.#states.set(node, { state, since: now })
    return now
  }
}

export interface MembersInit {
  readonly roster: Roster
  readonly leader: Leader
  readonly fleet: Fleet
  readonly clock: StateClock
  /** Monotonic, on the mesh's clock. */
  readonly nowMs: number
  /** RFC 3339. */
  readonly now: string
}

export function memberViews({ roster, leader, fleet, clock, nowMs, now }: MembersInit): readonly MemberView[] {
  const { standing, agentDown } = leader.conditions
  const lives = (observer: string) => !standing.has(observer) && !agentDown.has(observer)
  return roster.members.map((member): MemberView => {
    const { node, zone, roles } = member
    const observers = ringOf(roster).observersOf(node)
    const incarnation = fleet.incarnationOf(node)
    const state = stateOf(node, leader, incarnation !== undefined)
    const decidesInMs = leader.hostHungInMs(nowMs, node)
    const verdictId = leader.conditions.standing.get(node)?.verdictId
    return {
      node,
      zone,
      roles,
      address: addressOf(member),
      state,
      since: clock.since(node, state, now),
      incarnation: incarnation ?? '',
      observers,
      coveredBy: fleet.couldConvict(node).filter((observer) => observers.includes(observer) && lives(observer)),
      votes: votesAbout(node, leader, roster, nowMs),
      needed: finiteOrNull(leader.conditions.neededFor(node)),
      ...(decidesInMs === undefined ? {} : { decidesInMs }),
      ...(verdictId === undefined ? {} : { verdictId }),
    }
  })
}

function stateOf(node: string, leader: Leader, wasHeard: boolean): MemberState {
  const { standing, agentDown, suspected } = leader.conditions
  const verdict = standing.get(node)
  if (verdict !== undefined) return verdict.kind
  if (agentDown.has(node)) return 'AgentDown'
  if (suspected.has(node)) return 'suspected'
  return wasHeard ? 'alive' : 'unseen'
}

function votesAbout(node: string, leader: Leader, roster: Roster, nowMs: number): readonly VoteView[] {
  return leader.ballots.about(node, 'NodeDown', 'HostHung', 'AgentDown').map((ballot) => ({
    voter: ballot.voter,
    zone: roster.members.find((member) => member.node === ballot.voter)?.zone ?? '',
    opinion: 'silent',
    kind: ballot.accusation.opinion,
    channel: ballot.accusation.channel,
    forMs: Math.round(silentFor(ballot, nowMs)),
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
