/** The roster in force and what follows from it: who is enrolled, who watches whom, and who may say what. */
import { zonesOfObservers } from './certificate.ts'
import type { Member, Roster, StatementBody } from './model.ts'
import { type Ring, ringOf } from './ring.ts'

export class Membership {
  #roster: Roster
  #index: RosterIndex

  constructor(roster: Roster) {
    this.#roster = roster
    this.#index = indexOf(roster)
  }

  get roster(): Roster {
    return this.#roster
  }

  get ring(): Ring {
    return ringOf(this.#roster)
  }

  /** From now on a later roster is in force. Tells whether who had a name before is gone: nobody has it, or another does. */
  advance(roster: Roster): (node: string) => boolean {
    const before = this.#index
    this.#roster = roster
    this.#index = indexOf(roster)
    return (node) => {
      const serial = this.serialOf(node)
      return serial === undefined || serial !== (before.byName.get(node)?.serial ?? serial)
    }
  }

  /** The serial under which a node is enrolled; undefined when it is not. */
  serialOf(node: string): number | undefined {
    return this.#index.byName.get(node)?.serial
  }

  isAggregator(node: string): boolean {
    return this.#index.aggregators.has(node)
  }

  /** The bit of a member in a roll-call's bitmaps; undefined for who is none. */
  positionOf(node: string): number | undefined {
    return this.#index.positions.get(node)
  }

  /** A subject's observers and the zone of each. */
  observersOf(subject: string): ReadonlyMap<string, string> {
    return zonesOfObservers(this.#roster, subject)
  }

  /** Names of the members of each zone. */
  get zones(): ReadonlyMap<string, readonly string[]> {
    return this.#index.zones
  }

  mayState(signer: string, body: StatementBody): boolean {
    switch (body.kind) {
      case 'accusation':
        return body.epoch === this.#roster.epoch && this.observersOf(body.subject).has(signer)
      case 'down':
        return this.isAggregator(signer)
      case 'announcement':
      case 'leave':
        return body.incarnation.serial === this.serialOf(signer) && !this.isAggregator(signer)
      case 'note':
        return true
    }
  }
}

interface RosterIndex {
  readonly byName: ReadonlyMap<string, Member>
  readonly positions: ReadonlyMap<string, number>
  readonly aggregators: ReadonlySet<string>
  readonly zones: ReadonlyMap<string, readonly string[]>
}

const indexes = new WeakMap<Roster, RosterIndex>()

/** Kept for each roster object, which is immutable: the members of a simulated mesh all share one. */
function indexOf(roster: Roster): RosterIndex {
  const known = indexes.get(roster)
  if (known !== undefined) return known
  const { members, aggregators } = roster
  const index = {
    byName: new Map([...members, ...aggregators].map((member) => [member.node, member])),
    positions: new Map(members.map(({ node }, position) => [node, position])),
    aggregators: new Set(aggregators.map(({ node }) => node)),
    zones: zonesOf(members),
  }
  indexes.set(roster, index)
  return index
}

function zonesOf(members: readonly Member[]): ReadonlyMap<string, readonly string[]> {
  const zones = new Map<string, string[]>()
  for (const { node, zone } of members) {
    const nodes = zones.get(zone) ?? []
    zones.set(zone, nodes)
    nodes.push(node)
  }
  return zones
}
