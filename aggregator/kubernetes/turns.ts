/** Work on one node at a time: what is asked for while it runs is done once more afterwards, however often it was asked. */
export class Turns {
  readonly #work: (node: string) => Promise<void>
  readonly #running = new Map<string, { again: boolean }>()
  #idle: (() => void)[] = []

  /** `work` must not reject. */
  constructor(work: (node: string) => Promise<void>) {
    this.#work = work
  }

  take(node: string): void {
    const running = this.#running.get(node)
    if (running !== undefined) running.again = true
    else void this.#run(node)
  }

  /** Resolves when nothing is being worked on. */
  async idle(): Promise<void> {
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  async #run(node: string): Promise<void> {
    const turn = { again: true }
    this.#running.set(node, turn)
    while (turn.again) {
      turn.again = false
      await this.#work(node)
    }
    this.#running.delete(node)
    if (this.#running.size === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }
}
