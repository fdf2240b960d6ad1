/** What cadvisor says of containers, in its two forms: its metrics, and the kubelet's summary made of them. */
import { z } from 'zod'
import { epochMsOf } from '../../common/rfc3339.ts'
import { prometheusReader } from './prometheus.ts'

/** A node has some hundred containers and services; more are counted, and not looked at one by one. */
const CONTAINERS_MAX = 4_096

/** Of one control group, or of one pod. */
export interface ContainerFigures {
  /** A path in cgroupfs, or what the container runtime calls it. */
  readonly id: string
  cpuSeconds?: number
  memoryBytes?: number
  /** The newest of when they were measured, in ms since 1970. */
  atMs?: number
}

export interface CadvisorFigures {
  /** Of the figures that can be told apart by their container. */
  readonly containers: readonly ContainerFigures[]
  /** How many pods there are figures of. */
  readonly pods: number
  /** The uids of these pods, as far as they are told, without dashes. */
  readonly uids: ReadonlySet<string>
  /** What the server says of itself: 1 when it could not get all figures. Undefined when it does not say. */
  readonly scrapeError: number | undefined
}

const CPU = 'container_cpu_usage_seconds_total'
const MEMORY = 'container_memory_usage_bytes'
const SCRAPE_ERROR = 'container_scrape_error'
const WANTED = new Set([CPU, MEMORY, SCRAPE_ERROR])

/**
 * Takes the text of /metrics or /metrics/cadvisor. Of each container it keeps some 100 bytes. `end` throws an Error that
 * says which line of these figures is not of the format.
 */
export function metricsReader(): { take(piece: string): void; end(): CadvisorFigures } {
  const containers = new Map<string, ContainerFigures>()
  const pods = new Set<string>()
  const uids = new Set<string>()
  let scrapeError: number | undefined

  const { take, end } = prometheusReader(WANTED, ({ name, labels, value, timestamp }) => {
    if (name === SCRAPE_ERROR) {
      scrapeError = value
      return
    }
    if (!(value >= 0) || (labels.cpu !== undefined && labels.cpu !== 'total')) return
    const id = labels.id ?? labels.name ?? ''
    const pod = labels.pod ?? labels.container_label_io_kubernetes_pod_name ?? ''
    const uid = podUidIn(id)
    if (uid !== undefined && uids.size < CONTAINERS_MAX) uids.add(uid)
    if (pod !== '' && pods.size < CONTAINERS_MAX) pods.add(`${labels.namespace ?? ''}/${pod}`)
    const known = containers.get(id) ?? { id }
    if (name === MEMORY) known.memoryBytes = value
    else known.cpuSeconds = value
    if (timestamp !== undefined) known.atMs = Math.max(known.atMs ?? 0, timestamp)
    if (id !== '' && (containers.has(id) || containers.size < CONTAINERS_MAX)) containers.set(id, known)
  })
  return {
    take,
    end: () => {
      end()
      return { containers: [...containers.values()], pods: Math.max(pods.size, uids.size), uids, scrapeError }
    },
  }
}

/** The uid of a pod that is part of the name of its control group, without dashes: `pod3c9b2f6a_5d0e_…` or `pod3c9b2f6a-5d0e-…`. */
export function podUidIn(group: string): string | undefined {
  return /(?:^|[/-])pod([0-9a-f][0-9a-f_-]{30,35})(?:\.slice)?(?:\/|$)/.exec(group)?.[1]?.replaceAll(/[_-]/g, '')
}

const figure = z.number().min(0).optional()
const time = z.string().max(64).optional()
const summarySchema = z.object({
  pods: z
    .array(
      z.object({
        podRef: z.object({ uid: z.string().max(253) }),
        cpu: z.object({ time, usageCoreNanoSeconds: figure }).optional(),
        memory: z.object({ time, usageBytes: figure }).optional(),
      }),
    )
    .max(CONTAINERS_MAX)
    .nullable(),
})

/** Reads the kubelet's /stats/summary. Throws an Error that names `url` when it is none. */
export function readSummary(url: string, body: string): CadvisorFigures {
  const summary = summarySchema.safeParse(jsonOf(url, body))
  if (!summary.success) throw new Error(`${url} is no summary of the kubelet: ${z.prettifyError(summary.error)}`)
  const pods = summary.data.pods ?? []
  const containers = pods.map(({ podRef, cpu, memory }): ContainerFigures => {
    const times = [cpu?.time, memory?.time].map((text) => (text === undefined ? undefined : epochMsOf(text)))
    const known = times.filter((ms) => ms !== undefined)
    return {
      id: `pod${podRef.uid}`,
      ...(cpu?.usageCoreNanoSeconds === undefined ? {} : { cpuSeconds: cpu.usageCoreNanoSeconds / 1e9 }),
      ...(memory?.usageBytes === undefined ? {} : { memoryBytes: memory.usageBytes }),
      ...(known.length === 0 ? {} : { atMs: Math.max(...known) }),
    }
  })
  const uids = new Set(pods.map(({ podRef }) => podRef.uid.replaceAll('-', '')))
  return { containers, pods: pods.length, uids, scrapeError: undefined }
}

function jsonOf(url: string, body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw new Error(`${url} is no JSON: ${JSON.stringify(body.slice(0, 40))}`)
  }
}
