/** How what nodes measured comes to the aggregator that leads. */
import type { MeasureQuestion } from '../../inspection/measure-words.ts'

export interface MeasureRows {
  /**
   * Puts the question to these nodes and hands on each answer as it comes; whoever it is from is certain, what it says is not.
   * Resolves when all have answered, failed, or `signal` is aborted; never rejects.
   */
  collect(
    question: MeasureQuestion,
    nodes: readonly string[],
    take: (node: string, answer: Uint8Array) => void,
    signal: AbortSignal,
  ): Promise<void>
}
