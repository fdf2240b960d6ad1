/**
 * The last hour of what all nodes measured, minute by minute: 2.9 KB a node, and half a KB a container. Containers are asked
 * for only while somebody wants them.
 */
import {
  CONTAINER_MEASURES,
  HOUR_MS,
  MEASURE_NAMES,
  type MeasureAnswer,
  MINUTE_MS,
} from '../../inspection/measure-words.ts'
import type { MeasureName } from '../../inspection/measures.ts'
import { type Average, MinuteRing } from './minutes.ts'
import type { PodLabels } from './pod-labels.ts'
import type { MeasureAverage, MeasuredSubject, MeasureSource, MissingLabel, PodLabel } from './source.ts'
import { WORKLOAD, workloadOf } from './workloads.ts'

/** For all nodes together: 24 MB of figures, and their names. What is more is left out. */
const CONTAINERS_MAX = 50_000
/** How long containers are asked for after somebody wanted them last. */
const WANTED_FOR_MS = 10 * MINUTE_MS

type Container = NonNullable<MeasuredSubject['container']>

interface NodeFigures {
  readonly host: MinuteRing
  readonly containers: Map<string, { readonly who: Container; readonly ring: MinuteRing }>
}

export interface FleetMeasuresInit {
  /** Monotonic ms. */
  readonly now: () => number
  /** Undefined for a node that is not a member. */
  readonly poolOf: (node: string) => string | undefined
  readonly pods: PodLabels
}

export class FleetMeasures implements MeasureSource {
  readonly #init: FleetMeasuresInit
  readonly #nodes = new Map<string, NodeFigures>()
  #containers = 0
  #wantedAtMs = Number.NEGATIVE_INFINITY

  constructor(init: FleetMeasuresInit) {
    this.#init = init
  }

  get wantsContainers(): boolean {
    return this.#init.now() - this.#wantedAtMs <= WANTED_FOR_MS
  }

  /** When the minute began that was heard of last; undefined of a node that was never heard. */
  heardMs(node: string): number | undefined {
    return this.#nodes.get(node)?.host.newestBeganMs
  }

  /** What a member answered. */
  take(node: string, { minute, passedMs, minutes, containerMinute, containers }: MeasureAnswer): void {
    const nowMs = this.#init.now()
    const known = this.#nodes.get(node) ?? { host: new MinuteRing(MEASURE_NAMES.length), containers: new Map() }
    this.#nodes.set(node, known)
    const rows = minutes.map((figures) => MEASURE_NAMES.map((name) => figures[name]))
    known.host.put(minute, passedMs, nowMs, rows)
    for (const { name, figures } of containers) {
      const container = known.containers.get(name) ?? this.#place(known, name)
      const row = CONTAINER_MEASURES.map((measure) => figures[measure])
      // It was whole when it was asked for. The same once more is of a meter that stands still, and no news.
      if (container?.ring.newest !== containerMinute) container?.ring.put(containerMinute, MINUTE_MS, nowMs, [row])
    }
    for (const [name, { ring }] of known.containers) {
      if (ring.newestBeganMs < nowMs - HOUR_MS) this.#drop(known, name)
    }
  }

  /** Lets go of nodes that are not members any more. */
  retain(): void {
    for (const [node, known] of this.#nodes) {
      if (this.#init.poolOf(node) !== undefined) continue
      for (const name of known.containers.keys()) this.#drop(known, name)
      this.#nodes.delete(node)
    }
  }

  missing(labels: readonly PodLabel[]): MissingLabel | undefined {
    // Each of them is wanted, also behind one that is missing.
    const asked = labels.map((label) => ({ key: label.key, why: this.#init.pods.want(label) }))
    return asked.flatMap(({ key, why }) => (why === undefined ? [] : [{ key, why }]))[0]
  }

  averages(
    measure: MeasureName,
    overMs: number,
    scope: 'host' | 'container',
    labels: readonly PodLabel[] = [],
  ): readonly MeasureAverage[] {
    const nowMs = this.#init.now()
    if (scope === 'container') this.#wantedAtMs = nowMs
    const column =
      scope === 'host'
        ? MEASURE_NAMES.indexOf(measure)
        : (CONTAINER_MEASURES as readonly MeasureName[]).indexOf(measure)
    if (column < 0) return []
    const found: MeasureAverage[] = []
    const add = (subject: MeasuredSubject, average: Average | undefined) => {
      if (average !== undefined) found.push({ subject, ...average })
    }
    for (const [node, { host, containers }] of this.#nodes) {
      const pool = this.#init.poolOf(node)
      if (pool === undefined) continue
      if (scope === 'host') add({ node, pool }, host.average(column, overMs, nowMs))
      else
        for (const { who, ring } of containers.values())
          add({ node, pool, container: this.#labelled(who, labels) }, ring.average(column, overMs, nowMs))
    }
    return found
  }

  /** As its cluster knows it: the workload by the pod's owner, which its name only suggests. */
  #labelled(who: Container, labels: readonly PodLabel[]): Container {
    const found = labels.flatMap((label) => {
      const pod = this.#init.pods.podWith(label, who.namespace, who.pod)
      return pod === undefined ? [] : [{ key: label.key, ...pod }]
    })
    const [first] = found
    if (first === undefined) return who
    const more = Object.fromEntries(found.map(({ key, value }) => [key, value]))
    return { ...who, labels: { ...more, ...who.labels, [WORKLOAD]: first.workload } }
  }

  #place(known: NodeFigures, name: string) {
    if (this.#containers >= CONTAINERS_MAX) return undefined
    const placed = { who: containerOf(name), ring: new MinuteRing(CONTAINER_MEASURES.length) }
    known.containers.set(name, placed)
    this.#containers += 1
    return placed
  }

  #drop(known: NodeFigures, name: string): void {
    if (known.containers.delete(name)) this.#containers -= 1
  }
}

/** Of `NAMESPACE/POD/NAME`; what is not of that form is a container that no kubelet made, and its own workload. */
function containerOf(name: string): Container {
  const [namespace = '', pod = '', ...rest] = name.split('/')
  if (rest.length === 0) return { namespace: '', pod: '', name, labels: { [WORKLOAD]: name, container: name } }
  const container = rest.join('/')
  return { namespace, pod, name: container, labels: { [WORKLOAD]: workloadOf(pod), namespace, pod, container } }
}
