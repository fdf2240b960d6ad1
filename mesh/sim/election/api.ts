/**
 * The way to an API server and back, on virtual time: requests take a while, some are answered late or never, and what
 * nobody was told of may have been carried out all the same.
 */
import type { Agenda } from '../agenda.ts'
import type { LeaseServer } from './lease-server.ts'

/** One way, or an answer: a server next door, ms. */
const DELAY_MIN_MS = 1
const DELAY_MAX_MS = 15
/** Whoever asked gives up. */
const REQUEST_MS = 2_000

/** What becomes of one request, drawn for each. */
export interface Fate {
  /** Until it is carried out, ms; undefined: it never arrives. */
  readonly there: number | undefined
  /** From then until the answer is back, ms; undefined: it is lost. */
  readonly back: number | undefined
}

export class SimApi {
  readonly server: LeaseServer
  /** While false it answers nothing and carries out nothing. */
  isUp = true
  readonly #agenda: Agenda
  readonly #fate: () => Fate

  /** `fate`: as a server next door unless given. */
  constructor(agenda: Agenda, random: () => number, server: LeaseServer, fate?: () => Fate) {
    this.#agenda = agenda
    this.server = server
    const delay = () => DELAY_MIN_MS + (DELAY_MAX_MS - DELAY_MIN_MS) * random()
    this.#fate = fate ?? (() => ({ there: delay(), back: delay() }))
  }

  /** Ends in one call of `answered`, within two seconds: with `undefined`, and then nobody knows whether it was done. */
  ask<T>(carryOut: (server: LeaseServer) => T, answered: (answer: { readonly value: T } | undefined) => void): void {
    const { there, back } = this.#fate()
    const sentAt = this.#agenda.now
    let isOver = false
    const end = (answer: { readonly value: T } | undefined) => {
      if (isOver) return
      isOver = true
      answered(answer)
    }
    this.#agenda.at(sentAt + REQUEST_MS, () => end(undefined))
    if (there === undefined) return
    this.#agenda.at(sentAt + there, () => {
      if (!this.isUp) return
      const value = carryOut(this.server)
      if (back !== undefined) this.#agenda.at(this.#agenda.now + back, () => end({ value }))
    })
  }
}
