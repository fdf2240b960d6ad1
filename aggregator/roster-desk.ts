/** What a person sees of the roster as it follows a cluster, and lets through of it. Without a cluster there is nothing. */
import { randomUUID } from 'node:crypto'
import { StarlingError } from '../common/errors.ts'
import type { Log } from '../common/log.ts'
import type { Event } from './model.ts'
import type { Release } from './remediation-model.ts'
import type { RosterView } from './roster-model.ts'
import type { RosterStory } from './roster-story.ts'

/** That which keeps the roster as the cluster is. */
export interface RosterSide {
  view(): RosterView
  /** Lets through what waits for a person now. */
  release(): void
}

export class RosterDesk {
  readonly story: RosterStory
  readonly #log: Log
  #side: RosterSide | undefined

  constructor(story: RosterStory, log: Log) {
    this.story = story
    this.#log = log
  }

  /** From now on the roster follows a cluster. */
  follow(side: RosterSide): void {
    this.#side = side
  }

  view(): RosterView | null {
    return this.#side?.view() ?? null
  }

  /** Throws StarlingError when nothing waits. */
  release({ reason, via }: Release, by: string): Event {
    const nodes = (this.view()?.held ?? []).flatMap((held) => held.nodes)
    if (nodes.length === 0) {
      const remedy = '`starling members` lists what waits, when something does'
      throw new StarlingError('no change of the roster waits for anybody', { remedy })
    }
    // On record before it takes effect.
    const event = this.story.released(`release-${randomUUID()}`, { by, via, reason, nodes })
    this.#side?.release()
    this.#log.warn({ event: event.id, by, via }, 'roster released')
    return event
  }
}
