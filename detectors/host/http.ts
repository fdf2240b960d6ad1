/** One HTTP request to a service of the host, within bounds. */
import type { IncomingMessage, RequestOptions } from 'node:http'
import { request as secure } from 'node:https'
import { StringDecoder } from 'node:string_decoder'
import { request as plain } from '../../common/node-http.ts'
import type { GetOptions, HttpReply } from './port.ts'
import { BYTES_MAX, failureOf, type HostFiles, serviceAt, tlsOf, withinTime } from './service.ts'

/** As `Host.get`. Each request has a connection of its own: a kept one would tell of a service that is gone as if it were there. */
export function httpGet(url: string, options: GetOptions, files: HostFiles): Promise<HttpReply> {
  const { headers = {}, tls } = options
  return withinTime(url, options, async (signal) => {
    const target = {
      ...targetOf(url, files),
      ...(await tlsOf(tls, files)),
      headers: { ...headers },
      agent: false,
      signal,
    }
    const began = performance.now()
    const { reply, body } = await send(target, url.startsWith('https:'), options).catch((error: unknown) => {
      throw failureOf(url, error)
    })
    const named = Object.entries(reply.headers).map(([name, value]) => [name, String(value)])
    const tookMs = Math.round(performance.now() - began)
    return { status: reply.statusCode ?? 0, headers: Object.fromEntries(named), body, tookMs }
  })
}

function targetOf(url: string, { locate }: HostFiles): RequestOptions {
  const { socketPath, hostname, port, path } = serviceAt(url)
  // The name that the service is asked for; over a socket it has none of its own.
  if (socketPath !== undefined) return { socketPath: locate(socketPath), path, host: 'localhost' }
  return { hostname, path, ...(port === '' ? {} : { port }) }
}

interface Answer {
  readonly reply: IncomingMessage
  readonly body: string
}

function send(target: RequestOptions, isSecure: boolean, options: GetOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = (isSecure ? secure : plain)(target)
    // Also while the answer comes: the request says what is wrong with it, the reply only that it ended early.
    request.on('error', reject)
    request.once('response', (reply) => bodyOf(reply, options).then((body) => resolve({ reply, body }), reject))
    request.end()
  })
}

async function bodyOf(reply: IncomingMessage, { bytesMax = BYTES_MAX, onText }: GetOptions): Promise<string> {
  const pieces: string[] = []
  const take = onText ?? ((piece: string) => pieces.push(piece))
  const decoder = new StringDecoder('utf8')
  let length = 0
  // Leaving the loop by a throw destroys the reply, and its connection with it.
  for await (const chunk of reply as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > bytesMax) throw new Error(`it answers with over ${bytesMax} bytes`)
    take(decoder.write(chunk))
  }
  take(decoder.end())
  return pieces.join('')
}
