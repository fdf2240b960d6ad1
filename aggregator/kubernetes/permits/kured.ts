/**
 * The lock by which kured reboots one node after the other, or several at once: an annotation of its DaemonSet that names who
 * has it. kured takes it before it cordons the node, and a cordon alone does not say whose it is.
 */
import { z } from 'zod'
import { messageOf } from '../../../common/errors.ts'
import { ApiError } from '../api-error.ts'
import type { KubeClient } from '../client.ts'

/** Where kured runs; the defaults are its own (--ds-namespace, --ds-name, --lock-annotation). */
export interface KuredPlace {
  readonly namespace: string
  readonly daemonSet: string
  readonly lockAnnotation: string
}

const NS_PER_MS = 1e6

/** Without a TTL, in nanoseconds, it holds until it is given back. */
const lock = z.object({ nodeID: z.string(), created: z.string().optional(), TTL: z.number().optional() })
/** With --concurrency above one there are several. Given back, it has none of them, or null. */
const locks = z.object({ locks: z.array(lock).nullable() })

interface DaemonSet {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> }
}

/** The nodes that have the lock now; none where there is no kured. Rejects when nobody can tell. */
export async function readKuredLock(
  { call }: Pick<KubeClient, 'call'>,
  { namespace, daemonSet: name, lockAnnotation }: KuredPlace,
  wallMs: number,
): Promise<ReadonlySet<string>> {
  try {
    const ref = { group: 'apps', resource: 'daemonsets', namespace, name }
    const { metadata } = await call<DaemonSet>({ verb: 'get', ref })
    return holdersOf(metadata.annotations?.[lockAnnotation], wallMs)
  } catch (error) {
    if (error instanceof ApiError && error.kind === 'not-found') return new Set()
    const why = `kured's lock on DaemonSet ${namespace}/${name} cannot be read: ${messageOf(error)}`
    throw new Error(`${why} (kubernetes.kured in aggregator.yaml says where it is, or off)`, { cause: error })
  }
}

/** Throws an Error for what is no lock. */
export function holdersOf(annotation: string | undefined, wallMs: number): ReadonlySet<string> {
  if (annotation === undefined) return new Set()
  const read = z.union([lock.transform((one) => [one]), locks.transform((all) => all.locks ?? [])])
  const held = read.parse(JSON.parse(annotation)).filter(({ created, TTL = 0 }) => {
    const endsMs = TTL > 0 && created !== undefined ? Date.parse(created) + TTL / NS_PER_MS : Number.POSITIVE_INFINITY
    // Written so that a time that is none does not end it.
    return !(wallMs >= endsMs)
  })
  return new Set(held.map(({ nodeID }) => nodeID))
}
