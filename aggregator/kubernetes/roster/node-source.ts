/** Where the Node objects of a cluster come from: an API server, or a test. */
import type { ListedNode } from './listed-node.ts'

export interface NodeSource {
  /** As last heard. Undefined before the first complete LIST: then nothing is known, and nothing follows from it. */
  readonly nodes: readonly ListedNode[] | undefined
  /** Why what is known may be out of date; undefined while changes come in. */
  readonly stale: string | undefined
  /** Calls back when `nodes` or `stale` changed. Once. */
  start(onChange: () => void): void
  stop(): void
}
