/** What each Node wants of gates, as marking last read or wrote it: no request is made for this alone. Pure. */
import { type NodeGate, nodeGate } from '../marking/gates.ts'
import type { NodeObject } from '../marking/objects.ts'

interface Known {
  readonly version: string
  readonly gate: NodeGate
}

export class NodeGates {
  readonly #known = new Map<string, Known>()

  /** Undefined: not known. */
  of(node: string): NodeGate | undefined {
    return this.#known.get(node)?.gate
  }

  /** Takes what was read, unless it is older than what is known. Returns the nodes that want something else than before. */
  saw(nodes: readonly NodeObject[]): ReadonlySet<string> {
    const changed = new Set<string>()
    for (const node of nodes) {
      const { name, resourceVersion: version } = node.metadata
      const before = this.#known.get(name)
      // A LIST from a server's cache may be older than what was written last.
      if (before !== undefined && BigInt(before.version) >= BigInt(version)) continue
      const gate = nodeGate(node)
      this.#known.set(name, { version, gate })
      if (before === undefined || wordOf(before.gate) !== wordOf(gate)) changed.add(name)
    }
    return changed
  }

  /** These are all there are: the others are forgotten. */
  keep(nodes: readonly NodeObject[]): void {
    const names = new Set(nodes.map(({ metadata }) => metadata.name))
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name)
  }
}

function wordOf(gate: NodeGate): string {
  return gate.kind === 'closed' ? `closed ${gate.reason}` : gate.kind
}
