/** What a member still has to pass on: at most one claim about each subject, the newest, each a bounded number of times. */
import type { Claim } from './claim.ts'

/** How many claims go into one packet: 1,400 bytes at about 70 each (memberlist's UDP buffer). */
const CLAIMS_MAX = 20

interface Rumour {
  readonly claim: Claim
  readonly order: number
  sent: number
}

export class Rumours {
  readonly #limit: number
  readonly #bySubject = new Map<number, Rumour>()
  #order = 0

  /** @param limit How often each claim is passed on, at least 1. */
  constructor(limit: number) {
    this.#limit = limit
  }

  get isEmpty(): boolean {
    return this.#bySubject.size === 0
  }

  add(claim: Claim): void {
    this.#bySubject.set(claim.subject, { claim, order: this.#order++, sent: 0 })
  }

  /** What goes with one packet: what was passed on least, and of that the newest. */
  take(): readonly Claim[] {
    if (this.isEmpty) return NONE
    let chosen = [...this.#bySubject.values()]
    if (chosen.length > CLAIMS_MAX) {
      chosen = chosen.sort((a, b) => a.sent - b.sent || b.order - a.order).slice(0, CLAIMS_MAX)
    }
    for (const rumour of chosen) {
      if (++rumour.sent >= this.#limit) this.#bySubject.delete(rumour.claim.subject)
    }
    return chosen.map(({ claim }) => claim)
  }
}

const NONE: readonly Claim[] = []
