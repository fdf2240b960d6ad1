/** Work on one node at a time: what is asked for while it runs is done once more afterwards, however often it was asked. */
export class Turns {
  readonly #work: (node: string) => Promise<void>
  readonly #running = new Map<string, { again: boolean }>()
  /** Until when nothing is done for a node, whoever asks. */
  readonly #pauses = new Map<string, NodeJS.Timeout>()
  #idle: (() => void)[] = []

  /** `work` must not reject. */
  constructor(work: (node: string) => Promise<void>) {
    this.#work = work
  }

  take(node: string): void {
    if (this.#pauses.has(node)) return
    const running = this.#running.get(node)
    if (running !== undefined) running.again = true
    else void this.#run(node)
  }

  /** Nothing is done for this node for so long, and then once what was asked for. A later pause replaces one that runs. */
  pause(node: string, ms: number): void {
    clearTimeout(this.#pauses.get(node))
    const over = () => {
      this.#pauses.delete(node)
      this.take(node)
    }
    this.#pauses.set(node, setTimeout(over, ms))
  }

  /** Resolves when nothing is being worked on; what was put off by a pause is not done any more. */
  async stop(): Promise<void> {
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
    for (const timer of this.#pauses.values()) clearTimeout(timer)
  }

  async #run(node: string): Promise<void> {
    const turn = { again: true }
    this.#running.set(node, turn)
    while (turn.again && !this.#pauses.has(node)) {
      turn.again = false
      await this.#work(node)
    }
    this.#running.delete(node)
    if (this.#running.size === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }
}
