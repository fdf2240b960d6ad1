/** Answers of services that are taken as they come, and that do not come in time. */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Unreachable } from '../../detectors/contract.ts'
import { httpGet } from '../../detectors/host/http.ts'

let server: Server | undefined
afterEach(() => {
  server?.close()
  server?.closeAllConnections()
})

async function serve(answer: RequestListener): Promise<string> {
  server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

const signal = new AbortController().signal
const noFile = { readText: async (path: string) => Promise.reject(new Error(path)), locate: (path: string) => path }

describe('an answer', () => {
  it('is given piece by piece and not kept, its letters whole', async () => {
    const bytes = Buffer.from('α'.repeat(100_000))
    const url = await serve((_, response) => {
      // Every piece but the first begins in the middle of a letter.
      for (let at = 0; at < bytes.length; at += 4_097) response.write(bytes.subarray(at, at + 4_097))
      response.end()
    })
    const pieces: string[] = []
    const { status, body } = await httpGet(url, { signal, onText: (piece) => pieces.push(piece) }, noFile)
    expect([status, body]).toEqual([200, ''])
    expect(pieces.join('')).toBe(bytes.toString())
    expect((await httpGet(url, { signal }, noFile)).body).toBe(bytes.toString())
  })

  it('that is too large is refused, whoever takes it', async () => {
    const url = await serve((_, response) => response.end('x'.repeat(2_000)))
    const options = { signal, bytesMax: 1_000, onText: () => {} }
    await expect(httpGet(url, options, noFile)).rejects.toThrow('answers with over 1000 bytes')
  })

  it.each<[string, RequestListener]>([
    ['never begins', () => {}],
    ['never ends', (_, response) => response.write('a')],
  ])('that %s in time is none', async (_, answer) => {
    const url = await serve(answer)
    const failure = httpGet(url, { signal, withinMs: 50 }, noFile)
    await expect(failure).rejects.toThrow(Unreachable)
    await expect(failure).rejects.toMatchObject({ code: 'ETIMEDOUT' })
  })

  it('that nobody waits for any more is given up for their reason', async () => {
    const url = await serve(() => {})
    const abort = new AbortController()
    const failure = httpGet(url, { signal: abort.signal, withinMs: 60_000 }, noFile)
    abort.abort(new Error('stopped'))
    await expect(failure).rejects.toThrow('stopped')
  })
})
