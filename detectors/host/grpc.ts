/**
 * One gRPC call of a service of the host, a message for a message, within bounds. It is a POST over HTTP/2, the message
 * behind five bytes of frame and the status in the trailers (gRPC over HTTP2, in the gRPC project's documentation).
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2'
import { connect as connectPlain } from 'node:net'
import { connect as connectSecure } from 'node:tls'
import { type CallOptions, RefusedCall } from './port.ts'
import { BYTES_MAX, failureOf, type HostFiles, serviceAt, tlsOf, withinTime } from './service.ts'

/** One byte that says whether what follows is compressed, four of its length. */
const FRAME_BYTES = 5

/** As `Host.call`. Each call has a connection of its own, as each HTTP request has. */
export function grpcCall(
  url: string,
  message: Uint8Array,
  options: CallOptions,
  files: HostFiles,
): Promise<Uint8Array> {
  const { tls, bytesMax = BYTES_MAX } = options
  return withinTime(url, options, async (signal) => {
    const secrets = await tlsOf(tls, files)
    signal.throwIfAborted()
    const session = openSession(url, secrets, files)
    const end = () => session.destroy()
    signal.addEventListener('abort', end, { once: true })
    try {
      const { headers, body } = await answerOf(session, serviceAt(url).path, message, bytesMax)
      const status = Number(headers['grpc-status'] ?? Number.NaN)
      if (status > 0) throw new RefusedCall(url, status, decodeURIComponent(String(headers['grpc-message'] ?? '')))
      if (status !== 0) throw new Error('it is no gRPC')
      return unframed(body)
    } catch (error) {
      throw error instanceof RefusedCall ? error : failureOf(url, error)
    } finally {
      signal.removeEventListener('abort', end)
      session.destroy()
    }
  })
}

function openSession(url: string, tls: object, { locate }: HostFiles): ClientHttp2Session {
  const { socketPath, hostname, port } = serviceAt(url)
  if (socketPath !== undefined)
    return connect('http://localhost', { createConnection: () => connectPlain(locate(socketPath)) })
  const isSecure = url.startsWith('https:')
  const at = { host: hostname, port: Number(port || (isSecure ? 443 : 80)) }
  return connect(url, {
    createConnection: () => (isSecure ? connectSecure({ ...at, ...tls, ALPNProtocols: ['h2'] }) : connectPlain(at)),
  })
}

interface Answer {
  /** With the trailers, which come last where there is a body and first where there is none. */
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

function answerOf(session: ClientHttp2Session, path: string, message: Uint8Array, bytesMax: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    session.on('error', reject)
    session.once('close', () => reject(Object.assign(new Error('it hung up'), { code: 'ECONNRESET' })))
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: path,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      [constants.HTTP2_HEADER_TE]: 'trailers',
    })
    collect(stream, bytesMax).then(resolve, reject)
    stream.end(framed(message))
  })
}

async function collect(stream: ClientHttp2Stream, bytesMax: number): Promise<Answer> {
  const chunks: Buffer[] = []
  let headers: IncomingHttpHeaders & IncomingHttpStatusHeader = {}
  let length = 0
  const add = (more: IncomingHttpHeaders) => {
    headers = { ...headers, ...more }
  }
  stream.on('response', add).on('trailers', add)
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > bytesMax + FRAME_BYTES) throw new Error(`over ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  const status = headers[':status']
  if (status !== 200) throw new Error(`HTTP status ${status ?? 'missing'}`)
  return { headers, body: Buffer.concat(chunks) }
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(FRAME_BYTES + message.length)
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, FRAME_BYTES)
  return frame
}

function unframed(body: Buffer): Uint8Array {
  const isWhole = body.length >= FRAME_BYTES && body.length === FRAME_BYTES + body.readUInt32BE(1)
  if (!isWhole || body[0] !== 0) throw new Error('what it answers is not one message')
  return body.subarray(FRAME_BYTES)
}
