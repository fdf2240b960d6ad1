/** An API server that answers as a test wants it to, on a port of its own, and a client of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectKubernetes, type KubeClient } from '../../aggregator/kubernetes/client.ts'

export interface FakeServer {
  readonly client: KubeClient
  readonly kubeconfig: string
  /** The queries of all requests so far. */
  readonly lists: readonly URLSearchParams[]
  readonly watches: readonly URLSearchParams[]
  /** All requests that are no watch. */
  list: (response: ServerResponse, query: URLSearchParams, path: string) => void
  watch: (response: ServerResponse, query: URLSearchParams) => void
  close(): void
}

export async function startFakeServer(): Promise<FakeServer> {
  const lists: URLSearchParams[] = []
  const watches: URLSearchParams[] = []
  const folder = mkdtempSync(join(tmpdir(), 'starling-server-'))
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://server')
    if (pathname === '/api') json(response, { versions: ['v1'] })
    else if (searchParams.get('watch') === 'true') {
      watches.push(searchParams)
      fake.watch(response, searchParams)
    } else {
      lists.push(searchParams)
      fake.list(response, searchParams, pathname)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const kubeconfig = join(folder, 'config')
  const cluster = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true }
  const contexts = [{ name: 'x', context: { cluster: 'c', user: 'u' } }]
  const config = { clusters: [{ name: 'c', cluster }], users: [{ name: 'u', user: {} }], contexts }
  writeFileSync(kubeconfig, JSON.stringify({ ...config, 'current-context': 'x' }))
  const client = await connectKubernetes({ kubeconfig })
  const fake: FakeServer = {
    client,
    kubeconfig,
    lists,
    watches,
    list: (response) => json(response, {}, 404),
    watch: (response) => void opened(response),
    close: () => {
      client.close()
      server.closeAllConnections()
      server.close()
      rmSync(folder, { recursive: true })
    },
  }
  return fake
}

export function json(response: ServerResponse, body: object, code = 200): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** A watch that has told these events, and goes on. */
export function opened(response: ServerResponse, ...events: readonly object[]): ServerResponse {
  response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
  for (const event of events) response.write(`${JSON.stringify(event)}\n`)
  return response
}

export function bookmark(version: number): object {
  return { type: 'BOOKMARK', object: { metadata: { resourceVersion: String(version) } } }
}

/** The server does not know any more what was asked for. */
export function forgotten(): object {
  return { type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old resource version' } }
}
