/** What requests to services of the host have in common, over HTTP and over gRPC: address, TLS, time limit, and what failed. */
import { type CallOptions, type TlsOptions, Unreachable } from './port.ts'

/** Of an answer, where the asker does not say. */
export const BYTES_MAX = 1024 * 1024

/** Nobody answers, as against an answer that makes no sense. */
const UNREACHABLE = ['ECONNREFUSED', 'ENOENT', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ECONNRESET', 'EPIPE']

/** Where the files of the host are that a request needs. */
export interface HostFiles {
  /** As `Host.readText`, for PEM files. */
  readText(path: string): Promise<string>
  /** Where a path of the host is found here, for sockets. */
  locate(path: string): string
}

export interface ServiceAddress {
  /** As a path of the host. */
  readonly socketPath?: string
  readonly hostname: string
  /** Empty: that of the scheme. */
  readonly port: string
  /** With the query. */
  readonly path: string
}

/** Of `http:`, `https:`, or `unix:/path/of/socket:/path/of/request`. */
export function serviceAt(url: string): ServiceAddress {
  const unix = /^unix:([^:]+):(.*)$/.exec(url)
  if (unix !== null) return { socketPath: unix[1] ?? '', hostname: 'localhost', port: '', path: unix[2] ?? '/' }
  const { hostname, port, pathname, search } = new URL(url)
  return { hostname: hostname.replace(/^\[|\]$/g, ''), port, path: pathname + search }
}

/** For Node's tls. Throws as `readText`. */
export async function tlsOf(tls: TlsOptions | undefined, { readText }: HostFiles): Promise<object> {
  if (tls === undefined) return {}
  const { ca, cert, key, anyServer = false } = tls
  return {
    ...(ca === undefined ? {} : { ca: await readText(ca) }),
    ...(cert === undefined ? {} : { cert: await readText(cert) }),
    ...(key === undefined ? {} : { key: await readText(key) }),
    rejectUnauthorized: !anyServer,
  }
}

/**
 * `ask`, given a signal that is aborted with the asker's and when the time is over. Rejects with the signal's reason then,
 * or with Unreachable.
 */
export async function withinTime<T>(
  url: string,
  { signal, withinMs }: CallOptions,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const over = new AbortController()
  const timer = withinMs === undefined ? undefined : setTimeout(() => over.abort(), withinMs)
  try {
    return await ask(AbortSignal.any([signal, over.signal]))
  } catch (error) {
    signal.throwIfAborted()
    throw over.signal.aborted ? new Unreachable(url, 'ETIMEDOUT', { cause: error }) : error
  } finally {
    clearTimeout(timer)
  }
}

/** What is thrown for a request that failed. */
export function failureOf(url: string, error: unknown): Error {
  const { code = '', message } = error as NodeJS.ErrnoException
  if (UNREACHABLE.includes(code)) return new Unreachable(url, code, { cause: error })
  return new Error(`${url} gives no answer that can be used: ${message}`, { cause: error })
}
