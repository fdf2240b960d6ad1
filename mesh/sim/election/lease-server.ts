/** One Lease as an API server keeps it: who writes says which version is to be written over, and loses if it is another. */
import type { Claim, Lease } from '../../election/model.ts'

export class LeaseServer {
  #lease: Lease | undefined
  #versions = 0

  read(): Lease | undefined {
    return this.#lease
  }

  /** As by somebody's hand. */
  remove(): void {
    this.#lease = undefined
  }

  /** The new version; undefined when somebody else wrote first. `over` undefined: there must be none yet. */
  write({ holder, term }: Claim, over: string | undefined): string | undefined {
    if (this.#lease?.version !== over) return undefined
    const version = String(++this.#versions)
    this.#lease = { holder, term, version }
    return version
  }
}
