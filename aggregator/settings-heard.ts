/** What another aggregator said of the settings, until all that it names is here. */
import { type Announcement, isLater } from '../settings/notes.ts'
import type { SettingsLedger } from './settings-ledger.ts'

export class SettingsHeard {
  readonly #ledger: SettingsLedger
  #said: Announcement | undefined

  constructor(ledger: SettingsLedger) {
    this.#ledger = ledger
  }

  /** Whether it is news. `ours`: what this aggregator goes by. */
  hear(said: Announcement, ours: Announcement): boolean {
    const isNews = isLater(said, this.#said ?? ours)
    if (isNews) this.#said = said
    return isNews
  }

  /** Digests of what is missing. */
  get seeks(): readonly string[] {
    return this.#said === undefined ? [] : this.#ledger.missingOf(this.#said)
  }

  /** Sought on, what is refused would come again and again. */
  forget(): void {
    this.#said = undefined
  }

  /** Once all of it is here, and then no more. */
  whole(): Announcement | undefined {
    if (this.#said === undefined || this.seeks.length > 0) return undefined
    const said = this.#said
    this.#said = undefined
    return said
  }
}
