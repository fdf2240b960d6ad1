/** Gives one other aggregator what is in this one's journal, in order, one batch at a time, for as long as there is some. */
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import { APPEND_TOPIC, batchOf, decodeAppendAnswer, type Row } from './batch.ts'
import type { Given } from './given.ts'

/** What a busy machine needs to append a batch, ms, and more. */
const WITHIN_MS = 10_000

/** After a failure; each further one doubles it. A dial costs little, and until the other is back what is decided is on one disk. */
const AGAIN_MIN_MS = 500
const AGAIN_MAX_MS = 3_000

export interface FeedInit {
  readonly to: string
  readonly given: Given
  /** What this aggregator's journal is called. */
  readonly from: string
  /** A page of rows after a place, lowest first. */
  readonly rows: (after: number) => readonly Row[]
  readonly ask: (to: string, topic: string, bytes: Uint8Array, withinMs: number) => Promise<Uint8Array>
  /** The other has more than before, or is known to have less. */
  readonly onGiven: () => void
  readonly log: Log
}

export class Feed {
  readonly #init: FeedInit
  #isRunning = false
  #mayHaveMore = false
  #isStopped = false
  #again: NodeJS.Timeout | undefined
  #failures = 0

  constructor(init: FeedInit) {
    this.#init = init
  }

  get given(): Given {
    return this.#init.given
  }

  /** There may be something to give. While the other does not answer, it is asked when its time has come. */
  look(): void {
    this.#mayHaveMore = true
    if (this.#isRunning || this.#isStopped || this.#again !== undefined) return
    this.#isRunning = true
    this.#run()
      .then(() => {
        if (this.#failures > 0) this.#init.log.info({ to: this.#init.to }, 'copies are taken again')
        this.#failures = 0
      })
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#isRunning = false
        // What came when the last page had just been read.
        if (this.#mayHaveMore) this.look()
      })
  }

  /** The other was heard: there is nothing to wait for. */
  isBack(): void {
    clearTimeout(this.#again)
    this.#again = undefined
    this.look()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#again)
  }

  async #run(): Promise<void> {
    const { given, from, rows, ask, to, onGiven } = this.#init
    while (!this.#isStopped) {
      this.#mayHaveMore = false
      const page = rows(given.upTo)
      if (page.length === 0) return
      const wanted = given.wanted(page)
      if (wanted.length > 0) {
        const { bytes, taken } = batchOf({ from, to: given.journal }, wanted)
        const answer = await ask(to, APPEND_TOPIC, bytes, WITHIN_MS)
        given.answered(wanted[taken - 1]?.seq ?? given.upTo, decodeAppendAnswer(answer))
      }
      onGiven()
    }
  }

  #failed(error: unknown): void {
    const { to, log } = this.#init
    if (this.#failures++ === 0) log.warn({ to, err: messageOf(error) }, 'copies are not taken')
    if (this.#isStopped) return
    const inMs = Math.min(AGAIN_MAX_MS, AGAIN_MIN_MS * 2 ** (this.#failures - 1))
    this.#again = setTimeout(() => {
      this.#again = undefined
      this.look()
    }, inMs).unref()
  }
}
