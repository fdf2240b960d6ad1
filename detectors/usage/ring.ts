/**
 * What this node, its services and its containers used, minute by minute for 24 h, in memory that is fixed by construction:
 *
 *   448 subjects x 1,440 minutes x 6 figures x 2 bytes = 7,741,440 bytes
 *   names of at most 128 characters, 2 bytes each       =   114,688 bytes
 *   the time of each minute, 8 bytes                    =    11,520 bytes, in all 7.87 MB of the 8 MB that it may take
 *
 * It is memory alone. What a restart of the agent takes away is an upgrade's; on disk it would write on every node each
 * minute, for ever, and hang with the disk in the very hours that one wants to look at. History beyond is Prometheus' part.
 */
import { FIGURES, type FigureName, pack, type Seen, unpack } from './figures.ts'

export const MINUTES = 1_440
/** With 110 pods, the kubelet's default, a node has some 250 containers, and Debian some 60 services. */
export const SUBJECTS_MAX = 448
export const NAME_MAX = 128

interface Subject {
  readonly name: string
  readonly slot: number
  seenAt: number
  limit?: number | undefined
}

export interface Series {
  /** Minutes since 1970 of the host's clock, as it was then, oldest first. */
  readonly minutes: readonly number[]
  readonly values: readonly (number | undefined)[]
}

export class UsageRing {
  /** By subject, minute and figure. Pages of it that were never written take no memory of the machine. */
  readonly #cells = new Uint16Array(SUBJECTS_MAX * MINUTES * FIGURES.length)
  readonly #minutes = new Float64Array(MINUTES)
  readonly #subjects = new Map<string, Subject>()
  readonly #free = Array.from({ length: SUBJECTS_MAX }, (_, slot) => SUBJECTS_MAX - 1 - slot)
  /** How many minutes were kept, of which the last MINUTES are there. */
  #kept = 0

  /**
   * Keeps one minute. Where there are more subjects than places, those that were not seen for longest give way; those that
   * are seen now never do, so that the last of `seen` may find no place. Returns how many did not.
   */
  keep(minute: number, seen: ReadonlyMap<string, Seen>): number {
    const at = this.#kept
    this.#kept += 1
    this.#minutes[at % MINUTES] = minute
    for (const { slot } of this.#subjects.values()) {
      const cell = this.#cellOf(slot, at)
      this.#cells.fill(0, cell, cell + FIGURES.length)
    }
    const named = [...seen].map(([name, figures]) => [name.slice(0, NAME_MAX), figures] as const)
    for (const [name] of named) {
      const known = this.#subjects.get(name)
      if (known !== undefined) known.seenAt = at
    }
    let left = 0
    for (const [name, figures] of named) {
      const subject = this.#subjects.get(name) ?? this.#place(name, at)
      if (subject === undefined) left += 1
      else {
        subject.limit = figures.limit
        for (const [index, figure] of FIGURES.entries()) {
          this.#cells[this.#cellOf(subject.slot, at) + index] = pack(figures[figure])
        }
      }
    }
    return left
  }

  /** Of the subjects that were seen in the last 24 h. */
  get names(): readonly string[] {
    return [...this.#subjects.values()]
      .filter(({ seenAt }) => seenAt > this.#kept - 1 - MINUTES)
      .map(({ name }) => name)
  }

  /** The most memory that it may have, bytes, as it was seen last; undefined when there is no limit, or none known. */
  limitOf(name: string): number | undefined {
    return this.#subjects.get(name)?.limit
  }

  /** The last `count` minutes that were kept. */
  series(name: string, figure: FigureName, count: number): Series {
    const ticks = this.#lastTicks(count)
    const subject = this.#subjects.get(name)
    const index = FIGURES.indexOf(figure)
    return {
      minutes: ticks.map((at) => this.#minutes[at % MINUTES] ?? 0),
      values: ticks.map((at) =>
        subject === undefined ? undefined : unpack(this.#cells[this.#cellOf(subject.slot, at) + index] ?? 0),
      ),
    }
  }

  /** What it takes of the agent's memory when it is full. */
  get bytesMax(): number {
    return this.#cells.byteLength + this.#minutes.byteLength + SUBJECTS_MAX * NAME_MAX * 2
  }

  #lastTicks(count: number): readonly number[] {
    const first = Math.max(0, this.#kept - Math.min(count, MINUTES))
    return Array.from({ length: this.#kept - first }, (_, index) => first + index)
  }

  #cellOf(slot: number, at: number): number {
    return (slot * MINUTES + (at % MINUTES)) * FIGURES.length
  }

  /** Undefined when all places are of subjects that are seen now. */
  #place(name: string, at: number): Subject | undefined {
    if (this.#free.length === 0) this.#giveWay(at)
    const slot = this.#free.pop()
    if (slot === undefined) return undefined
    const subject = { name, slot, seenAt: at }
    this.#subjects.set(name, subject)
    return subject
  }

  #giveWay(at: number): void {
    let oldest: Subject | undefined
    for (const subject of this.#subjects.values()) {
      if (subject.seenAt < (oldest?.seenAt ?? at)) oldest = subject
    }
    if (oldest === undefined) return
    this.#subjects.delete(oldest.name)
    this.#cells.fill(0, this.#cellOf(oldest.slot, 0), this.#cellOf(oldest.slot, 0) + MINUTES * FIGURES.length)
    this.#free.push(oldest.slot)
  }
}
