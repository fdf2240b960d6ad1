/**
 * Which epoch is in force, where all aggregators see it: epoch, hash and term, written by compare-and-swap before an epoch
 * takes effect, so that two leaders never bring about two rosters of one epoch.
 *
 * It is a ConfigMap of its own and not an annotation of the election's Lease: that is written every 2 s, so each epoch would
 * race with a renewal, and a renewal that meets a conflict has lost the lead.
 */
import { z } from 'zod'
import { ApiError } from '../api-error.ts'
import type { KubeClient, ResourceRef } from '../client.ts'

export interface EpochRecord {
  readonly epoch: number
  /** SHA-256, hex, of the roster. */
  readonly hash: string
  /** Of the leader that wrote it. */
  readonly term: number
}

/** What stood there when it was read, to be handed back with what is to stand there next. */
export interface ReadRecord {
  /** Undefined when there is none yet. */
  readonly record: EpochRecord | undefined
  readonly version: string | undefined
}

/** Each rejects with ApiError, after two seconds at the latest. */
export interface EpochStore {
  read(): Promise<ReadRecord>
  /** Conflict when anything was written since `before` was read. */
  write(before: ReadRecord, next: EpochRecord): Promise<void>
}

export const ROSTER_OBJECT = 'starling-roster'

interface ConfigMap {
  readonly metadata: { readonly resourceVersion: string }
  readonly data?: Readonly<Record<string, string>> | null
}

const whole = z.coerce.number().int().min(0)
const dataSchema = z.object({ epoch: whole, hash: z.string().length(64), term: whole })

export function createEpochStore({ call }: Pick<KubeClient, 'call'>, namespace: string): EpochStore {
  const all: ResourceRef = { group: '', resource: 'configmaps', namespace }
  const ref = { ...all, name: ROSTER_OBJECT }
  return {
    read: async () => {
      try {
        const { metadata, data } = await call<ConfigMap>({ verb: 'get', ref })
        // Written by nobody yet, or by somebody else: then there is nothing to be held to.
        const read = dataSchema.safeParse(data)
        return { record: read.data, version: metadata.resourceVersion }
      } catch (error) {
        if (error instanceof ApiError && error.kind === 'not-found') return { record: undefined, version: undefined }
        throw error
      }
    },
    write: async ({ version }, { epoch, hash, term }) => {
      const data = { epoch: String(epoch), hash, term: String(term) }
      const metadata = { name: ROSTER_OBJECT, namespace }
      const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }
      if (version === undefined) await call({ verb: 'create', ref: all, body: object })
      else await call({ verb: 'update', ref, body: { ...object, metadata: { ...metadata, resourceVersion: version } } })
    },
  }
}
