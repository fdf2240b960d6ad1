/** Asks a node what it, its services and its containers used, for somebody who waits for the answer. */
import { randomUUID } from 'node:crypto'
import { StarlingError } from '../common/errors.ts'
import {
  askTopic,
  decodeTold,
  encodeAsk,
  USAGE_TOPIC,
  USAGE_TTL_MS,
  type UsageAnswer,
  type UsageQuery,
} from '../detectors/usage/notes.ts'
import type { SignedStatement } from '../mesh/core/model.ts'

/** A question goes over every edge of the mesh, so that people may not ask as a poller would. */
const OPEN_MAX = 4
/** There and back take a fraction of a second; then the node is cut off, or its agent is of before this question. */
const ANSWER_WITHIN_MS = 5_000

type Publish = (topic: string, bytes: Uint8Array, ttlMs: number) => void

export class UsageDesk {
  readonly #open = new Map<string, { readonly node: string; readonly resolve: (answer: UsageAnswer) => void }>()

  #publish: Publish | undefined

  /** The mesh runs. */
  start(publish: Publish): void {
    this.#publish = publish
  }

  /** Rejects with a StarlingError when the node does not answer, or too many ask at once. */
  async ask(node: string, query: UsageQuery): Promise<UsageAnswer> {
    const publish = this.#publish
    if (publish === undefined) throw new StarlingError('the mesh is starting', { remedy: 'try again in a second' })
    if (this.#open.size >= OPEN_MAX) {
      throw new StarlingError(`${OPEN_MAX} questions are open already`, { remedy: 'ask again in a few seconds' })
    }
    const id = randomUUID()
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<UsageAnswer>((resolve, reject) => {
        this.#open.set(id, { node, resolve })
        timer = setTimeout(() => {
          const remedy = 'on the node itself, `starling usage --local` asks its agent'
          reject(new StarlingError(`${node} did not answer within ${ANSWER_WITHIN_MS / 1_000} s`, { remedy }))
        }, ANSWER_WITHIN_MS)
        publish(askTopic(node), encodeAsk({ id, node, query }), USAGE_TTL_MS)
      })
    } finally {
      clearTimeout(timer)
      this.#open.delete(id)
    }
  }

  /** Returns whether it was an answer. Throws an Error for one that is none of its signer's. */
  hear({ statement: { signer, body } }: SignedStatement): boolean {
    if (body.kind !== 'note' || body.topic !== USAGE_TOPIC) return false
    const { id, answer } = decodeTold(signer, body.bytes)
    const open = this.#open.get(id)
    if (open?.node === signer) open.resolve(answer)
    return true
  }
}
