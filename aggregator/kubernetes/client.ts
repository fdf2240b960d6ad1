/**
 * A thin client of an API server: KubeConfig's credentials, one request at a time, nothing queued and nothing repeated.
 * The library's own requests are not used: each opens a connection of its own, and its models turn times into Dates.
 */
import http from 'node:http'
import https from 'node:https'
import type { KubeConfig } from '@kubernetes/client-node'
import { messageOf, UsageError } from '../../common/errors.ts'
import { ApiError, errorOfReply } from './api-error.ts'

/** docs/contracts.md: expiry of our Lease, and the time within which a write may still go out, are counted on it. */
export const REQUEST_TIMEOUT_MS = 2_000

const FIELD_MANAGER = 'starling'

/** A LIST of the pods of one node, or of 10,000 nodes, fits; a server that sends without end does not. */
const REPLY_BYTES_MAX = 256 * 1024 * 1024

/** Patches in flight (docs/kubernetes.md), and beside them the leader's Lease. */
const SOCKETS_MAX = 20

export interface ClusterAccess {
  /** A kubeconfig file; without one the pod's own service account. */
  readonly kubeconfig?: string | undefined
  /** Of the kubeconfig; its current context when it is not given. */
  readonly context?: string | undefined
  /** How long a request may take, ms; what an aggregator counts on unless given. */
  readonly timeoutMs?: number | undefined
}

/** Which object or collection. The version of the group is asked of the server. */
export interface ResourceRef {
  /** Empty for the core group. */
  readonly group: string
  readonly resource: string
  readonly namespace?: string
  readonly name?: string
  readonly subresource?: string
}

export type Verb = 'get' | 'list' | 'create' | 'update' | 'patch' | 'delete'

export interface Call {
  readonly verb: Verb
  readonly ref: ResourceRef
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** Of a patch; strategic unless said otherwise, which merges conditions by their type. */
  readonly patch?: 'strategic' | 'merge' | 'json'
}

/** One write and what became of it; `code` is the HTTP status, or `timeout` or `unreachable`. */
export interface WriteResult {
  readonly resource: string
  readonly verb: Verb
  readonly code: string
}

export interface KubeClient {
  /** For what a thin client cannot do, such as watching. */
  readonly config: KubeConfig
  /** The object in the reply. Throws ApiError, when the time for it is over at the latest. */
  call<T>(call: Call): Promise<T>
  close(): void
}

const METHODS = { get: 'GET', list: 'GET', create: 'POST', update: 'PUT', patch: 'PATCH', delete: 'DELETE' } as const
const PATCH_TYPES = {
  strategic: 'application/strategic-merge-patch+json',
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
} as const

/** Throws UsageError when there is no such file or context. The library is loaded here, by nobody who has no cluster. */
export async function connectKubernetes(
  access: ClusterAccess,
  onWrite: (write: WriteResult) => void = () => {},
): Promise<KubeClient> {
  const config = await loadConfig(access)
  const server = config.getCurrentCluster()?.server
  if (server === undefined)
    throw new UsageError('the context of the kubeconfig names no server', 'say which context is meant')
  return createClient(config, server.replace(/\/+$/, ''), onWrite, access.timeoutMs ?? REQUEST_TIMEOUT_MS)
}

async function loadConfig({ kubeconfig, context }: ClusterAccess): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  try {
    if (kubeconfig === undefined) config.loadFromCluster()
    else config.loadFromFile(kubeconfig)
  } catch (error) {
    throw new UsageError(`cannot read ${kubeconfig ?? "this pod's service account"}: ${messageOf(error)}`)
  }
  if (context === undefined) return config
  if (config.getContextObject(context) === null) {
    const known = config.getContexts().map(({ name }) => name)
    throw new UsageError(`the kubeconfig has no context "${context}"`, `it has ${known.join(', ') || 'none'}`)
  }
  config.setCurrentContext(context)
  return config
}

function createClient(
  config: KubeConfig,
  server: string,
  onWrite: (write: WriteResult) => void,
  timeoutMs: number,
): KubeClient {
  const isTls = server.startsWith('https:')
  const agent = new (isTls ? https : http).Agent({ keepAlive: true, maxSockets: SOCKETS_MAX })
  const hasProxy = config.getCurrentCluster()?.proxyUrl !== undefined
  const versions = new Map<string, string>()

  /** Where one line has fallen silent, others to the same server may have: none of them is to cost a time-out of its own. */
  const leaveIdleLines = () => {
    for (const idle of Object.values(agent.freeSockets)) for (const line of idle ?? []) line.destroy()
  }

  const send = async (path: string, verb: Verb, body: unknown, contentType: string): Promise<unknown> => {
    const options: https.RequestOptions = {}
    await config.applyToHTTPSOptions(options)
    return await new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(timeoutMs)
      const failed = (error: Error) => {
        if (signal.aborted) leaveIdleLines()
        reject(errorOfFailure(error, signal.aborted ? timeoutMs : undefined))
      }
      const headers: http.OutgoingHttpHeaders = { ...(options.headers as http.OutgoingHttpHeaders) }
      headers.accept = 'application/json'
      headers['user-agent'] = FIELD_MANAGER
      const text = body === undefined ? undefined : JSON.stringify(body)
      if (text !== undefined) headers['content-type'] = contentType
      const through = hasProxy ? {} : { agent }
      const request = (isTls ? https : http).request(
        `${server}${path}`,
        { ...options, ...through, method: METHODS[verb], headers, signal },
        (reply) => {
          const chunks: Buffer[] = []
          let bytes = 0
          reply.on('data', (chunk: Buffer) => {
            chunks.push(chunk)
            bytes += chunk.length
            if (bytes > REPLY_BYTES_MAX) reply.destroy(new Error('the reply is too large'))
          })
          reply.on('error', failed)
          reply.on('end', () => {
            try {
              resolve(readReply(reply, Buffer.concat(chunks).toString()))
            } catch (error) {
              reject(error)
            }
          })
        },
      )
      request.on('error', failed)
      request.end(text)
    })
  }

  /** Asked once for each group: an API server does not take a version away while it runs. */
  const versionOf = async (group: string): Promise<string> => {
    const known = versions.get(group)
    if (known !== undefined) return known
    const version =
      group === ''
        ? ((await send('/api', 'get', undefined, '')) as { versions?: readonly string[] }).versions?.[0]
        : ((await send(`/apis/${group}`, 'get', undefined, '')) as { preferredVersion?: { version: string } })
            .preferredVersion?.version
    if (version === undefined) throw new ApiError('refused', 0, `the server names no version of ${group || 'core'}`)
    versions.set(group, version)
    return version
  }

  return {
    config,
    call: async <T>({ verb, ref, query, body, patch }: Call): Promise<T> => {
      const { group } = ref
      const version = await versionOf(group)
      const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
      const isWrite = verb !== 'get' && verb !== 'list'
      const writes = isWrite && verb !== 'delete' ? { fieldManager: FIELD_MANAGER } : {}
      const search = new URLSearchParams({ ...query, ...writes }).toString()
      const contentType = verb === 'patch' ? PATCH_TYPES[patch ?? 'strategic'] : 'application/json'
      const path = `${root}${pathOf(ref)}${search === '' ? '' : `?${search}`}`
      const resource = ref.subresource === undefined ? ref.resource : `${ref.resource}/${ref.subresource}`
      try {
        const object = (await send(path, verb, body, contentType)) as T
        if (isWrite) onWrite({ resource, verb, code: '200' })
        return object
      } catch (error) {
        if (isWrite && error instanceof ApiError) {
          onWrite({ resource, verb, code: error.code === 0 ? error.kind : String(error.code) })
        }
        throw error
      }
    },
    close: () => agent.destroy(),
  }
}

function pathOf({ resource, namespace, name, subresource }: ResourceRef): string {
  const parts = [...(namespace === undefined ? [] : ['namespaces', namespace]), resource, name, subresource]
  return parts.map((part) => (part === undefined ? '' : `/${encodeURIComponent(part)}`)).join('')
}

/** Throws ApiError when it is a refusal, or no object in JSON: what stands in between answers in a server's place. */
function readReply({ statusCode = 0, headers }: http.IncomingMessage, text: string): unknown {
  let object: unknown
  try {
    object = JSON.parse(text)
  } catch {
    object = undefined
  }
  const isObject = typeof object === 'object' && object !== null
  if (statusCode >= 200 && statusCode < 300 && isObject) return object
  const { message } = (object ?? {}) as { message?: unknown }
  const said = typeof message === 'string' ? message : text.slice(0, 200)
  throw errorOfReply(statusCode, `the API server answers ${statusCode}: ${said}`, headers['retry-after'])
}

/** `timedOutMs`: how long it was waited for, if for too long. */
function errorOfFailure(error: Error, timedOutMs: number | undefined): ApiError {
  if (timedOutMs !== undefined) return new ApiError('timeout', 0, `the API server gives no answer in ${timedOutMs} ms`)
  return new ApiError('unreachable', 0, `the API server is not reached: ${error.message}`)
}
