/**
 * Virtual time: what is to happen, in order of time and, at the same time, in the order it was put down. Millions of
 * messages go through here, so none of them allocates anything: what happens is a function with up to two things it is
 * about, kept in a slot, and slots lie in a calendar of short days, of which only today is sorted.
 */

type Happening = (a: unknown, b: unknown) => void

/** A few dozen events a day when ten thousand nodes are busy. A power of two, so that days are exact. */
const DAYS_PER_MS = 16
/** Pages of the calendar: a second and a bit. What is due in a later year stays on its page until then. */
const PAGES = 16_384
const NONE = -1

export class Agenda {
  readonly #times: number[] = []
  readonly #runs: Happening[] = []
  readonly #first: unknown[] = []
  readonly #second: unknown[] = []
  /** The slot that was put down on the same page before this one. */
  readonly #before: number[] = []
  readonly #freeSlots: number[] = []
  /** On each page the slot that was put down last. */
  readonly #pages = new Int32Array(PAGES).fill(NONE)
  /** Today's slots, in order; those before `#position` have happened. */
  readonly #today: number[] = []
  #position = 0
  #day = 0
  #now = 0

  get now(): number {
    return this.#now
  }

  /** Lets `run` happen, with what it is about. A time that has passed means now; at Infinity nothing happens. */
  at(time: number, run: () => void): void
  at<A>(time: number, run: (a: A) => void, a: A): void
  at<A, B>(time: number, run: (a: A, b: B) => void, a: A, b: B): void
  at(time: number, run: Happening, a?: unknown, b?: unknown): void {
    if (time === Number.POSITIVE_INFINITY) return
    const slot = this.#freeSlots.pop() ?? this.#runs.length
    const due = Math.max(time, this.#now)
    this.#times[slot] = due
    this.#runs[slot] = run
    this.#first[slot] = a
    this.#second[slot] = b
    const day = dayOf(due)
    if (day <= this.#day) this.#insertToday(slot)
    else this.#enter(slot, day % PAGES)
  }

  /** Lets everything happen up to and including `time`. */
  runUntil(time: number): void {
    const lastDay = dayOf(time)
    while (this.#liveToday(time) && this.#day < lastDay) this.#turnTo(this.#nextDay(lastDay))
    this.#now = Math.max(time, this.#now)
  }

  /** Whether the whole day is over. */
  #liveToday(until: number): boolean {
    const today = this.#today
    while (this.#position < today.length) {
      const slot = today[this.#position] as number
      const due = this.#times[slot] as number
      if (due > until) return false
      this.#position++
      this.#now = due
      const run = this.#runs[slot] as Happening
      const a = this.#first[slot]
      const b = this.#second[slot]
      this.#first[slot] = undefined
      this.#second[slot] = undefined
      this.#freeSlots.push(slot)
      run(a, b)
    }
    return true
  }

  /** The next day on whose page there is something, or the last. */
  #nextDay(last: number): number {
    const pages = this.#pages
    let day = this.#day + 1
    while (day < last && pages[day % PAGES] === NONE) day++
    return day
  }

  #turnTo(day: number): void {
    this.#day = day
    this.#today.length = 0
    this.#position = 0
    const page = day % PAGES
    const last = this.#pages[page] as number
    if (last !== NONE) this.#sortOut(page, this.#inOrder(last))
  }

  /** The slots of a page in the order they were put down, which the links have the other way round. */
  #inOrder(last: number): readonly number[] {
    const slots: number[] = []
    for (let slot = last; slot !== NONE; slot = this.#before[slot] as number) slots.push(slot)
    return slots.reverse()
  }

  #sortOut(page: number, slots: readonly number[]): void {
    this.#pages[page] = NONE
    for (const slot of slots) {
      if (dayOf(this.#times[slot] as number) === this.#day) this.#insertToday(slot)
      else this.#enter(slot, page)
    }
  }

  #enter(slot: number, page: number): void {
    this.#before[slot] = this.#pages[page] as number
    this.#pages[page] = slot
  }

  /** Behind everything that is due at the same time: it was put down later. */
  #insertToday(slot: number): void {
    const today = this.#today
    const due = this.#times[slot] as number
    let position = today.length
    for (; position > this.#position; position--) {
      const earlier = today[position - 1] as number
      if ((this.#times[earlier] as number) <= due) break
      today[position] = earlier
    }
    today[position] = slot
  }
}

function dayOf(time: number): number {
  return Math.floor(time * DAYS_PER_MS)
}
