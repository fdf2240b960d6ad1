/**
 * What each member is held for right now: suspected, dead agent on a living host, or under a verdict that stands. Votes
 * alone move a member between these; only a verdict, which is the leader's, is entered from outside.
 */
import type { Ballots } from './ballots.ts'
import type { Membership } from './membership.ts'
import type { Notice } from './message.ts'
import type { Opinion, Standing } from './model.ts'
import { neededOf, vetoOf } from './quorum.ts'

export class Conditions {
  readonly #membership: Membership
  readonly #ballots: Ballots
  readonly #standing = new Map<string, Standing>()
  readonly #agentDown = new Set<string>()
  readonly #suspected = new Set<string>()
  /** Of those under a verdict: whom somebody hears again. */
  readonly #heardAgain = new Set<string>()
  /** Under verdicts that are to end with the next update, without anything being known of the node. */
  readonly #reopened = new Set<string>()

  constructor(membership: Membership, ballots: Ballots, standing: readonly Standing[]) {
    this.#membership = membership
    this.#ballots = ballots
    for (const verdict of standing) {
      // Nobody observes who is no member: such a verdict would never end, and count for the brakes for ever.
      if (membership.positionOf(verdict.subject) !== undefined) this.#standing.set(verdict.subject, verdict)
    }
  }

  get standing(): ReadonlyMap<string, Standing> {
    return this.#standing
  }

  get agentDown(): ReadonlySet<string> {
    return this.#agentDown
  }

  /** Members that at least one observer holds to be silent, verdict or not. */
  get suspected(): ReadonlySet<string> {
    return this.#suspected
  }

  /**
   * Suspected, or with links that are, and without a verdict: a node that starts again is heard by some of its observers
   * before the others.
   */
  get undecided(): readonly string[] {
    const lossy = this.#ballots.subjects().filter((node) => this.#ballots.about(node, 'LinkFault').length > 0)
    return [...new Set([...this.#suspected, ...lossy])].filter((node) => !this.#standing.has(node))
  }

  /** H for this subject, with observers excused that are down themselves, or whose agents are. */
  neededFor(subject: string): number {
    const assigned = this.#membership.observersOf(subject)
    const eligible = [...assigned.keys()].filter((node) => !this.isExcused(node))
    return neededOf(assigned.size, eligible.length)
  }

  /** Down by verdict, or its agent is known to be down: it cannot vote, and that is on record. */
  isExcused(observer: string): boolean {
    return this.#standing.has(observer) || this.#agentDown.has(observer)
  }

  convict(verdict: Standing): void {
    this.#standing.set(verdict.subject, verdict)
    this.#agentDown.delete(verdict.subject)
  }

  /** The verdict was not acted on in time: it ends, whatever the votes say, and its observers are asked afresh. */
  reopen(subject: string): void {
    if (this.#standing.has(subject)) this.#reopened.add(subject)
  }

  /** Reads the votes again and says what has changed since. */
  update(): readonly Notice[] {
    const subjects = new Set([
      ...this.#ballots.subjects(),
      ...this.#standing.keys(),
      ...this.#agentDown,
      ...this.#suspected,
    ])
    return [...subjects].flatMap((node) => {
      const verdict = this.#standing.get(node)
      return verdict === undefined ? [...this.#agent(node), ...this.#suspicion(node)] : this.#recovery(verdict)
    })
  }

  /** Forgets whoever is no member any more; their verdicts end with their membership. */
  retain(isMember: (node: string) => boolean): readonly Notice[] {
    for (const node of [...this.#agentDown, ...this.#suspected]) {
      if (isMember(node)) continue
      this.#agentDown.delete(node)
      this.#suspected.delete(node)
    }
    const gone = [...this.#standing.values()].filter(({ subject }) => !isMember(subject))
    for (const { subject } of gone) {
      this.#standing.delete(subject)
      this.#heardAgain.delete(subject)
    }
    return gone.map((verdict) => ({ kind: 'recovered', verdict, why: 'it is no member any more' }))
  }

  #recovery(verdict: Standing): readonly Notice[] {
    const { subject } = verdict
    if (this.#reopened.delete(subject)) {
      this.#standing.delete(subject)
      this.#suspected.delete(subject)
      this.#heardAgain.delete(subject)
      return [{ kind: 'recovered', verdict, why: 'it could not be acted on in time: asked afresh' }]
    }
    const needed = this.neededFor(subject)
    const alive = this.#voters(subject, 'Alive')
    const hearsAgain = alive.length >= needed
    const hostAnswers = this.#voters(subject, 'AgentDown').length >= needed
    const isStillSilent = this.#voters(subject, 'NodeDown', 'HostHung').length >= this.#few(subject)
    if (isStillSilent || !(hearsAgain || hostAnswers)) return this.#return(verdict, alive.length > 0)
    this.#standing.delete(subject)
    this.#suspected.delete(subject)
    this.#heardAgain.delete(subject)
    const why = hearsAgain ? `${alive.length} observers hear it again` : 'its host answers, its agent does not'
    return [{ kind: 'recovered', verdict, why, by: hearsAgain ? 'agent' : 'host' }]
  }

  /** Told once, until nobody hears it any more. */
  #return(verdict: Standing, isHeard: boolean): readonly Notice[] {
    const isNews = isHeard && !this.#heardAgain.has(verdict.subject)
    if (isHeard) this.#heardAgain.add(verdict.subject)
    else this.#heardAgain.delete(verdict.subject)
    return isNews ? [{ kind: 'heardAgain', verdict }] : []
  }

  #agent(subject: string): readonly Notice[] {
    const accusers = this.#voters(subject, 'AgentDown')
    const alive = this.#voters(subject, 'Alive')
    const isAccused = accusers.length >= this.neededFor(subject) && alive.length < this.#few(subject)
    if (!this.#agentDown.has(subject) && isAccused) {
      this.#agentDown.add(subject)
      return [{ kind: 'agentDown', subject, voters: accusers }]
    }
    // One accuser may have died with its accusation standing: enough who hear the agent outweigh it.
    const answersAgain = accusers.length < this.#few(subject) || alive.length >= this.neededFor(subject)
    if (this.#agentDown.has(subject) && answersAgain) {
      this.#agentDown.delete(subject)
      return [{ kind: 'agentUp', subject, voters: alive }]
    }
    return []
  }

  #suspicion(subject: string): readonly Notice[] {
    const accusers = this.#voters(subject, 'NodeDown', 'HostHung')
    if (accusers.length > 0 === this.#suspected.has(subject)) return []
    if (accusers.length > 0) this.#suspected.add(subject)
    else this.#suspected.delete(subject)
    return [{ kind: accusers.length > 0 ? 'suspected' : 'unsuspected', subject, voters: accusers }]
  }

  #voters(subject: string, ...opinions: readonly Opinion[]): readonly string[] {
    return this.#ballots.about(subject, ...opinions).map(({ voter }) => voter)
  }

  /** L: so many observers of one view are more than a stray one. */
  #few(subject: string): number {
    return vetoOf(this.#membership.observersOf(subject).size)
  }
}
