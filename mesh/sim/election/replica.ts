/** One life of a replica: the shipped election on virtual time, with a simulated API server and whatever mesh it is given. */
import { Election } from '../../election/election.ts'
import type { Answer, ElectionEffect, ElectionInput, ElectionNotice } from '../../election/model.ts'
import { ELECTION_TIMING } from '../../election/timing.ts'
import type { Agenda } from '../agenda.ts'
import type { SimApi } from './api.ts'

export interface ReplicaOptions {
  readonly holder: string
  readonly agenda: Agenda
  readonly api: SimApi
  random(): number
  /** Whether its requests get to the API server. */
  reachesApi(): boolean
  /** Lets something happen in its process: now, or when a pause of it is over; never once it has ended. */
  whenRunning(react: () => void): void
  knock(holder: string, answered: (answer: Answer) => void): void
  canvass(term: number): void
  lead(term: number): void
  standBy(): void
  onNotice?(notice: ElectionNotice): void
}

export class Replica {
  readonly election: Election
  readonly #options: ReplicaOptions
  #tickAt = Number.POSITIVE_INFINITY

  constructor(options: ReplicaOptions) {
    this.#options = options
    const { holder, agenda, random } = options
    this.election = new Election(agenda.now, { holder, timing: ELECTION_TIMING, term: 0, random })
    this.#schedule()
  }

  /** Something reaches its process. */
  take(input: ElectionInput): void {
    this.#options.whenRunning(() => this.#step(input))
  }

  get mayWrite(): boolean {
    return this.election.mayWrite(this.#options.agenda.now)
  }

  #step(input: ElectionInput): void {
    for (const effect of this.election.step(this.#options.agenda.now, input)) this.#perform(effect)
    this.#schedule()
  }

  #schedule(): void {
    const { agenda } = this.#options
    const at = Math.max(this.election.nextAt, agenda.now)
    if (at >= this.#tickAt || at === Number.POSITIVE_INFINITY) return
    this.#tickAt = at
    agenda.at(at, () => {
      if (this.#tickAt !== at) return
      this.#options.whenRunning(() => {
        this.#tickAt = Number.POSITIVE_INFINITY
        this.#step({ kind: 'tick' })
      })
    })
  }

  #perform(effect: ElectionEffect): void {
    const { api, canvass, lead, standBy, onNotice } = this.#options
    switch (effect.kind) {
      case 'read':
        this.#ask(
          () => api.server.read(),
          (lease) => ({ kind: 'read', lease }),
          { kind: 'readFailed' },
        )
        return
      case 'write':
        this.#ask(
          () => api.server.write(effect.claim, effect.over),
          (version) => (version === undefined ? { kind: 'conflict' } : { kind: 'written', version }),
          { kind: 'writeFailed' },
        )
        return
      case 'knock':
        this.#options.knock(effect.holder, (answer) => this.take({ kind: 'knocked', holder: effect.holder, answer }))
        return
      case 'canvass':
        canvass(effect.term)
        return
      case 'lead':
        lead(effect.term)
        return
      case 'standBy':
        standBy()
        return
      case 'notice':
        onNotice?.(effect.notice)
        return
    }
  }

  #ask<T>(carryOut: () => T, answer: (value: T) => ElectionInput, failed: ElectionInput): void {
    const { api, agenda, reachesApi } = this.#options
    if (!reachesApi()) {
      agenda.at(agenda.now + ELECTION_TIMING.requestMs, () => this.take(failed))
      return
    }
    api.ask(carryOut, (reply) => this.take(reply === undefined ? failed : answer(reply.value)))
  }
}
