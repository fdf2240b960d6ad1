/** Asks a node something over the mesh, for somebody who waits for the answer. */
import { randomUUID } from 'node:crypto'
import { StarlingError } from '../common/errors.ts'
import type { SignedStatement } from '../mesh/core/model.ts'

/** A question goes over every edge of the mesh, so that people may not ask as a poller would. */
const OPEN_MAX = 4

export interface Asked<Query> {
  readonly id: string
  readonly node: string
  readonly query: Query
}

/** What a desk asks about. */
export interface Errand<Query, Answer> {
  /** The topic of an answer. */
  readonly answerTopic: string
  /** How long an answer is awaited. */
  readonly withinMs: number
  /** How long a question is passed on. */
  readonly ttlMs: number
  /** The topic and the bytes of a question. */
  question(asked: Asked<Query>): readonly [topic: string, bytes: Uint8Array]
  /** Throws an Error for what is no answer of `signer`'s. */
  answer(signer: string, bytes: Uint8Array): { readonly id: string; readonly answer: Answer }
  /** What else can be done when a node does not answer. */
  remedy(asked: Asked<Query>): string
}

type Publish = (topic: string, bytes: Uint8Array, ttlMs: number) => void

export class NodeDesk<Query, Answer> {
  readonly #errand: Errand<Query, Answer>
  readonly #open = new Map<string, { readonly node: string; readonly resolve: (answer: Answer) => void }>()

  #publish: Publish | undefined

  constructor(errand: Errand<Query, Answer>) {
    this.#errand = errand
  }

  /** The mesh runs. */
  start(publish: Publish): void {
    this.#publish = publish
  }

  /** Rejects with a StarlingError when the node does not answer, or too many ask at once. */
  async ask(node: string, query: Query): Promise<Answer> {
    const { withinMs, ttlMs, question, remedy } = this.#errand
    const publish = this.#publish
    if (publish === undefined) throw new StarlingError('the mesh is starting', { remedy: 'try again in a second' })
    if (this.#open.size >= OPEN_MAX) {
      throw new StarlingError(`${OPEN_MAX} questions are open already`, { remedy: 'ask again in a few seconds' })
    }
    const asked = { id: randomUUID(), node, query }
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.#open.set(asked.id, { node, resolve })
        timer = setTimeout(() => {
          reject(new StarlingError(`${node} did not answer within ${withinMs / 1_000} s`, { remedy: remedy(asked) }))
        }, withinMs)
        publish(...question(asked), ttlMs)
      })
    } finally {
      clearTimeout(timer)
      this.#open.delete(asked.id)
    }
  }

  /** Returns whether it was an answer. Throws an Error for one that is none of its signer's. */
  hear({ statement: { signer, body } }: SignedStatement): boolean {
    if (body.kind !== 'note' || body.topic !== this.#errand.answerTopic) return false
    const { id, answer } = this.#errand.answer(signer, body.bytes)
    const open = this.#open.get(id)
    if (open?.node === signer) open.resolve(answer)
    return true
  }
}
