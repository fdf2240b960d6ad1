/**
 * Findings that our marks stood for when this process took over: agents say theirs again to a new leader, and until they had
 * the time for it their Nodes speak for them. Undone at once, and written again seconds later, marks would make pods move.
 */
import type { Finding } from '../../detectors/contract.ts'
import { EXPIRED } from '../fleet.ts'
import type { NodeObject } from './marking/objects.ts'
import { findingOn } from './marking/shown.ts'

/** Members say again what holds with the first roll-call of a term, which is there within seconds. */
const INHERITED_MS = 30_000

export class InheritedFindings {
  readonly #untilMs: number
  readonly #now: () => number
  #found: ReadonlyMap<string, Finding> | undefined

  /** Begins with a leadership. `now`: monotonic, ms. */
  constructor(now: () => number) {
    this.#now = now
    this.#untilMs = now() + INHERITED_MS
  }

  /** All nodes of the cluster; only the first time that they are read is of interest. */
  saw(nodes: readonly NodeObject[]): void {
    this.#found ??= new Map(nodes.flatMap((node) => findingOn(node) ?? []).map((finding) => [finding.node, finding]))
  }

  /** With what was found before, as long as the node's detector has not been heard since. */
  of(node: string, heard: readonly Finding[]): readonly Finding[] {
    const found = this.#now() < this.#untilMs ? this.#found?.get(node) : undefined
    // What has expired was said to an earlier life of this process at the latest.
    const isHeard = heard.some(({ detector, reason }) => detector === found?.detector && reason !== EXPIRED)
    return found === undefined || isHeard ? heard : [...heard, found]
  }
}
