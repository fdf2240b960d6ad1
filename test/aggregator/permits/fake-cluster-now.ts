/** Nodes and pods in memory, as an API server lists them: in pages, and pods by label selector. */
import { ApiError, type ApiErrorKind } from '../../../aggregator/kubernetes/api-error.ts'
import type { Call, KubeClient } from '../../../aggregator/kubernetes/client.ts'
import type { NodeObject, PodObject } from '../../../aggregator/kubernetes/marking/objects.ts'
import { node, pod } from '../../kubernetes/objects.ts'
import type { NodeMarks } from './cluster-now-conformance.ts'

export class FakeLists implements Pick<KubeClient, 'call'> {
  /** How many items a page has, whatever was asked for. */
  pageSize = 500
  /** Of every request from now on. */
  failing: ApiErrorKind | undefined
  readonly calls: Call[] = []
  readonly #nodes = new Map<string, NodeObject>()
  readonly #pods: PodObject[] = []

  putNode(name: string, isReady: boolean, { annotations, ...words }: NodeMarks = {}): void {
    const made = node(name, { ...words, ready: { status: isReady ? 'True' : 'False' } })
    this.#nodes.set(name, annotations === undefined ? made : { ...made, metadata: { ...made.metadata, annotations } })
  }

  makePod(name: string, on: string, labels: Readonly<Record<string, string>>, phase: string): void {
    this.#pods.push(pod(name, on, { labels, phase }))
  }

  call = async <T>(call: Call): Promise<T> => {
    this.calls.push(call)
    if (this.failing !== undefined) throw new ApiError(this.failing, 0, 'no answer')
    const { ref, query = {} } = call
    if (call.verb !== 'list') throw new Error(`nobody asked for ${call.verb}`)
    const all = ref.resource === 'nodes' ? [...this.#nodes.values()] : this.#pods.filter((each) => isAsked(each, query))
    const from = Number(query.continue ?? 0)
    const next = from + this.pageSize
    const rest = next < all.length ? { continue: String(next) } : {}
    return { metadata: rest, items: all.slice(from, next) } as T
  }
}

function isAsked({ metadata: { labels = {} }, status }: PodObject, { labelSelector = '' }: Record<string, string>) {
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return false
  return labelSelector.split(',').every((term) => {
    const [, key = '', not, value] = /^([^!=]+)(?:(!?)=(.*))?$/.exec(term) ?? []
    if (value === undefined) return key in labels
    return (labels[key] === value) !== (not === '!')
  })
}
