import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createServer as createHttp, type RequestListener } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Certificate, CertificateAuthority } from '../../bench/control-plane/certificates.ts'
import { type GetOptions, NotApplicable, Unreachable } from '../../detectors/contract.ts'
import { createHost } from '../../detectors/host/host.ts'
import { describeReal } from '../real-part.ts'
import { failureOf, Services } from './service.ts'

const host = createHost({ node: 'node-7', peerOffsets: () => [] })
const get = (url: string, options: Partial<GetOptions> = {}) =>
  host.get(url, { signal: new AbortController().signal, ...options })

let services: Services
beforeEach(() => {
  services = new Services()
})
afterEach(async () => {
  await services.allHungUp()
  services.close()
})

const serve = async (listener: RequestListener) => `http://127.0.0.1:${await services.listen(createHttp(listener))}`
/** A server that answers a connection with these bytes, or does with it what it is told. */
const answer = async (reply: string | ((socket: Socket) => void)) =>
  `http://127.0.0.1:${await services.listen(
    createServer((socket) => {
      // Who does not read does not hear that the other side hung up.
      socket.resume()
      if (typeof reply === 'string') socket.once('data', () => socket.write(reply))
      else reply(socket)
    }),
  )}`

describe('a GET of a service', () => {
  it('gives the status, the headers, the body and how long it took', async () => {
    const url = await serve(({ url, headers }, response) => {
      response.writeHead(503, { 'X-Kind': 'test', 'Set-Cookie': ['a', 'b'] }).end(`${url} ${headers.authorization} ü`)
    })
    const reply = await get(`${url}/healthz?verbose`, { headers: { Authorization: 'Bearer x' } })
    expect(reply).toMatchObject({ status: 503, body: '/healthz?verbose Bearer x ü' })
    expect(reply.headers).toMatchObject({ 'x-kind': 'test', 'set-cookie': 'a,b' })
    expect(reply.tookMs).toBeGreaterThanOrEqual(0)
  })

  it('goes through a socket, and to an address of IPv6', async () => {
    const server = createHttp(({ url }, response) => response.end(url))
    const path = await services.listenOnSocket(server)
    expect(await get(`unix:${path}:/a/b?c=d`)).toMatchObject({ status: 200, body: '/a/b?c=d' })
    expect(await failureOf(get('http://[::1]:1/'))).toBeInstanceOf(Unreachable)
  })

  it('does not follow a redirect', async () => {
    const url = await serve((_, response) => response.writeHead(302, { Location: '/elsewhere' }).end())
    expect((await get(url)).status).toBe(302)
  })

  it('is unreachable where nothing listens, and where no socket is', async () => {
    const refused = await failureOf(get('http://127.0.0.1:1/healthz'))
    expect(refused).toBeInstanceOf(Unreachable)
    expect(refused.message).toBe('http://127.0.0.1:1/healthz cannot be reached: ECONNREFUSED')
    expect((await failureOf(get(`unix:${services.dir}/none.sock:/`))).code).toBe('ENOENT')
  })

  it.each([
    ['hangs up at once', (socket: Socket) => socket.destroy()],
    ['hangs up in the middle', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')],
  ])('is unreachable where the service %s', async (_, reply) => {
    const error = await failureOf(get(await answer(reply)))
    expect(error).toBeInstanceOf(Unreachable)
    expect(error.code).toBe('ECONNRESET')
  })

  it.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['headers without an end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`],
    ['a broken chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'],
  ])('fails on %s, which is an answer, if of no use', async (_, reply) => {
    const url = await answer(reply)
    const error = await failureOf(get(url))
    expect(error).not.toBeInstanceOf(Unreachable)
    expect(error.message).toContain(`${url} gives no answer that can be used: `)
  })

  it('takes as many bytes as it is told, and hangs up on one more', async () => {
    const body = 'x'.repeat(1_000)
    const url = await serve((_, response) => response.end(body))
    expect((await get(url, { bytesMax: 1_000 })).body).toBe(body)
    expect((await failureOf(get(url, { bytesMax: 999 }))).message).toBe(
      `${url} gives no answer that can be used: it answers with over 999 bytes`,
    )
  })

  it('does not read on without end', async () => {
    const url = await serve((_, response) => {
      const write = () => {
        while (response.write('x'.repeat(65_536)));
        response.once('drain', write)
      }
      write()
    })
    expect((await failureOf(get(url))).message).toContain('over 1048576 bytes')
  })

  it.each([
    ['says nothing', () => {}],
    [
      'says one byte after the other',
      (socket: Socket) => {
        const timer = setInterval(() => socket.write('H'), 5)
        socket.once('close', () => clearInterval(timer))
      },
    ],
    ['stops in the middle', (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')],
    [
      'sends 100 Continue for ever',
      (socket: Socket) => {
        const timer = setInterval(() => socket.write('HTTP/1.1 100 Continue\r\n\r\n'), 5)
        socket.once('close', () => clearInterval(timer))
      },
    ],
  ])('ends when its time is over and when it is told to, at a service that %s', async (_, reply) => {
    const url = await answer(reply)
    const late = await failureOf(get(url, { withinMs: 50 })).then((error) => {
      // Bytes of no HTTP are noticed before the time is over.
      if (error instanceof Unreachable) expect(error.code).toBe('ETIMEDOUT')
      return error
    })
    expect(late.message).toMatch(/ETIMEDOUT|no answer that can be used/)
    const controller = new AbortController()
    const asked = failureOf(get(url, { signal: controller.signal }))
    controller.abort(new Error('stopped'))
    expect((await asked).message).toBe('stopped')
    await expect(get(url, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
  })

  it('leaves no connection behind, whatever came', async () => {
    const open = () => process.getActiveResourcesInfo().filter((name) => /^(TCPSocket|Pipe|Timeout)/.test(name)).length
    const fine = await serve((_, response) => response.end('fine'))
    const mute = await answer(() => {})
    const strange = await answer('220 mail\r\n')
    await get(fine)
    await services.allHungUp()
    const before = open()
    for (const url of Array.from({ length: 20 }, () => [fine, mute, strange, 'http://127.0.0.1:1/']).flat()) {
      await get(url, { withinMs: 20 }).catch(() => {})
    }
    await services.allHungUp()
    expect(open()).toBeLessThanOrEqual(before)
  })
})

const missing = spawnSync('openssl', ['version']).status === 0 ? undefined : 'openssl'

describeReal('a GET of a service with TLS', missing, () => {
  const listen = async ({ certFile, keyFile }: Certificate, clientCa?: string) => {
    const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)])
    const client =
      clientCa === undefined ? {} : { ca: await readFile(clientCa), requestCert: true, rejectUnauthorized: true }
    const server = createHttps({ cert, key, ...client }, (_, response) => response.end('secret'))
    return `https://127.0.0.1:${await services.listen(server)}/`
  }
  const authority = () => CertificateAuthority.create(join(services.dir, 'pki'))
  const addresses = ['127.0.0.1']

  it('trusts whom it is told to trust', async () => {
    const own = await authority()
    const other = await CertificateAuthority.create(join(services.dir, 'other'))
    const url = await listen(await own.issue({ name: 'server', addresses }))
    expect((await get(url, { tls: { ca: own.certFile } })).body).toBe('secret')
    expect((await get(url, { tls: { anyServer: true } })).body).toBe('secret')
    for (const tls of [undefined, {}, { ca: other.certFile }]) {
      const error = await failureOf(get(url, tls === undefined ? {} : { tls }))
      expect(error).not.toBeInstanceOf(Unreachable)
      expect(error.message).toMatch(/certificate/)
    }
  })

  it('does not trust a certificate for another address', async () => {
    const own = await authority()
    const url = await listen(await own.issue({ name: 'server', addresses: ['127.0.0.2'] }))
    expect((await failureOf(get(url, { tls: { ca: own.certFile } }))).message).toContain('127.0.0.1')
  })

  it('shows a certificate of its own to who wants one', async () => {
    const own = await authority()
    const url = await listen(await own.issue({ name: 'server', addresses }), own.certFile)
    const { certFile, keyFile } = await own.issue({ name: 'client' })
    expect((await get(url, { tls: { ca: own.certFile, cert: certFile, key: keyFile } })).body).toBe('secret')
    expect((await failureOf(get(url, { tls: { ca: own.certFile } }))).message).toContain(url)
  })

  it('says which file it cannot read, and does not ask then', async () => {
    const absent = await failureOf(get('https://127.0.0.1:1/', { tls: { ca: '/no/such/ca.crt' } }))
    expect(absent).toBeInstanceOf(NotApplicable)
    expect(absent.message).toContain('/no/such/ca.crt')
    const strange = await failureOf(get('https://127.0.0.1:1/', { tls: { ca: '/dev/null', cert: '/dev/null' } }))
    expect(strange.message).toContain('https://127.0.0.1:1/')
  })

  it('fails where there is no TLS, and where TLS is not expected', async () => {
    const url = await serve((_, response) => response.end())
    expect(await failureOf(get(url.replace('http:', 'https:'), { tls: { anyServer: true } }))).not.toBeInstanceOf(
      Unreachable,
    )
    const own = await authority()
    const secret = await listen(await own.issue({ name: 'server', addresses }))
    expect((await failureOf(get(secret.replace('https:', 'http:')))).message).toContain('http://')
  })
})
