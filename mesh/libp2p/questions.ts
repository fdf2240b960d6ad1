/** Which part of a node answers which question: one answer to each topic. */
import type { Answerer } from './asks.ts'

export type Answer = (from: string, bytes: Uint8Array) => Promise<Uint8Array>

export class Questions {
  readonly #answers = new Map<string, Answer>()

  /** Whether the one who asks may is for `answer` to check: any member can ask anything. */
  on(topic: string, answer: Answer): void {
    if (this.#answers.has(topic)) throw new Error(`${topic} is answered already`)
    this.#answers.set(topic, answer)
  }

  /** Rejects for what nobody answers here. */
  readonly answer: Answerer = async (from, topic, bytes) => {
    const answer = this.#answers.get(topic)
    if (answer === undefined) throw new Error(`${topic} cannot be asked here`)
    return await answer(from, bytes)
  }
}
