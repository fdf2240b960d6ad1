/**
 * Puts a scenario's faults on a stage when they are due, and keeps the book: who was under which fault, from when to when.
 * All chance comes from the seed and no answer of the mesh changes it, so that compared arms meet the very same faults.
 */
import { seededRandom } from '../random.ts'
import type { Stage } from '../stage.ts'
import { draw, type MeshFaults, putOn } from './faults.ts'
import { drawGroups, type Groups, pickSome, type Roll } from './groups.ts'
import { EVERYBODY, type Fault, type Scenario } from './schema.ts'

/** One fault on one node. */
export interface Episode {
  readonly node: string
  readonly fault: Fault['fault']
  /** The group that the fault was on; KILLS for hosts that died meanwhile. */
  readonly group: string
  readonly state: 'down' | 'hung' | 'agentDown' | undefined
  readonly from: number
  /** When it is to end; Infinity: it stays. */
  readonly until: number
}

export const KILLS = 'kills'

/** Edges are redialled within 4 s: a fault acts for so long after it is over. */
const AFTERMATH_MS = 5_000
/** A host that was killed is let be for a while, or few would be killed all the time. */
const KILLED_AGAIN_AFTER_MS = 120_000

export interface StagingOptions {
  readonly scenario: Scenario
  readonly stage: Stage
  readonly seed: number
  readonly roll: readonly Roll[]
  readonly leader: string
  readonly mesh?: MeshFaults
  observersOf(subject: string): readonly string[]
  began?(episode: Episode): void
}

export class Staging {
  readonly groups: Groups
  readonly episodes: Episode[] = []
  /** When the last fault of the network began or ended. */
  networkChangedAt = Number.NEGATIVE_INFINITY
  readonly #options: StagingOptions
  readonly #faultsOn = new Map<string, number>()
  /** When each host was last killed meanwhile. */
  readonly #kills = new Map<string, number>()

  /** Begins at the present of the stage's agenda. Throws RangeError for a group that nobody is in. */
  constructor(options: StagingOptions) {
    this.#options = options
    const { scenario, roll, seed, observersOf } = options
    this.groups = drawGroups(scenario.groups, roll, observersOf, seededRandom(seed * 7919 + 1))
    for (const [index, fault] of scenario.faults.entries()) this.#plan(fault, seededRandom(seed * 7919 + 2 + index))
    if (scenario.kills !== undefined) this.#planKills(scenario.kills, seededRandom(seed * 7919 + 7001))
  }

  /** Nodes on which a fault of the scenario acts now, or has done so a moment ago. Hosts killed meanwhile do not count. */
  get actedOn(): ReadonlySet<string> {
    return new Set(this.#faultsOn.keys())
  }

  isActedOn(node: string): boolean {
    return this.#faultsOn.has(node)
  }

  membersOf(group: string): ReadonlySet<string> {
    if (group === KILLS) return new Set(this.#kills.keys())
    return new Set(this.groups.get(group)?.members)
  }

  #plan(fault: Fault, random: () => number): void {
    const { agenda } = this.#options.stage
    const members = this.groups.get(fault.on)?.members ?? []
    const round = (index: number) => {
      const next = members[index % members.length]
      const some = fault.pick === undefined ? members : pickSome(members, fault.pick, random)
      const nodes = fault.inTurn && next !== undefined ? [next] : some
      const groups = fault.spread === 0 ? [nodes] : nodes.map((node) => [node])
      for (const together of groups) {
        agenda.at(agenda.now + fault.spread * random(), () => this.#stage(fault, together, random))
      }
      if (fault.every !== undefined) agenda.at(agenda.now + draw(fault.every, random), round, index + 1)
    }
    agenda.at(agenda.now + draw(fault.at, random), round, 0)
  }

  #stage(fault: Fault, nodes: readonly string[], random: () => number): void {
    const { stage, leader, mesh } = this.#options
    const forMs = fault.for === undefined ? Number.POSITIVE_INFINITY : draw(fault.for, random)
    const { now } = stage.agenda
    const touchesNetwork = fault.fault === 'cut' || fault.fault === 'loss' || fault.fault === 'hostPause'
    const state = fault.fault === 'host' ? fault.state : undefined
    const acted = this.#actedOnBy(fault, nodes)
    if (touchesNetwork) this.networkChangedAt = now
    for (const node of acted) this.#act(node, 1)
    for (const node of nodes)
      this.#note({ node, fault: fault.fault, group: fault.on, state, from: now, until: now + forMs })
    const takeOff = putOn(fault, nodes, forMs, { stage, groups: this.groups, leader, mesh, random })
    stage.agenda.at(now + forMs, () => {
      if (touchesNetwork) this.networkChangedAt = stage.agenda.now
      takeOff()
      stage.agenda.at(stage.agenda.now + AFTERMATH_MS, () => {
        for (const node of acted) this.#act(node, -1)
      })
    })
  }

  /**
   * A cut with the leader on one side is a fault of the other side: it is they who are not heard. A new roster gives all
   * members other observers.
   */
  #actedOnBy(fault: Fault, nodes: readonly string[]): readonly string[] {
    if (fault.fault === 'churn') return this.groups.get(EVERYBODY)?.members ?? []
    if (fault.fault !== 'cut' || this.groups.get(fault.on)?.withLeader !== true) return nodes
    const others = this.groups.get(fault.to ?? EVERYBODY)?.members ?? []
    return others.filter((node) => !nodes.includes(node))
  }

  #planKills({ every, for: forMs, among }: NonNullable<Scenario['kills']>, random: () => number): void {
    const { stage } = this.#options
    const { agenda } = stage
    const members = this.groups.get(among ?? EVERYBODY)?.members ?? []
    const round = () => {
      agenda.at(agenda.now + every, round)
      const fit = members.filter(
        (node) =>
          stage.machine(node).host === 'up' &&
          agenda.now - (this.#kills.get(node) ?? Number.NEGATIVE_INFINITY) >= KILLED_AGAIN_AFTER_MS,
      )
      const [node] = pickSome(fit, 1, random)
      if (node === undefined) return
      this.#kills.set(node, agenda.now)
      this.#note({ node, fault: 'host', group: KILLS, state: 'down', from: agenda.now, until: agenda.now + forMs })
      stage.setHost(node, 'down')
      agenda.at(agenda.now + forMs, () => stage.setHost(node, 'up'))
    }
    // Not in step with anything.
    agenda.at(agenda.now + every * random(), round)
  }

  #note(episode: Episode): void {
    this.episodes.push(episode)
    this.#options.began?.(episode)
  }

  #act(node: string, change: number): void {
    const count = (this.#faultsOn.get(node) ?? 0) + change
    if (count === 0) this.#faultsOn.delete(node)
    else this.#faultsOn.set(node, count)
  }
}
