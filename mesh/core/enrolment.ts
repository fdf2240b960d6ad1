/** Who may say what, by the roster alone. */
import { zonesOfObservers } from './certificate.ts'
import type { Member, Roster, StatementBody } from './model.ts'

export class Enrolment {
  readonly #roster: Roster
  readonly #byName: ReadonlyMap<string, Member>
  readonly #aggregators: ReadonlySet<string>

  constructor(roster: Roster) {
    this.#roster = roster
    this.#byName = new Map([...roster.members, ...roster.aggregators].map((member) => [member.node, member]))
    this.#aggregators = new Set(roster.aggregators.map(({ node }) => node))
  }

  /** The serial under which a node is enrolled; undefined when it is not. */
  serialOf(node: string): number | undefined {
    return this.#byName.get(node)?.serial
  }

  isAggregator(node: string): boolean {
    return this.#aggregators.has(node)
  }

  mayState(signer: string, body: StatementBody): boolean {
    switch (body.kind) {
      case 'accusation':
        return body.epoch === this.#roster.epoch && zonesOfObservers(this.#roster, body.subject).has(signer)
      case 'down':
        return this.isAggregator(signer)
      case 'announcement':
        return body.incarnation.serial === this.serialOf(signer)
      case 'note':
        return true
    }
  }
}
