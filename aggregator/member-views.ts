/**
 * The members as they show. Of most there is nothing new from one look to the next: such a one stays the same object, so
 * that a look at thousands of them costs little, and whoever makes something of it need not make it again.
 */
import type { Leader } from '../mesh/core/leader.ts'
import { ringOf } from '../mesh/core/ring.ts'
import type { MemberState, MemberView } from './model.ts'
import { zonesOf } from './sights.ts'
import { type MembersInit, memberView, stateOf } from './snapshot.ts'

type ViewsInit = Omit<MembersInit, 'since'> & {
  /** RFC 3339. */
  readonly now: string
}

/** A member of which nobody says anything, and what its view was made of. */
interface Quiet {
  readonly view: MemberView
  readonly watchers: ReadonlyMap<string, number>
}

export class MemberViews {
  /** Since when each is in its state, as far as this aggregator saw. */
  readonly #states = new Map<string, { readonly state: MemberState; readonly since: string }>()
  #quiet = new Map<string, Quiet>()
  #leader: Leader | undefined
  #roster: MembersInit['roster'] | undefined

  /** What shows of each, in the order of the roster. */
  look({ now, ...init }: ViewsInit): readonly MemberView[] {
    const { roster, leader, fleet } = init
    if (leader !== this.#leader || roster !== this.#roster) this.#quiet = new Map()
    this.#leader = leader
    this.#roster = roster
    const zones = zonesOf(roster)
    const stirred = stirredIn(init)
    const since = (node: string, state: MemberState) => this.#since(node, state, now)
    return roster.members.map((member) => {
      const { node } = member
      if (stirred.has(node) || isSpokenOf(node, init)) {
        this.#quiet.delete(node)
        return memberView(member, { ...init, since }, zones)
      }
      const watchers = fleet.watchersOf(node)
      const known = this.#quiet.get(node)
      if (known !== undefined && known.watchers === watchers && isAsItWas(known.view, fleet, since)) return known.view
      const view = memberView(member, { ...init, since }, zones)
      this.#quiet.set(node, { view, watchers })
      return view
    })
  }

  /** When something changed, so that each state begins when it began and not when somebody looks. */
  note({ roster, leader, fleet, now }: Pick<ViewsInit, 'roster' | 'leader' | 'fleet' | 'now'>): void {
    for (const { node } of roster.members) {
      this.#since(node, stateOf(node, leader, fleet.incarnationOf(node) !== undefined), now)
    }
  }

  #since(node: string, state: MemberState, now: string): string {
    const known = this.#states.get(node)
    if (known?.state === state) return known.since
    this.#states.set(node, { state, since: now })
    return now
  }
}

/** Members with a fault of any kind, and whom they watch. */
function stirredIn({ roster, leader }: Pick<ViewsInit, 'roster' | 'leader'>): ReadonlySet<string> {
  const { conditions, disputes } = leader
  const left = roster.members.filter(({ node }) => leader.hasLeft(node)).map(({ node }) => node)
  const faulty = [...conditions.standing.keys(), ...conditions.agentDown, ...conditions.suspected, ...left]
  const watched = faulty.flatMap((node) => ringOf(roster).subjectsOf(node))
  return new Set([...faulty, ...watched, ...disputes.linkFaults, ...disputes.observerFaults])
}

/** Others say something of it, or it has a mark. */
function isSpokenOf(node: string, { leader, marks }: Pick<ViewsInit, 'leader' | 'marks'>): boolean {
  return (
    leader.ballots.about(node).length > 0 ||
    leader.disputes.sightsOf(node).length > 0 ||
    marks.of(node, () => true) !== undefined
  )
}

/** Of one that is quiet and was. */
function isAsItWas(
  { node, since, incarnation }: MemberView,
  fleet: ViewsInit['fleet'],
  sinceNow: MembersInit['since'],
): boolean {
  const life = fleet.incarnationOf(node)
  return (life ?? '') === incarnation && sinceNow(node, life === undefined ? 'unseen' : 'alive') === since
}
