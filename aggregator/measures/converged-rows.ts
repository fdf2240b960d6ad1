/**
 * What nodes measured, brought by one another: a question to each node by itself is a handshake with each, which thousands are
 * too many for. A mesh that is small enough for the first hop to reach all of it is asked node by node.
 */
import { encodeQuestion, MEASURES_TOPIC, type MeasureQuestion } from '../../inspection/measure-words.ts'
import { HEADS_MAX } from '../../mesh/core/convergecast.ts'
import { type Convergable, converge } from '../../mesh/libp2p/convergecast.ts'
import type { MeasureRows } from './rows.ts'

/** Figures are taken for as old as they are when the last has come: no longer than this. */
const WITHIN_MS = 10_000

export class ConvergedRows implements MeasureRows {
  readonly #mesh: Convergable
  readonly #asker: string
  readonly #few: MeasureRows

  /** `few`: how a mesh of no more than HEADS_MAX is asked. */
  constructor(mesh: Convergable, asker: string, few: MeasureRows) {
    this.#mesh = mesh
    this.#asker = asker
    this.#few = few
  }

  async collect(
    question: MeasureQuestion,
    nodes: readonly string[],
    take: (node: string, answer: Uint8Array) => void,
    signal: AbortSignal,
  ): Promise<void> {
    if (nodes.length <= HEADS_MAX) {
      await this.#few.collect(question, nodes, take, signal)
      return
    }
    const query = { topic: MEASURES_TOPIC, parameters: encodeQuestion(question), withinMs: WITHIN_MS, names: nodes }
    const { rows } = await converge(this.#mesh, this.#asker, query, () => {})
    if (signal.aborted) return
    for (const [node, { bytes }] of rows) take(node, bytes)
  }
}
