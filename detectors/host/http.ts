/** One HTTP request to a service of the host, within bounds. */
import { type IncomingMessage, request as plain, type RequestOptions } from 'node:http'
import { request as secure } from 'node:https'
import { StringDecoder } from 'node:string_decoder'
import { type GetOptions, type HttpReply, type TlsOptions, Unreachable } from './port.ts'

const BYTES_MAX = 1024 * 1024

/** Nobody answers, as against an answer that makes no sense. */
const UNREACHABLE = ['ECONNREFUSED', 'ENOENT', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ECONNRESET', 'EPIPE']

/** Reads a PEM file of the host. */
export type ReadPem = (path: string) => Promise<string>

/** As `Host.get`. Each request has a connection of its own: a kept one would tell of a service that is gone as if it were there. */
export async function httpGet(url: string, options: GetOptions, readPem: ReadPem): Promise<HttpReply> {
  const { signal, withinMs } = options
  signal.throwIfAborted()
  if (withinMs === undefined) return ask(url, options, readPem)
  const limit = AbortSignal.timeout(withinMs)
  try {
    return await ask(url, { ...options, signal: AbortSignal.any([signal, limit]) }, readPem)
  } catch (error) {
    if (limit.aborted && !signal.aborted) throw new Unreachable(url, 'ETIMEDOUT', { cause: error })
    throw error
  }
}

async function ask(url: string, options: GetOptions, readPem: ReadPem): Promise<HttpReply> {
  const { signal, headers = {}, tls } = options
  const target = { ...targetOf(url), ...(await tlsOf(tls, readPem)), headers: { ...headers }, agent: false, signal }
  const reply = await send(url, target, url.startsWith('https:'))
  return {
    status: reply.statusCode ?? 0,
    headers: Object.fromEntries(Object.entries(reply.headers).map(([name, value]) => [name, String(value)])),
    body: await bodyOf(url, reply, options),
  }
}

function targetOf(url: string): RequestOptions {
  const unix = /^unix:([^:]+):(.*)$/.exec(url)
  if (unix !== null) return { socketPath: unix[1] ?? '', path: unix[2] ?? '/', host: 'localhost' }
  const { hostname, port, pathname, search } = new URL(url)
  return { hostname: hostname.replace(/^\[|\]$/g, ''), path: pathname + search, ...(port === '' ? {} : { port }) }
}

async function tlsOf(tls: TlsOptions | undefined, readPem: ReadPem): Promise<object> {
  if (tls === undefined) return {}
  const { ca, cert, key, anyServer = false } = tls
  return {
    ...(ca === undefined ? {} : { ca: await readPem(ca) }),
    ...(cert === undefined ? {} : { cert: await readPem(cert) }),
    ...(key === undefined ? {} : { key: await readPem(key) }),
    rejectUnauthorized: !anyServer,
  }
}

function send(url: string, target: RequestOptions, isSecure: boolean): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (isSecure ? secure : plain)(target, resolve)
    request.once('error', (error: NodeJS.ErrnoException) => {
      const { code = '' } = error
      if (target.signal?.aborted) reject(target.signal.reason)
      else if (UNREACHABLE.includes(code)) reject(new Unreachable(url, code, { cause: error }))
      else reject(new Error(`${url} gives no answer that can be used: ${error.message}`, { cause: error }))
    })
    request.end()
  })
}

async function bodyOf(url: string, reply: IncomingMessage, options: GetOptions): Promise<string> {
  const { signal, bytesMax = BYTES_MAX, onText } = options
  const pieces: string[] = []
  const take = onText ?? ((piece: string) => pieces.push(piece))
  const decoder = new StringDecoder('utf8')
  let length = 0
  try {
    for await (const chunk of reply as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > bytesMax) throw new Error(`${url} answers with over ${bytesMax} bytes`)
      take(decoder.write(chunk))
    }
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
  take(decoder.end())
  return pieces.join('')
}
