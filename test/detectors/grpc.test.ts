import { createServer as createHttp } from 'node:http'
import { createServer, type ServerHttp2Stream } from 'node:http2'
import { createServer as createTcp } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CallOptions, RefusedCall, Unreachable } from '../../detectors/contract.ts'
import { createHost } from '../../detectors/host/host.ts'
import { failureOf, Services } from './service.ts'

const METHOD = '/runtime.v1.RuntimeService/Version'
const host = createHost({ node: 'node-7', peerOffsets: () => [] })
const call = (url: string, message = Buffer.from('hello'), options: Partial<CallOptions> = {}) =>
  host.call(url, message, { signal: new AbortController().signal, ...options })

let services: Services
beforeEach(() => {
  services = new Services()
})
afterEach(async () => {
  await services.allHungUp()
  services.close()
})

const framed = (message: string) => Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), Buffer.from(message)])
const OK = { ':status': 200, 'content-type': 'application/grpc' }

/** A gRPC server that does this with each call; over HTTP/2 without TLS, as a runtime's socket is. */
async function serve(reply: (stream: ServerHttp2Stream, message: Buffer, path: string) => void): Promise<string> {
  const server = createServer()
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = []
    stream.on('error', () => {})
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => reply(stream, Buffer.concat(chunks), String(headers[':path'])))
  })
  return `unix:${await services.listenOnSocket(server)}:${METHOD}`
}

function endWith(stream: ServerHttp2Stream, body: Buffer, trailers: Record<string, string>): void {
  stream.respond(OK, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  stream.end(body)
}

describe('a gRPC call', () => {
  it('sends a message and gives the answer', async () => {
    const url = await serve((stream, message, path) => {
      endWith(stream, framed(`${path} ${message.subarray(5)}`), { 'grpc-status': '0' })
    })
    expect(Buffer.from(await call(url)).toString()).toBe(`${METHOD} hello`)
    expect(Buffer.from(await call(url, Buffer.alloc(0))).toString()).toBe(`${METHOD} `)
  })

  it('says why it was refused, also where there is no body', async () => {
    const url = await serve((stream) =>
      endWith(stream, Buffer.alloc(0), { 'grpc-status': '14', 'grpc-message': 'not%20yet' }),
    )
    const error = await failureOf(call(url))
    expect(error).toBeInstanceOf(RefusedCall)
    expect(error).toMatchObject({ status: 14, message: `${url} answers with gRPC status 14: not yet` })
    const short = await serve((stream) => stream.respond({ ...OK, 'grpc-status': '12' }, { endStream: true }))
    expect(await failureOf(call(short))).toMatchObject({ status: 12 })
  })

  it('is unreachable where nothing listens', async () => {
    for (const url of [`unix:${services.dir}/none:${METHOD}`, `http://127.0.0.1:1${METHOD}`]) {
      expect(await failureOf(call(url))).toBeInstanceOf(Unreachable)
    }
  })

  it('ends when its time is over and when it is told to', async () => {
    const mute = await services.listenOnSocket(createTcp((socket) => socket.resume()))
    const slow = await serve((stream) => stream.respond(OK))
    for (const url of [`unix:${mute}:${METHOD}`, slow]) {
      expect(await failureOf(call(url, undefined, { withinMs: 50 }))).toMatchObject({ code: 'ETIMEDOUT' })
      const controller = new AbortController()
      const asked = failureOf(call(url, undefined, { signal: controller.signal }))
      controller.abort(new Error('stopped'))
      expect((await asked).message).toBe('stopped')
      await expect(call(url, undefined, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
    }
  })

  it.each([
    ['no status', framed('x'), {}],
    ['half a message', framed('xyz').subarray(0, 6), { 'grpc-status': '0' }],
    ['two messages', Buffer.concat([framed('x'), framed('y')]), { 'grpc-status': '0' }],
    ['a compressed message', Buffer.from([1, 0, 0, 0, 0]), { 'grpc-status': '0' }],
    ['a reason of no text', Buffer.alloc(0), { 'grpc-status': '2', 'grpc-message': '%ZZ' }],
    ['more than it may', framed('x'.repeat(101)), { 'grpc-status': '0' }],
  ])('fails on %s', async (_, body, trailers) => {
    const url = await serve((stream) => endWith(stream, body, trailers))
    const error = await failureOf(call(url, undefined, { bytesMax: 100 }))
    expect(error).not.toBeInstanceOf(Unreachable)
    expect(error.message).toContain(`${url} gives no answer that can be used: `)
  })

  it('fails on what is no gRPC: plain HTTP, an error of HTTP/2, and a service that hangs up', async () => {
    const web = createHttp((_, response) => response.end('<html>'))
    const notFound = await serve((stream) => stream.respond({ ':status': 404 }, { endStream: true }))
    const reset = await serve((stream) => stream.close(2))
    for (const url of [`unix:${await services.listenOnSocket(web)}:${METHOD}`, notFound, reset]) {
      const error = await failureOf(call(url))
      expect(error).not.toBeInstanceOf(Unreachable)
      expect(error.message).toContain(`${url} gives no answer that can be used: `)
    }
    const path = await services.listenOnSocket(createTcp((socket) => socket.resume().end()))
    expect(await failureOf(call(`unix:${path}:${METHOD}`))).toMatchObject({ code: 'ECONNRESET' })
  })
})
