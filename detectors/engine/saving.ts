/** When what detectors know is written down: soon after what they report changed, and now and then. */
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { Clock } from './clock.ts'

/** Between two writes, however much changes: each is a write to the disk that the host shares with its pods. */
const GAP_MS = 5_000
/** Figures and counters that nobody was told of may be lost for so long. */
const EVERY_MS = 60_000

export class Saving {
  readonly #clock: Clock
  readonly #log: Log
  readonly #save: () => Promise<void>
  readonly #stop = new AbortController()
  #isDirty = false
  #isUrgent = false
  #isFailing = false

  /** `save` may reject; it is called again later. */
  constructor(clock: Clock, log: Log, save: () => Promise<void>) {
    this.#clock = clock
    this.#log = log
    this.#save = save
  }

  /** `changed`: somebody was told something else than before. */
  looked(changed: boolean): void {
    this.#isDirty = true
    if (changed) this.#isUrgent = true
  }

  /** Until `stop`, and then once more. Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#stop
    let savedMs = this.#clock.now().ms
    while (!signal.aborted) {
      await this.#clock.sleep(GAP_MS, signal).catch(() => {})
      const isDue = this.#isUrgent || signal.aborted || this.#clock.now().ms - savedMs >= EVERY_MS
      if (!(this.#isDirty && isDue)) continue
      savedMs = this.#clock.now().ms
      this.#isDirty = false
      this.#isUrgent = false
      await this.#write()
    }
  }

  stop(): void {
    this.#stop.abort()
  }

  async #write(): Promise<void> {
    try {
      await this.#save()
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing) this.#log.warn({ err: messageOf(error) }, 'what detectors know could not be kept on disk')
      this.#isFailing = true
      this.#isDirty = true
    }
  }
}
