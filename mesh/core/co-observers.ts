/** What one observer has to do with its co-observers on one subject: hints it sends, hints it owes an answer, answers it got. */
import type { Millis } from './model.ts'

/** Beats for which an observer goes on to ask: by then they have seen for themselves. */
const HINT_BEATS = 5

export class CoObservers {
  readonly #beatMs: Millis
  #hintAt: Millis = Number.POSITIVE_INFINITY
  #hintsLeft = 0
  readonly #hinters = new Set<string>()
  #heardAt = Number.NEGATIVE_INFINITY

  constructor(beatMs: Millis) {
    this.#beatMs = beatMs
  }

  /** The subject came into doubt. Whoever hinted before hinted about another doubt. */
  doubted(now: Millis): void {
    this.#hinters.clear()
    this.#hintsLeft = HINT_BEATS
    this.#hintAt = now
  }

  /** Whether to hint now: once a beat, for as long as the answer may still change. `isOver`: the doubt, or its use. */
  mayHint(now: Millis, isOver: boolean): boolean {
    if (now < this.#hintAt) return false
    const hints = !isOver && this.#hintsLeft > 0
    this.#hintAt = hints ? now + this.#beatMs : Number.POSITIVE_INFINITY
    this.#hintsLeft -= hints ? 1 : 0
    return hints
  }

  get hintAt(): Millis {
    return this.#hintAt
  }

  /** This one misses the subject, and asks whether it acks here. */
  hintedBy(observer: string): void {
    this.#hinters.add(observer)
  }

  /** The subject acked here: who is to be told. */
  takeHinters(): readonly string[] {
    if (this.#hinters.size === 0) return NOBODY
    const hinters = [...this.#hinters]
    this.#hinters.clear()
    return hinters
  }

  /** The subject acked to one of them at that time. */
  heard(atMs: Millis): void {
    this.#heardAt = Math.max(this.#heardAt, atMs)
  }

  get heardAt(): Millis {
    return this.#heardAt
  }
}

const NOBODY: readonly string[] = []
