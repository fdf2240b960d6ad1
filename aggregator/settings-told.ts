/** What is told of settings after it was done: on record at once, or as soon as the journal takes it, in its order. */
import type { Log } from '../common/log.ts'
import { retried } from './retried.ts'
import type { RolloutView } from './settings-model.ts'
import type { SettingsStory } from './settings-story.ts'

type Telling = (story: SettingsStory) => void

export class SettingsTold {
  readonly #log: Log
  readonly #owed: Telling[] = []
  #story: SettingsStory | undefined
  /** What could not go on record is tried again. Does nothing when nothing is owed. */
  readonly again: () => void

  constructor(log: Log) {
    this.#log = log
    this.again = retried(() => this.#tell(), 'what becomes of settings cannot be put on record', log)
  }

  /** What was told of before goes on record from now on. */
  start(story: SettingsStory): void {
    this.#story = story
    this.again()
  }

  refused(why: string): void {
    this.#log.warn({ err: why }, 'settings refused')
    this.#add((story) => story.refused(why))
  }

  inForce(version: number): void {
    this.#add((story) => story.inForce(version))
  }

  stage(rollout: RolloutView, step: number): void {
    this.#add((story) => story.stage(rollout, step))
  }

  #add(telling: Telling): void {
    this.#owed.push(telling)
    this.again()
  }

  #tell(): void {
    const story = this.#story
    for (let next = this.#owed[0]; story !== undefined && next !== undefined; next = this.#owed[0]) {
      next(story)
      this.#owed.shift()
    }
  }
}
