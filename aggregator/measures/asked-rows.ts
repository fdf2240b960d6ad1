/**
 * What nodes measured, asked of one after the other on short streams: eight at once, and spread over most of a minute, so that
 * neither this aggregator nor the network has a busy second in each.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../common/log.ts'
import { encodeQuestion, MEASURES_TOPIC, type MeasureQuestion } from '../../inspection/measure-words.ts'
import type { MeshNode } from '../../mesh/libp2p/running-node.ts'
import type { MeasureRows } from './rows.ts'

const AT_ONCE = 8
/** Of them, those that begin with nodes that did not answer the last time: each of these may take all of ANSWER_MS_MAX. */
const FOR_THE_SILENT = 2
const ANSWER_MS_MAX = 5_000
/** Over which a round is spread. */
const ROUND_MS = 45_000
/** The most that there is between two questions: a small mesh is through at once. */
const GAP_MS_MAX = 50

export class AskedRows implements MeasureRows {
  readonly #ask: MeshNode['ask']
  readonly #log: Log
  #silent: ReadonlySet<string> = new Set()

  constructor(ask: MeshNode['ask'], log: Log) {
    this.#ask = ask
    this.#log = log
  }

  async collect(
    question: MeasureQuestion,
    nodes: readonly string[],
    take: (node: string, answer: Uint8Array) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const bytes = encodeQuestion(question)
    const [fine, silent] = [nodes.filter((n) => !this.#silent.has(n)), nodes.filter((n) => this.#silent.has(n))]
    const failed = new Set<string>()
    const gapMs = Math.min(GAP_MS_MAX, ROUND_MS / Math.max(1, nodes.length))
    let nextMs = performance.now()
    const askOne = async (node: string) => {
      try {
        take(node, await this.#ask(node, MEASURES_TOPIC, bytes, ANSWER_MS_MAX))
      } catch (error) {
        failed.add(node)
        this.#log.debug({ node, err: String(error) }, 'no measures of this node')
      }
    }
    const work = async (first: string[], second: string[]) => {
      for (let node = first.shift() ?? second.shift(); node !== undefined; node = first.shift() ?? second.shift()) {
        nextMs = Math.max(nextMs + gapMs, performance.now())
        await sleep(Math.max(0, nextMs - performance.now()), undefined, { signal }).catch(() => {})
        if (signal.aborted) return
        await askOne(node)
      }
    }
    const workers = Array.from({ length: AT_ONCE }, (_, index) =>
      index < FOR_THE_SILENT ? work(silent, fine) : work(fine, silent),
    )
    await Promise.all(workers)
    // With those for whom there was no time.
    this.#silent = new Set([...failed, ...silent])
  }
}
