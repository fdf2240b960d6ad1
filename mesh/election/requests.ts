/** What this replica has under way at the API server, one request at a time, and what of it is not known to have been done. */
import type { Claim, Lease, Write } from './model.ts'

export class Requests {
  #isReading = false
  #writing: Write | undefined
  /** It ended without an answer, and the Lease is still as it was before. */
  #unknown: Write | undefined

  get isBusy(): boolean {
    return this.#isReading || this.#writing !== undefined
  }

  reads(): void {
    this.#isReading = true
  }

  writes(write: Write): void {
    this.#writing = write
  }

  /** The reading ended. Returns a write that it shows to have been carried out, though nobody said so. */
  read(lease: Lease | undefined): Write | undefined {
    this.#isReading = false
    const unknown = this.#unknown
    if (unknown === undefined || lease?.version === unknown.over) return undefined
    // Written over by whatever came first: it can be carried out no more.
    this.#unknown = undefined
    return isSame(unknown.claim, lease) ? unknown : undefined
  }

  readFailed(): void {
    this.#isReading = false
  }

  /** The write was carried out, and so nothing before it can be. */
  written(): Write | undefined {
    const write = this.#writing
    this.#writing = undefined
    this.#unknown = undefined
    return write
  }

  conflict(): void {
    this.#writing = undefined
  }

  writeFailed(): Write | undefined {
    const write = this.#writing
    this.#writing = undefined
    // Of several over the same version the first may be the one that counts.
    if (this.#unknown === undefined || this.#unknown.over !== write?.over) this.#unknown = write
    return write
  }
}

function isSame({ holder, term }: Claim, lease: Lease | undefined): boolean {
  return lease?.holder === holder && lease.term === term
}
