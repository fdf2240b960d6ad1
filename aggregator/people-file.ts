/**
 * The file of people, as it is now. One that is damaged leaves those known who were known before, and at the start nobody:
 * an aggregator that did not start for this would watch over nothing, and its own token is good all the same.
 */
import { statSync } from 'node:fs'
import { writeFileAtomically } from '../common/atomic-file.ts'
import { messageOf, StarlingError } from '../common/errors.ts'
import type { Log } from '../common/log.ts'
import { formatPeople, type Person, readPeople } from './people.ts'
import { watchChanges } from './watch-file.ts'

export class PeopleFile {
  readonly #file: string
  readonly #log: Log
  readonly #stop: () => void
  #people: readonly Person[] = []

  /** Read at once, and again whenever it changes. Without a file there is nobody. */
  constructor(file: string, log: Log) {
    this.#file = file
    this.#log = log
    this.#read()
    this.#stop = watchChanges(file, () => this.#read())
  }

  get people(): readonly Person[] {
    return this.#people
  }

  stop(): void {
    this.#stop()
  }

  #read(): void {
    const before = this.#people
    try {
      this.#people = this.#isThere() ? readPeople(this.#file) : []
    } catch (error) {
      const remedy =
        (error instanceof StarlingError && error.remedy) || 'put it right: it is read again when it changes'
      const known = before.map(({ name }) => name)
      this.#log.error({ err: messageOf(error), remedy, people: known }, 'people: the file is refused, these stay known')
      return
    }
    const names = this.#people.map(({ name, right }) => `${name} (${right})`)
    if (before.length + names.length > 0) this.#log.info({ people: names }, 'people who are known by name')
  }

  /** Throws when nobody can tell. */
  #isThere(): boolean {
    return statSync(this.#file, { throwIfNoEntry: false }) !== undefined
  }
}

/**
 * For its owner's eyes alone, and one step: who reads it meanwhile finds it as it was. A file that is there stays its owner's,
 * since the aggregator may run as another user than whoever adds people. Throws StarlingError.
 */
export async function writePeople(file: string, people: readonly Person[]): Promise<void> {
  try {
    await writeFileAtomically(file, formatPeople(people), 0o600, statSync(file, { throwIfNoEntry: false }))
  } catch (error) {
    const remedy = 'run it where the aggregator runs, as a user who may write that file, or say which by --file'
    throw new StarlingError(`cannot write ${file}: ${messageOf(error)}`, { remedy, cause: error })
  }
}
