/**
 * The objects of a real API server: a LIST in pages, then one WATCH from there on. Where nobody has installed the definition
 * there are none, and it is looked for once a minute.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { messageOf } from '../../../common/errors.ts'
import type { Log } from '../../../common/log.ts'
import { ApiError } from '../api-error.ts'
import type { KubeClient, ResourceRef } from '../client.ts'
import { keepUp, type WatchKind, watch } from '../watch.ts'
import type { ObjectStore } from './object-store.ts'
import { GROUP, RESOURCE, type RemediationObject } from './rules/object.ts'
import type { Write } from './rules/writes.ts'

/** Each of at most some ten kilobytes, within the client's time for a request. */
const PAGE = '500'
const MISSING_MS = 60_000

const ALL: ResourceRef = { group: GROUP, resource: RESOURCE }

interface Page {
  readonly apiVersion: string
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
  readonly items?: readonly RemediationObject[] | null
}

export class WatchedObjects implements ObjectStore {
  readonly #client: KubeClient
  readonly #log: Log
  #objects: Map<string, RemediationObject> | undefined
  /** Up to here all is known; undefined: they are to be listed. */
  #version: string | undefined
  #path = ''
  #end = () => {}
  #changed = () => {}

  constructor(client: KubeClient, log: Log) {
    this.#client = client
    this.#log = log
  }

  get objects(): ReadonlyMap<string, RemediationObject> | undefined {
    return this.#objects
  }

  start(changed: () => void): void {
    this.#changed = changed
    this.#end = keepUp(
      (signal) => this.#follow(signal),
      (error) => this.#log.warn({ err: messageOf(error) }, 'remediations are not seen as objects'),
    )
  }

  stop(): void {
    this.#end()
    this.#forget()
  }

  async write(write: Write): Promise<void> {
    const written = await this.#send(write)
    if (write.kind === 'remove') this.#objects?.delete(write.name)
    else if (written !== undefined) this.#take('MODIFIED', written)
  }

  async #send(write: Write): Promise<RemediationObject | undefined> {
    const { call } = this.#client
    if (write.kind === 'create') return await call({ verb: 'create', ref: ALL, body: write.body })
    const known = this.#objects?.get(write.name)
    if (known === undefined) return undefined
    const { uid, resourceVersion } = known.metadata
    const ref = { ...ALL, name: write.name }
    if (write.kind === 'remove') {
      await call({ verb: 'delete', ref, body: { preconditions: { uid } } })
      return undefined
    }
    const { metadata = {}, ...rest } = write.body as { readonly metadata?: object }
    const body = { ...rest, metadata: { ...metadata, resourceVersion } }
    const of = write.kind === 'patch' ? ref : { ...ref, subresource: 'status' }
    return await call({ verb: 'patch', ref: of, body, patch: 'merge' })
  }

  async #follow(signal: AbortSignal): Promise<void> {
    try {
      if (this.#version === undefined) await this.#list(signal)
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind !== 'not-found') throw error
      if (signal.aborted) return
      this.#forget()
      await wait(MISSING_MS, undefined, { signal }).catch(() => {})
      return
    }
    if (signal.aborted) return
    const ending = await watch<RemediationObject>(this.#client.config, {
      path: this.#path,
      query: { resourceVersion: this.#version ?? '' },
      signal,
      opened: () => {},
      take: (kind, object) => {
        if (signal.aborted) return
        this.#version = object.metadata.resourceVersion
        if (kind !== 'BOOKMARK' && this.#take(kind, object)) this.#changed()
      },
    }).catch((error: unknown) => {
      // Whether the definition is still there shows in a LIST.
      this.#version = undefined
      throw error
    })
    if (ending === 'gone') this.#version = undefined
  }

  async #list(signal: AbortSignal): Promise<void> {
    const objects = new Map<string, RemediationObject>()
    let page: Page
    let query: Readonly<Record<string, string>> = { limit: PAGE }
    do {
      page = await this.#client.call<Page>({ verb: 'list', ref: ALL, query })
      for (const object of page.items ?? []) objects.set(object.metadata.name, object)
      query = { limit: PAGE, continue: page.metadata.continue ?? '' }
    } while (query.continue !== '')
    // It was told to stop meanwhile, and perhaps to begin anew.
    if (signal.aborted) return
    this.#objects = objects
    this.#version = page.metadata.resourceVersion
    this.#path = `/apis/${page.apiVersion}/${RESOURCE}`
    this.#changed()
  }

  /** Whether it is news: the answer to a write may be here before what was watched earlier. */
  #take(kind: WatchKind, object: RemediationObject): boolean {
    const { name, resourceVersion } = object.metadata
    const known = this.#objects?.get(name)?.metadata.resourceVersion
    // resourceVersions of one etcd are numbers, however long.
    if (known !== undefined && BigInt(resourceVersion) <= BigInt(known)) return false
    if (kind === 'DELETED') this.#objects?.delete(name)
    else this.#objects?.set(name, object)
    return true
  }

  #forget(): void {
    this.#objects = undefined
    this.#version = undefined
  }
}
