/** The faults of a scenario, one by one: each is put on some nodes of a stage, and returns what takes it off again. */
import { around, type Impairment } from '../network.ts'
import type { Stage } from '../stage.ts'
import type { Groups } from './groups.ts'
import type { Fault, Lie, Range } from './schema.ts'

/** What only Starling's own mesh can be made to do; a detector that it is compared with goes without. */
export interface MeshFaults {
  leave(node: string, saidMs: number): void
  /** Takes these out of the roster, and puts as many new ones in. */
  churn(nodes: readonly string[]): void
  lie(nodes: ReadonlySet<string>, lie: Lie, about: ReadonlySet<string> | undefined): () => void
}

export interface Surroundings {
  readonly stage: Stage
  readonly groups: Groups
  readonly leader: string
  readonly mesh: MeshFaults | undefined
  readonly random: () => number
}

/** Some time within the range, ms. */
export function draw([low, high]: Range, random: () => number): number {
  return low === high ? low : low + (high - low) * random()
}

/** `forMs`: how long it will be on; Infinity: until the end. */
export function putOn(
  fault: Fault,
  nodes: readonly string[],
  forMs: number,
  { stage, groups, leader, mesh, random }: Surroundings,
): () => void {
  const membersOf = (name: string) => new Set(groups.get(name)?.members)
  switch (fault.fault) {
    case 'host': {
      // One that is dead of something else is not brought back by this.
      const alive = nodes.filter((node) => stage.machine(node).host !== 'down')
      for (const node of alive) stage.setHost(node, fault.state)
      return () => {
        for (const node of alive) if (stage.machine(node).host === fault.state) stage.setHost(node, 'up')
      }
    }
    case 'hostPause':
      for (const node of nodes) stage.pause(node, forMs)
      return stage.network.impair(around(new Set(nodes), 1))
    case 'pause':
      return starve(stage, nodes, fault, random)
    case 'loss':
      return stage.network.impair(around(new Set(nodes), fault.share, fault.way))
    case 'cut': {
      const from = new Set(nodes)
      if (groups.get(fault.on)?.withLeader) from.add(leader)
      if (fault.to === undefined) return stage.network.impair(apart(from, undefined, fault.oneWay))
      const to = membersOf(fault.to)
      if (groups.get(fault.to)?.withLeader) to.add(leader)
      return stage.network.impair(apart(from, to, fault.oneWay))
    }
    case 'firewall':
      return change(stage, nodes, { closedPorts: 'drop' }, { closedPorts: 'refuse' })
    case 'conntrackFull':
      return change(stage, nodes, { takesConnections: false }, { takesConnections: true })
    case 'apiLost':
      return change(stage, nodes, { reachesApi: false }, { reachesApi: true })
    case 'clock': {
      for (const node of nodes) stage.set(node, { wallOffsetMs: fault.jump * (2 * random() - 1) })
      return change(stage, nodes, {}, { wallOffsetMs: 0 })
    }
    case 'leave':
      for (const node of nodes) mesh?.leave(node, fault.said)
      return () => {}
    case 'churn':
      mesh?.churn(nodes)
      return () => {}
    case 'lie': {
      const about = fault.about === undefined ? undefined : membersOf(fault.about)
      return mesh?.lie(new Set(nodes), fault.lie, about) ?? (() => {})
    }
  }
}

function change(
  stage: Stage,
  nodes: readonly string[],
  on: Parameters<Stage['set']>[1],
  off: Parameters<Stage['set']>[1],
): () => void {
  for (const node of nodes) stage.set(node, on)
  return () => {
    for (const node of nodes) stage.set(node, off)
  }
}

/** Each node stands still by a rhythm of its own. */
function starve(
  stage: Stage,
  nodes: readonly string[],
  { pause, gap }: Extract<Fault, { fault: 'pause' }>,
  random: () => number,
): () => void {
  let isOver = false
  const next = (node: string) => {
    if (isOver) return
    const ms = draw(pause, random)
    stage.pause(node, ms)
    stage.agenda.at(stage.agenda.now + ms + draw(gap, random), next, node)
  }
  for (const node of nodes) stage.agenda.at(stage.agenda.now + draw(gap, random), next, node)
  return () => {
    isOver = true
  }
}

/** Between these and those, or everybody else: also who comes later. */
function apart(from: ReadonlySet<string>, to: ReadonlySet<string> | undefined, oneWay: boolean): Impairment {
  const isThere = (node: string) => (to === undefined ? !from.has(node) : to.has(node))
  return {
    loss: 1,
    appliesTo: (a, b) => (from.has(a) && isThere(b)) || (!oneWay && isThere(a) && from.has(b)),
  }
}
