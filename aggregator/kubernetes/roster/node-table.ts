/**
 * The Nodes as an API server tells them: a LIST, and then events. What is older than what is known is not taken, whoever
 * sends it. Pure.
 */
import type { NodeObject } from '../marking/objects.ts'
import type { WatchKind } from '../watch.ts'
import { type ListedNode, listedNode } from './listed-node.ts'

export class NodeTable {
  #nodes: Map<string, ListedNode> | undefined
  #version: string | undefined

  get nodes(): readonly ListedNode[] | undefined {
    return this.#nodes === undefined ? undefined : [...this.#nodes.values()]
  }

  /** The resourceVersion up to which all is known; undefined before the first LIST. */
  get version(): string | undefined {
    return this.#version
  }

  /** Takes a whole LIST. Throws an Error for one that is not believed: then everything stays as it was. */
  list(version: string, objects: readonly NodeObject[]): void {
    if (isOlder(version, this.#version)) {
      throw new Error(`it lists an earlier state (${version}) than was seen before (${this.#version})`)
    }
    if (objects.length === 0) throw new Error('it lists no Node at all')
    const nodes = new Map<string, ListedNode>()
    for (const object of objects) {
      const node = listedNode(object)
      if (node === undefined) throw new Error('it lists a Node without a name or a uid')
      nodes.set(node.name, node)
    }
    this.#nodes = nodes
    this.#version = version
  }

  /** Whether anything changed that the roster takes from a Node. An event that is not news is passed over. */
  event(kind: WatchKind, object: NodeObject): boolean {
    const version = object.metadata?.resourceVersion
    const nodes = this.#nodes
    if (nodes === undefined || version === undefined || !isOlder(this.#version, version)) return false
    this.#version = version
    const node = kind === 'BOOKMARK' ? undefined : listedNode(object)
    if (node === undefined) return false
    const known = nodes.get(node.name)
    if (kind === 'DELETED') return nodes.delete(node.name)
    nodes.set(node.name, node)
    return JSON.stringify(known) !== JSON.stringify(node)
  }
}

/** resourceVersions of one etcd are numbers, however long. */
function isOlder(version: string | undefined, than: string | undefined): boolean {
  return than !== undefined && (version === undefined || BigInt(version) < BigInt(than))
}
