/** The containers of this node, from what the usage meter kept of its last minute. */
import type { UsageRing } from '../../detectors/usage/ring.ts'
import { NODE } from '../../detectors/usage/subjects.ts'
import type { ContainerFigures } from '../../inspection/measure-words.ts'

const CONTAINER = 'container/'

export interface NodeSize {
  readonly processors: number
  readonly memoryBytes: number
}

/** `minute`: which one it was, since 1970 by the wall clock; 0 before the first. */
export function containersOf(
  usage: UsageRing,
  { processors, memoryBytes }: NodeSize,
): { readonly minute: number; readonly containers: readonly ContainerFigures[] } {
  const last = (name: string, figure: 'cpu' | 'memory') => usage.series(name, figure, 1).values[0]
  const containers = usage.names.flatMap((name): ContainerFigures[] => {
    if (!name.startsWith(CONTAINER)) return []
    const [milli, bytes] = [last(name, 'cpu'), last(name, 'memory')]
    // Of a limit that is above what there is, only that much can be had.
    const most = Math.min(usage.limitOf(name) ?? memoryBytes, memoryBytes)
    const figures = {
      ...(milli === undefined || processors === 0 ? {} : { cpu: Math.min(100, milli / 10 / processors) }),
      ...(bytes === undefined || most === 0 ? {} : { memory: Math.min(100, (100 * bytes) / most) }),
    }
    return Object.keys(figures).length === 0 ? [] : [{ name: name.slice(CONTAINER.length), figures }]
  })
  return { minute: usage.series(NODE, 'cpu', 1).minutes[0] ?? 0, containers }
}
