/** Whose outbox is to be asked, and when: a few nodes at once, those that do not answer again later and not for ever. */

/** Nodes that are asked at once: each answers up to 256 KiB, and a connection is made for it. */
const AT_ONCE = 8

/** After each failure; then it is left alone until it comes back. */
const AGAIN_AFTER_MS = [5_000, 30_000, 120_000] as const

export interface Wanted {
  readonly node: string
  /** RFC 3339: nothing from before is wanted. Empty: all that it keeps. */
  readonly since: string
}

interface Entry extends Wanted {
  readonly failures: number
  readonly notBeforeMs: number
}

export class Agenda {
  readonly #entries = new Map<string, Entry>()
  readonly #asked = new Map<string, Entry>()

  /** Nodes that have not answered yet. */
  get asking(): number {
    return this.#asked.size
  }

  /** Whoever is wanted already, is asked once, from the earlier time on. */
  want({ node, since }: Wanted, nowMs: number): void {
    const known = this.#entries.get(node)
    const earlier = known !== undefined && known.since < since ? known.since : since
    this.#entries.set(node, { node, since: earlier, failures: 0, notBeforeMs: nowMs })
  }

  /** Who is to be asked now; undefined while enough are, or nobody is. */
  next(nowMs: number): Wanted | undefined {
    if (this.#asked.size >= AT_ONCE) return undefined
    for (const entry of this.#entries.values()) {
      if (entry.notBeforeMs > nowMs || this.#asked.has(entry.node)) continue
      this.#entries.delete(entry.node)
      this.#asked.set(entry.node, entry)
      return entry
    }
    return undefined
  }

  answered(node: string): void {
    this.#asked.delete(node)
  }

  /** Whether it will be asked again. */
  failed(node: string, nowMs: number): boolean {
    const entry = this.#asked.get(node)
    this.#asked.delete(node)
    const afterMs = AGAIN_AFTER_MS[entry?.failures ?? 0]
    if (entry === undefined || afterMs === undefined || this.#entries.has(node)) return this.#entries.has(node)
    this.#entries.set(node, { ...entry, failures: entry.failures + 1, notBeforeMs: nowMs + afterMs })
    return true
  }

  /** Nobody is wanted any more; those that are being asked, are. */
  clear(): void {
    this.#entries.clear()
  }
}
