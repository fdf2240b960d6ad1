/**
 * The record of permits where all aggregators see it: a ConfigMap, read without a cache and written by compare-and-swap, so
 * that two leaders at once never grant by the same state of it.
 */
import type { Book } from '../../permits/book.ts'
import { formatBook, parseBook } from '../../permits/book-schema.ts'
import { BookConflict, type BookStore } from '../../permits/book-store.ts'
import { ApiError } from '../api-error.ts'
import type { KubeClient, ResourceRef } from '../client.ts'

export const PERMITS_OBJECT = 'starling-permits'

const KEY = 'permits'

interface ConfigMap {
  readonly metadata: { readonly resourceVersion: string }
  readonly data?: Readonly<Record<string, string>> | null
}

export function createBookObject({ call }: Pick<KubeClient, 'call'>, namespace: string): BookStore {
  const all: ResourceRef = { group: '', resource: 'configmaps', namespace }
  const ref = { ...all, name: PERMITS_OBJECT }
  return {
    read: async () => {
      try {
        // A GET that names no resourceVersion is answered from a quorum of etcd (Kubernetes' API concepts).
        const { metadata, data } = await call<ConfigMap>({ verb: 'get', ref })
        return { book: parseBook(data?.[KEY]), version: metadata.resourceVersion }
      } catch (error) {
        const isMissing = error instanceof ApiError && error.kind === 'not-found'
        if (isMissing) return { book: parseBook(undefined), version: undefined }
        throw error
      }
    },
    write: async ({ version }, next: Book) => {
      const metadata = { name: PERMITS_OBJECT, namespace }
      const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [KEY]: formatBook(next) } }
      try {
        if (version === undefined) await call({ verb: 'create', ref: all, body: object })
        else
          await call({ verb: 'update', ref, body: { ...object, metadata: { ...metadata, resourceVersion: version } } })
      } catch (error) {
        if (error instanceof ApiError && error.kind === 'conflict') throw new BookConflict()
        throw error
      }
    },
  }
}
