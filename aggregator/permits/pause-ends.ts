/**
 * Says when the time of a pause is over, and takes it off the record. It counts for nothing from then on, whether anybody has
 * said so or not (remediators/guards/pause.ts). One that ended while nobody led is told of by who leads next.
 */
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import { isPausedAt, withoutPausesOver } from './book.ts'
import { type Ledger, NotLeading } from './ledger.ts'
import type { PermitStory } from './story.ts'

/** A record that cannot be read or written is tried again, for as long as this aggregator leads. */
const AGAIN_MS = 5_000
/** A pause can be longer than Node can wait at once (2^31 ms, 24 days). */
const WAIT_MS_MAX = 86_400_000

export interface PauseEndsInit {
  readonly ledger: Pick<Ledger, 'change'>
  readonly story: Pick<PermitStory, 'pauseOver'>
  readonly log: Log
  wallNow(): number
}

export class PauseEnds {
  readonly #init: PauseEndsInit
  #timer: NodeJS.Timeout | undefined

  constructor(init: PauseEndsInit) {
    this.#init = init
  }

  /** It leads from now on, or somebody has paused. Resolves when all that was over by now is told; never rejects. */
  async look(): Promise<void> {
    clearTimeout(this.#timer)
    try {
      this.#in(await this.#tell())
    } catch (error) {
      if (error instanceof NotLeading) return
      this.#init.log.error({ err: messageOf(error) }, 'the end of a pause cannot be put on record: trying again')
      this.#in(AGAIN_MS)
    }
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  /** Returns when the next pause is over, in ms from now; undefined while there is none. */
  async #tell(): Promise<number | undefined> {
    const { ledger, story, wallNow } = this.#init
    const { pauses } = await ledger.change((book) => book)
    const wallMs = wallNow()
    const over = pauses.filter((pause) => !isPausedAt(pause, wallMs))
    // Told first: taken off the record by one that is then killed, it would never be told.
    for (const pause of over) story.pauseOver(pause)
    if (over.length > 0) await ledger.change((book) => withoutPausesOver(book, wallMs))
    const ends = pauses.filter((pause) => !over.includes(pause)).map(({ until }) => Date.parse(until) - wallMs)
    return ends.length === 0 ? undefined : Math.min(...ends)
  }

  #in(ms: number | undefined): void {
    if (ms === undefined) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.look(), Math.min(ms, WAIT_MS_MAX)).unref()
  }
}
