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
/** Slots that are quicker put in order one by one than by a general sort. */
const FEW = 40

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
  /** Today's slots as they were in the calendar, and those that were put down since: both in order, merged as they happen. */
  readonly #today: number[] = []
  readonly #added: number[] = []
  /** Where in each what is yet to happen begins. */
  #todayFrom = 0
  #addedFrom = 0
  #day = 0
  #now = 0
  // Stable: what is due at the same time stays in the order it was put down.
  readonly #byTime = (slot: number, other: number) => (this.#times[slot] as number) - (this.#times[other] as number)

  get now(): number {
    return this.#now
  }

  /** How much is yet to happen. */
  get size(): number {
    return this.#runs.length - this.#freeSlots.length
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
    if (day > this.#day) this.#enter(slot, day % PAGES)
    else this.#settle(this.#added, this.#added.push(slot) - 1, this.#addedFrom)
  }

  /** Lets everything happen up to and including `time`. */
  runUntil(time: number): void {
    const lastDay = dayOf(time)
    while (this.#liveToday(time) && this.#day < lastDay) this.#turnTo(this.#nextDay(lastDay))
    this.#now = Math.max(time, this.#now)
  }

  /** Whether the whole day is over. */
  #liveToday(until: number): boolean {
    for (;;) {
      const planned = this.#today[this.#todayFrom]
      const added = this.#added[this.#addedFrom]
      const isPlanned = planned !== undefined && (added === undefined || this.#isNotAfter(planned, added))
      const slot = isPlanned ? planned : added
      if (slot === undefined) return true
      const due = this.#times[slot] as number
      if (due > until) return false
      if (isPlanned) this.#todayFrom++
      else this.#addedFrom++
      this.#now = due
      this.#happen(slot)
    }
  }

  #happen(slot: number): void {
    const run = this.#runs[slot] as Happening
    const a = this.#first[slot]
    const b = this.#second[slot]
    this.#first[slot] = undefined
    this.#second[slot] = undefined
    this.#freeSlots.push(slot)
    run(a, b)
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
    this.#todayFrom = 0
    this.#addedFrom = 0
    this.#added.length = 0
    const today = this.#today
    today.length = 0
    const page = day % PAGES
    const ofLaterYears: number[] = []
    for (let slot = this.#pages[page] as number; slot !== NONE; slot = this.#before[slot] as number) {
      if (dayOf(this.#times[slot] as number) === day) today.push(slot)
      else ofLaterYears.push(slot)
    }
    this.#pages[page] = NONE
    // The links have the latest first.
    for (const slot of ofLaterYears.reverse()) this.#enter(slot, page)
    today.reverse()
    if (today.length > FEW) today.sort(this.#byTime)
    else for (let end = 1; end < today.length; end++) this.#settle(today, end, 0)
  }

  #enter(slot: number, page: number): void {
    this.#before[slot] = this.#pages[page] as number
    this.#pages[page] = slot
  }

  /** Moves the last of these slots, whose others are in order from `from` on, behind all that are not due later. */
  #settle(slots: number[], last: number, from: number): void {
    const slot = slots[last] as number
    let position = last
    for (; position > from; position--) {
      const earlier = slots[position - 1] as number
      if (this.#isNotAfter(earlier, slot)) break
      slots[position] = earlier
    }
    slots[position] = slot
  }

  #isNotAfter(slot: number, other: number): boolean {
    return (this.#times[slot] as number) <= (this.#times[other] as number)
  }
}

function dayOf(time: number): number {
  return Math.floor(time * DAYS_PER_MS)
}
