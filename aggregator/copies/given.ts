/** How far one other aggregator has what is in this one's journal: what it was given, and what it is known to have anyway. */
import { z } from 'zod'
import type { AppendAnswer, Row } from './batch.ts'

/** Places ahead that the other is known to have; beyond this, some are sent to it that it has. */
const AHEAD_MAX = 100_000

const keptSchema = z.strictObject({ journal: z.string(), upTo: z.int().min(0), last: z.int().min(0) })

export class Given {
  #journal: string
  #upTo: number
  #last: number
  readonly #ahead = new Set<number>()

  /** `kept`: what `toKeep` gave in an earlier life; whatever else it is, the other is given all from the beginning. */
  constructor(kept: string | null) {
    const known = keptIn(kept)
    this.#journal = known.journal
    this.#upTo = known.upTo
    this.#last = known.last
  }

  /** Of the other; empty before it was first heard. */
  get journal(): string {
    return this.#journal
  }

  /** It has all up to this place of this journal. */
  get upTo(): number {
    return this.#upTo
  }

  /** To go on from after a restart. */
  toKeep(): string {
    return JSON.stringify({ journal: this.#journal, upTo: this.#upTo, last: this.#last })
  }

  /** The other has what stands here at `seq`, since that came from it. */
  has(seq: number): void {
    if (seq <= this.#upTo) return
    this.#ahead.add(seq)
    if (this.#ahead.size <= AHEAD_MAX) return
    for (const oldest of this.#ahead) {
      this.#ahead.delete(oldest)
      return
    }
  }

  /** Of the rows after `upTo`, in their order, those to be given; goes on over those at the front that the other has. */
  wanted(rows: readonly Row[]): readonly Row[] {
    const first = rows.findIndex(({ seq }) => !this.#ahead.has(seq))
    const passed = first === -1 ? rows.at(-1) : rows[first - 1]
    if (passed !== undefined) this.#goTo(passed.seq)
    return first === -1 ? [] : rows.slice(first).filter(({ seq }) => !this.#ahead.has(seq))
  }

  /** The other says what its journal is called. Of one that is new to us, nothing is known: it is given all. */
  met(journal: string): void {
    if (journal === this.#journal) return
    this.#journal = journal
    this.#beginAgain()
  }

  /** It answers to a batch that ended at `upTo`. Whether it took it; else it is to be given all from the beginning. */
  answered(upTo: number, { journal, last }: AppendAnswer): boolean {
    const isSame = journal === this.#journal && last >= this.#last
    if (isSame) this.#goTo(upTo)
    else this.#beginAgain()
    this.#last = last
    this.#journal = journal
    return isSame
  }

  #beginAgain(): void {
    this.#upTo = 0
    this.#last = 0
    this.#ahead.clear()
  }

  #goTo(upTo: number): void {
    this.#upTo = Math.max(this.#upTo, upTo)
    for (const seq of this.#ahead) if (seq <= upTo) this.#ahead.delete(seq)
  }
}

function keptIn(kept: string | null): z.infer<typeof keptSchema> {
  try {
    return keptSchema.parse(JSON.parse(kept ?? ''))
  } catch {
    return { journal: '', upTo: 0, last: 0 }
  }
}
