/**
 * A whole mesh with several aggregators that elect one of them, and what can befall the one that leads: for tests, and to
 * measure how long it takes until another may write.
 */
import type { ElectionNotice } from '../../election/model.ts'
import { between } from '../network.ts'
import { World } from '../world.ts'
import { SimApi } from './api.ts'
import { LeaseServer } from './lease-server.ts'

/** Long enough for every observer to have its five beats, and for somebody to lead. */
const BOOT_MS = 10_000
const LOOK_EVERY_MS = 10

/** What befalls a leader, by name; each is put on until the run ends, but for a pause. */
export const LEADER_FAULTS = {
  processKilled: (scene: Scene, leader: string) => scene.world.stage.setHost(leader, 'agentDown'),
  hostDead: (scene: Scene, leader: string) => scene.world.stage.setHost(leader, 'down'),
  paused: (scene: Scene, leader: string) => scene.world.stage.pause(leader, 24_000),
  cutFromApi: (scene: Scene, leader: string) => scene.world.stage.set(leader, { reachesApi: false }),
  /** From half of the members, and from the other aggregators with them. */
  cutFromHalf: (scene: Scene, leader: string) => {
    const { members } = scene.world.roster
    const others = scene.aggregators.filter((node) => node !== leader)
    const far = new Set([...members.slice(0, members.length / 2).map(({ node }) => node), ...others])
    const near = new Set([leader, ...members.slice(members.length / 2).map(({ node }) => node)])
    scene.world.stage.network.impair(between(near, far, 1, false))
  },
} as const

export type LeaderFault = keyof typeof LEADER_FAULTS

export interface SceneOptions {
  readonly nodes: number
  readonly aggregators: number
  readonly seed: number
}

export class Scene {
  readonly world: World
  readonly api: SimApi
  readonly notices: ElectionNotice[] = []
  readonly aggregators: readonly string[]
  /** The most that might have written at any moment. */
  mostWriters = 0

  constructor({ nodes, aggregators, seed }: SceneOptions) {
    let api: SimApi | undefined
    this.world = new World({
      ...{ nodes, zones: 3, seed, aggregators },
      api: (stage) => {
        api = new SimApi(stage.agenda, stage.random, new LeaseServer())
        return api
      },
      onElection: (notice) => void this.notices.push(notice),
    })
    if (api === undefined) throw new Error('the world made no API server')
    this.api = api
    this.aggregators = this.world.roster.aggregators.map(({ node }) => node)
    this.passes(BOOT_MS)
  }

  /** Aggregators whose cores lead the mesh, whether they live or not. */
  get leaders(): readonly string[] {
    return this.#living.filter((node) => this.world.core(node).leader !== undefined)
  }

  /** Those that may write, if they run at this very moment. */
  get writers(): readonly string[] {
    return this.#living.filter((node) => this.world.replica(node).mayWrite)
  }

  /** The one that leads and may write. Throws when there is none. */
  get leader(): string {
    const [leader] = this.writers
    if (leader === undefined) throw new Error('nobody may write')
    return leader
  }

  passes(ms: number): this {
    this.waitsFor(() => false, ms)
    return this
  }

  /** How long it takes until `holds`; undefined when it does not within `ms`. */
  waitsFor(holds: () => boolean, ms: number): number | undefined {
    const { agenda } = this.world.stage
    const from = agenda.now
    while (agenda.now < from + ms) {
      if (holds()) return agenda.now - from
      agenda.runUntil(Math.min(from + ms, agenda.now + LOOK_EVERY_MS))
      this.mostWriters = Math.max(this.mostWriters, this.writers.length)
    }
    return undefined
  }

  /** Puts the fault on whoever leads; how long until another may write, ms. Undefined: it took more than `withinMs`. */
  takeOver(fault: LeaderFault, withinMs: number): number | undefined {
    const before = this.leader
    LEADER_FAULTS[fault](this, before)
    return this.waitsFor(() => this.writers.some((node) => node !== before), withinMs)
  }

  get #living(): readonly string[] {
    return this.aggregators.filter((node) => {
      const { host } = this.world.stage.machine(node)
      return host === 'up' || host === 'hung'
    })
  }
}
