/** The aggregators of a simulated mesh as replicas that elect one of them: each life of each stands as one. */
import type { Incarnation } from '../../core/model.ts'
import { holderName, nodeOfHolder } from '../../election/holder.ts'
import type { Answer, ElectionNotice } from '../../election/model.ts'
import { connect, SYN_AT_MS } from '../connect.ts'
import type { Program } from '../program.ts'
import type { Machine, Stage } from '../stage.ts'
import type { SimApi } from './api.ts'
import { Replica } from './replica.ts'

/** As the adapter waits for an answer. */
const KNOCK_MS = 2_000

export class Contest {
  readonly #stage: Stage
  readonly #api: SimApi
  readonly #replicas = new Map<string, Replica>()
  readonly #onNotice: (notice: ElectionNotice, node: string) => void

  constructor(stage: Stage, api: SimApi, onNotice: (notice: ElectionNotice, node: string) => void = () => {}) {
    this.#stage = stage
    this.#api = api
    this.#onNotice = onNotice
  }

  /** The present life of an aggregator. Throws for a node that is none. */
  replica(node: string): Replica {
    const replica = this.#replicas.get(node)
    if (replica === undefined) throw new Error(`${node} does not stand for election`)
    return replica
  }

  /** A life of an aggregator begins. */
  enter(program: Program, incarnation: Incarnation): void {
    const { machine } = program
    const replica = new Replica({
      holder: holderName(machine.name, incarnation),
      agenda: this.#stage.agenda,
      api: this.#api,
      random: this.#stage.random,
      reachesApi: () => machine.reachesApi && machine.host !== 'down',
      whenRunning: (react) => program.whenRunning(react),
      knock: (holder, answered) => this.#knock(machine, nodeOfHolder(holder) ?? '', answered),
      canvass: (term) => program.take({ kind: 'canvass', term }),
      lead: (term) => program.take({ kind: 'lead', term, standing: [] }),
      standBy: () => program.take({ kind: 'standBy' }),
      onNotice: (notice) => this.#onNotice(notice, machine.name),
    })
    this.#replicas.set(machine.name, replica)
  }

  /** An earlier life of one's own is over: this one has its port. */
  #knock(from: Machine, node: string, answered: (answer: Answer) => void): void {
    const { agenda } = this.#stage
    if (node === from.name) agenda.at(agenda.now, () => answered('refused'))
    else {
      const to = this.#stage.machine(node)
      connect(this.#stage, { from, to, port: 'agent', synAtMs: SYN_AT_MS, untilMs: KNOCK_MS, answered })
    }
  }
}
