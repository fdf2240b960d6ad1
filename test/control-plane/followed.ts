/** How one object went on, by a WATCH: who looks now and then misses what came and went in between. */
import { type Endpoints, isReady, type Node } from '../../bench/control-plane/objects.ts'
import type { ApiRequests } from '../../bench/control-plane/requests.ts'

export interface Followed {
  /** What was to be seen, from when it began to be followed; the same once in a row. */
  readonly seen: readonly string[]
  stop(): void
}

export function followReady(api: ApiRequests, node: string): Followed {
  return follow<Node>(api, '/api/v1/nodes', node, (object) => (isReady(object) ? 'Ready' : 'not Ready'))
}

/** The keys of its taints, sorted. */
export function followTaints(api: ApiRequests, node: string): Followed {
  return follow<Node>(api, '/api/v1/nodes', node, ({ spec }) =>
    (spec.taints ?? [])
      .map(({ key }) => key)
      .toSorted()
      .join(' '),
  )
}

/** The names of the pods that a Service sends to. */
export function followEndpoints(api: ApiRequests, service: string): Followed {
  return follow<Endpoints>(api, '/api/v1/namespaces/default/endpoints', service, ({ subsets = [] }) => {
    const addresses = subsets.flatMap((subset) => subset.addresses ?? [])
    return addresses
      .map(({ targetRef }) => targetRef?.name ?? '')
      .toSorted()
      .join(' ')
  })
}

function follow<T>(api: ApiRequests, path: string, name: string, tell: (object: T) => string): Followed {
  const seen: string[] = []
  const add = (what: string) => {
    if (seen.at(-1) !== what) seen.push(what)
  }
  const stop = api.watch<{ readonly type: string; readonly object: T }>(
    `${path}?watch=true&fieldSelector=metadata.name%3D${name}`,
    ({ type, object }) => add(type === 'ADDED' || type === 'MODIFIED' ? tell(object) : type),
    (why) => add(`the watch ended: ${why}`),
  )
  return { seen, stop }
}
