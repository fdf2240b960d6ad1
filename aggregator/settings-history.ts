/** The settings that were handed in, as they were signed: what nodes fetch, and what can be gone back to. */
import { z } from 'zod'
import type { Journal } from './model.ts'

const FACT = 'settings/versions'

/** Far enough to go back to; each takes at most 256 KiB, most take some 5 KiB. */
const KEPT = 20

const kept = z.array(
  z.strictObject({
    version: z.int().min(1),
    digest: z.string(),
    /** Signed, base64. */
    bytes: z.string(),
    /** RFC 3339: when this aggregator got it. */
    at: z.string(),
  }),
)

export type KeptSettings = z.infer<typeof kept>[number]

export class SettingsHistory {
  readonly #store: Journal
  #all: readonly KeptSettings[]

  /** Throws an Error when the store holds something else there. */
  constructor(store: Journal) {
    this.#store = store
    this.#all = kept.parse(JSON.parse(store.readFact(FACT) ?? '[]'))
  }

  /** The latest first. */
  get all(): readonly KeptSettings[] {
    return this.#all
  }

  of(digest: string): KeptSettings | undefined {
    return this.#all.find((one) => one.digest === digest)
  }

  /** On disk when it returns. `needed`: digests that stay, however old. */
  add(settings: KeptSettings, needed: readonly string[]): void {
    const sorted = [settings, ...this.#all.filter(({ digest }) => digest !== settings.digest)].toSorted(
      (a, b) => b.version - a.version,
    )
    const all = sorted.filter(({ digest }, index) => index < KEPT || needed.includes(digest))
    this.#store.writeFact(FACT, JSON.stringify(all))
    this.#all = all
  }
}
