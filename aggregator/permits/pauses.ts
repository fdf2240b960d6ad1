/** What people say of remediation as a whole: that it rests for a while, goes on, or that a failure has been looked at. */
import { messageOf, StarlingError } from '../../common/errors.ts'
import type { Event } from '../model.ts'
import type { PauseRequest, PauseScope, Release, ReleaseScope } from '../remediation-model.ts'
import { type Book, isSameScope, withoutPause, withPause, withRelease } from './book.ts'
import type { Ledger } from './ledger.ts'
import type { PermitStory } from './story.ts'

/** Longer than anybody keeps in mind; `mode: observe` is for what is to last. */
export const PAUSE_MS_MAX = 30 * 86_400_000

export interface PausesInit {
  readonly ledger: Pick<Ledger, 'change'>
  readonly story: PermitStory
  wallNow(): number
}

/** All three reject with StarlingError when it could not be put on record; then the history has it as said, without effect. */
export class Pauses {
  readonly #init: PausesInit

  constructor(init: PausesInit) {
    this.#init = init
  }

  async pause({ scope, forMs, reason, via }: PauseRequest, by: string): Promise<Event> {
    const { story, wallNow } = this.#init
    const [at, until] = [wallNow(), wallNow() + forMs].map((ms) => new Date(ms).toISOString()) as [string, string]
    const pause = { scope, by, reason, at, until }
    const event = story.paused(pause, by, via)
    await this.#change((book) => withPause(book, pause))
    return event
  }

  async resume(scope: PauseScope, release: Release, by: string): Promise<Event> {
    const { pauses } = await this.#change((book) => book)
    if (!pauses.some((pause) => isSameScope(pause.scope, scope))) {
      throw new StarlingError('there is no such pause', { remedy: '`starling remediations pauses` lists them' })
    }
    const event = this.#init.story.resumed(scope, release, by)
    await this.#change((book) => withoutPause(book, scope))
    return event
  }

  async release(scope: ReleaseScope, release: Release, by: string): Promise<Event> {
    const event = this.#init.story.released(scope, release, by)
    const at = new Date(this.#init.wallNow()).toISOString()
    await this.#change((book) => withRelease(book, { scope, by, at }))
    return event
  }

  async #change(decide: (book: Book) => Book): Promise<Book> {
    try {
      return await this.#init.ledger.change(decide)
    } catch (error) {
      if (error instanceof StarlingError) throw error
      const remedy = 'nothing is permitted either while it cannot; try again in a few seconds'
      throw new StarlingError(`the record of permits cannot be written: ${messageOf(error)}`, { remedy, cause: error })
    }
  }
}
