/** Virtual time: what is to happen, in order of time and, at the same time, in the order it was put down. */
export class Agenda {
  readonly #heap: { readonly at: number; readonly order: number; readonly run: () => void }[] = []
  #order = 0
  #now = 0

  get now(): number {
    return this.#now
  }

  at(time: number, run: () => void): void {
    const heap = this.#heap
    heap.push({ at: Math.max(time, this.#now), order: this.#order++, run })
    for (let child = heap.length - 1; child > 0; ) {
      const parent = (child - 1) >> 1
      if (this.#isBefore(parent, child)) break
      this.#swap(parent, child)
      child = parent
    }
  }

  /** Lets everything happen up to and including `time`. */
  runUntil(time: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= time; next = this.#heap[0]) {
      this.#now = next.at
      this.#dropFirst()
      next.run()
    }
    this.#now = time
  }

  #dropFirst(): void {
    const heap = this.#heap
    this.#swap(0, heap.length - 1)
    heap.pop()
    for (let parent = 0; ; ) {
      const left = parent * 2 + 1
      if (left >= heap.length) break
      const least = left + 1 < heap.length && this.#isBefore(left + 1, left) ? left + 1 : left
      if (this.#isBefore(parent, least)) break
      this.#swap(parent, least)
      parent = least
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [first, second] = [this.#heap[a], this.#heap[b]]
    if (first === undefined || second === undefined) return false
    return first.at - second.at < 0 || (first.at === second.at && first.order < second.order)
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]]
    if (first === undefined || second === undefined) return
    this.#heap[a] = second
    this.#heap[b] = first
  }
}
