/** The Nodes of a cluster, and the record of the epoch, in memory. What a test makes of them is told at once. */
import { ApiError } from '../../aggregator/kubernetes/api-error.ts'
import type { NodeObject } from '../../aggregator/kubernetes/marking/objects.ts'
import type { EpochRecord, EpochStore } from '../../aggregator/kubernetes/roster/epoch-record.ts'
import type { NodeSource } from '../../aggregator/kubernetes/roster/node-source.ts'
import { NodeTable } from '../../aggregator/kubernetes/roster/node-table.ts'
import type { WatchKind } from '../../aggregator/kubernetes/watch.ts'

export interface NodeParts {
  readonly zone: string
  readonly addresses: readonly string[]
}

export function nodeObject(name: string, uid: string, version: number, parts: NodeParts): NodeObject {
  const labels = { 'topology.kubernetes.io/zone': parts.zone }
  const addresses = parts.addresses.map((address) => ({ type: 'InternalIP', address }))
  const status = { addresses, daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } } }
  return { metadata: { name, uid, resourceVersion: String(version), labels }, status }
}

export class FakeNodes {
  readonly #objects = new Map<string, NodeObject>()
  readonly #sources = new Set<FakeSource>()
  #version = 1

  open(): NodeSource {
    return new FakeSource((source, isOn) => {
      if (!isOn) this.#sources.delete(source)
      else {
        this.#sources.add(source)
        source.table.list(String(this.#version), [...this.#objects.values()])
      }
    })
  }

  put(name: string, parts: NodeParts): void {
    const version = ++this.#version
    const uid = this.#objects.get(name)?.metadata.uid ?? `uid-${name}-${version}`
    const object = nodeObject(name, uid, version, parts)
    this.#objects.set(name, object)
    this.#tell('MODIFIED', object)
  }

  remove(name: string): void {
    const object = this.#objects.get(name)
    if (object === undefined) return
    this.#objects.delete(name)
    const metadata = { ...object.metadata, resourceVersion: String(++this.#version) }
    this.#tell('DELETED', { ...object, metadata })
  }

  #tell(kind: WatchKind, object: NodeObject): void {
    for (const source of this.#sources) if (source.table.event(kind, object)) source.onChange()
  }
}

class FakeSource implements NodeSource {
  readonly table = new NodeTable()
  readonly #switch: (source: FakeSource, isOn: boolean) => void
  onChange = () => {}

  constructor(onSwitch: (source: FakeSource, isOn: boolean) => void) {
    this.#switch = onSwitch
  }

  get nodes() {
    return this.table.nodes
  }

  get stale(): string | undefined {
    return this.table.version === undefined ? 'it has not been listed yet' : undefined
  }

  start(onChange: () => void): void {
    this.onChange = onChange
    this.#switch(this, true)
    onChange()
  }

  stop(): void {
    this.#switch(this, false)
  }
}

export class FakeEpochStore implements EpochStore {
  record: EpochRecord | undefined
  /** Makes the next write fail after it was, or was not, carried out. */
  failing: 'lost-reply' | 'lost-request' | undefined
  isDown = false
  writes = 0
  #version = 0

  async read() {
    if (this.isDown) throw new ApiError('unreachable', 0, 'nobody answers')
    return { record: this.record, version: this.#version === 0 ? undefined : String(this.#version) }
  }

  async write({ version }: { readonly version: string | undefined }, next: EpochRecord): Promise<void> {
    const { failing } = this
    this.failing = undefined
    if (failing === 'lost-request') throw new ApiError('timeout', 0, 'no answer')
    if (version !== (await this.read()).version) throw new ApiError('conflict', 409, 'somebody wrote first')
    this.set(next)
    if (failing === 'lost-reply') throw new ApiError('timeout', 0, 'no answer')
  }

  /** As another leader does. */
  set(record: EpochRecord | undefined): void {
    this.#version++
    this.writes++
    this.record = record
  }
}
