/** The client against a server of its own: what it sends, and how it tells apart what goes wrong. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { ApiError, pauseOf } from '../../aggregator/kubernetes/api-error.ts'
import { connectKubernetes, type KubeClient, type WriteResult } from '../../aggregator/kubernetes/client.ts'

let folder: string
let server: Server
let client: KubeClient
let answer: (request: IncomingMessage, response: ServerResponse) => void
const seen: string[] = []
const written: WriteResult[] = []
/** All that were ever opened. */
const lines = new Set<Socket>()

const NODE = { group: '', resource: 'nodes', name: 'a/b' } as const

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'starling-client-'))
  server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers['content-type'] ?? ''}`.trim())
    if (request.url === '/api') json(response, 200, { versions: ['v1'] })
    else if (request.url === '/apis/coordination.k8s.io') json(response, 200, { preferredVersion: { version: 'v7' } })
    else answer(request, response)
  })
  server.on('connection', (line) => lines.add(line))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const kubeconfig = join(folder, 'config')
  const { port } = server.address() as AddressInfo
  writeFileSync(kubeconfig, kubeconfigOf(`http://127.0.0.1:${port}`))
  client = await connectKubernetes({ kubeconfig }, (write) => written.push(write))
})
afterEach(() => {
  seen.length = 0
  written.length = 0
})
afterAll(() => {
  client.close()
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true })
})

function kubeconfigOf(address: string): string {
  return JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: address, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token: 'secret' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  })
}

function json(response: ServerResponse, code: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

async function failure(request: Promise<unknown>): Promise<Pick<ApiError, 'kind' | 'code' | 'retryAfterMs'>> {
  const error = await request.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof ApiError)) throw new Error(`no ApiError: ${error}`)
  return { kind: error.kind, code: error.code, retryAfterMs: error.retryAfterMs }
}

test('sends what the API wants, asks for versions once, and counts writes', async () => {
  answer = (request, response) => json(response, 200, { said: request.headers.authorization })
  expect(await client.call({ verb: 'get', ref: NODE })).toEqual({ said: 'Bearer secret' })
  await client.call({ verb: 'patch', ref: { ...NODE, subresource: 'status' }, body: {} })
  const lease = { group: 'coordination.k8s.io', resource: 'leases', namespace: 'n' }
  await client.call({ verb: 'create', ref: lease, body: {} })
  await client.call({ verb: 'list', ref: lease, query: { resourceVersion: '0' } })
  await client.call({ verb: 'patch', ref: NODE, body: {}, patch: 'merge' })
  expect(seen).toEqual([
    'GET /api',
    'GET /api/v1/nodes/a%2Fb',
    'PATCH /api/v1/nodes/a%2Fb/status?fieldManager=starling application/strategic-merge-patch+json',
    'GET /apis/coordination.k8s.io',
    'POST /apis/coordination.k8s.io/v7/namespaces/n/leases?fieldManager=starling application/json',
    'GET /apis/coordination.k8s.io/v7/namespaces/n/leases?resourceVersion=0',
    'PATCH /api/v1/nodes/a%2Fb?fieldManager=starling application/merge-patch+json',
  ])
  expect(written).toEqual([
    { resource: 'nodes/status', verb: 'patch', code: '200' },
    { resource: 'leases', verb: 'create', code: '200' },
    { resource: 'nodes', verb: 'patch', code: '200' },
  ])
})

test.each([
  [409, {}, 'conflict', undefined],
  [429, { 'retry-after': '3' }, 'throttled', 3_000],
  [429, {}, 'throttled', undefined],
  [503, { 'retry-after': '1' }, 'throttled', 1_000],
  [500, {}, 'server', undefined],
  [404, {}, 'not-found', undefined],
  [403, {}, 'forbidden', undefined],
  [401, {}, 'forbidden', undefined],
  [422, {}, 'refused', undefined],
])('tells a reply %i %j as %s', async (code, headers, kind, retryAfterMs) => {
  answer = (_request, response) => json(response, code, { message: 'no' }, headers)
  const request = client.call({ verb: 'patch', ref: NODE, body: {} })
  expect(await failure(request)).toEqual({ kind, code, retryAfterMs })
  expect(written).toEqual([{ resource: 'nodes', verb: 'patch', code: String(code) }])
})

test.each([
  [undefined, 2_000],
  [0, 500],
  [-1, 500],
  [3_000, 3_000],
  [86_400_000, 30_000],
])('who asks to be left alone for %j ms is left alone for %i', (asked, ms) => {
  expect(pauseOf(new ApiError('throttled', 429, 'later', asked))).toBe(ms)
})

test('a server that accepts and says nothing is a timeout, one that goes away is not reached', async () => {
  answer = () => {}
  expect(await failure(client.call({ verb: 'get', ref: NODE }))).toMatchObject({ kind: 'timeout' })
  answer = (request) => request.socket.destroy()
  expect(await failure(client.call({ verb: 'patch', ref: NODE, body: {} }))).toMatchObject({ kind: 'unreachable' })
  expect(written).toEqual([{ resource: 'nodes', verb: 'patch', code: 'unreachable' }])
})

test('whoever needs more time for a request, or less, says so', async () => {
  answer = () => {}
  const hasty = await connectKubernetes({ kubeconfig: join(folder, 'config'), timeoutMs: 20 })
  await hasty.call({ verb: 'get', ref: NODE }).catch((error: unknown) => {
    expect(error).toMatchObject({ kind: 'timeout', message: 'the API server gives no answer in 20 ms' })
  })
  hasty.close()
  expect.assertions(1)
})

test.each(['<html>', '', 'null', '"ok"'])('a reply that is no object, such as %j, is none', async (said) => {
  answer = (_request, response) => response.writeHead(200).end(said)
  expect(await failure(client.call({ verb: 'get', ref: NODE }))).toMatchObject({ kind: 'refused', code: 200 })
})

test('a group whose discovery says nothing of use is refused', async () => {
  answer = (_request, response) => json(response, 200, {})
  const call = client.call({ verb: 'get', ref: { group: 'odd', resource: 'things' } })
  expect(await failure(call)).toMatchObject({ kind: 'refused' })
})

test('lines that fell silent together cost one time-out, and not one each', async () => {
  answer = (_request, response) => json(response, 200, {})
  await Promise.all(Array.from({ length: 10 }, () => client.call({ verb: 'get', ref: NODE })))
  const silent = new Set<Socket>()
  answer = ({ socket }, response) => {
    if (silent.size === 0) for (const line of lines) silent.add(line)
    if (!silent.has(socket)) json(response, 200, {})
  }
  expect(await failure(client.call({ verb: 'get', ref: NODE }))).toMatchObject({ kind: 'timeout' })
  expect(await client.call({ verb: 'get', ref: NODE })).toEqual({})
})

test('connections are kept: many requests at once open few', async () => {
  let connections = 0
  server.on('connection', () => connections++)
  answer = (_request, response) => json(response, 200, {})
  for (let round = 0; round < 5; round++) {
    await Promise.all(Array.from({ length: 30 }, () => client.call({ verb: 'get', ref: NODE })))
  }
  expect(connections).toBeLessThanOrEqual(20)
})

test("a kubeconfig or a context that is not there is the person's to mend", async () => {
  await expect(connectKubernetes({ kubeconfig: join(folder, 'none') })).rejects.toThrow(/cannot read .*none/)
  const access = { kubeconfig: join(folder, 'config'), context: 'y' }
  await expect(connectKubernetes(access)).rejects.toThrow('the kubeconfig has no context "y"')
})
