/** `/metrics`, `/usage`, `/livez` and `/readyz` of an agent, for the host itself: it listens on a loopback address. */
import { StarlingError } from '../common/errors.ts'
import type { ListenAddress } from '../common/listen.ts'
import { createServer } from '../common/node-http.ts'

export interface HealthServerInit extends ListenAddress {
  metrics(): Promise<string>
  /** What the host used, for the parameters of a request. Throws an Error for parameters that are none. */
  usage(parameters: URLSearchParams): unknown
}

/** Throws StarlingError when the port is taken. Returns how to stop. */
export async function startHealthServer({ host, port, metrics, usage }: HealthServerInit): Promise<() => void> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: string) =>
      response.writeHead(status, { 'content-type': 'text/plain' }).end(body)
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://agent')
    switch (pathname) {
      case '/metrics':
        void metrics().then(
          (text) => answer(200, text),
          () => answer(500, 'metrics could not be collected\n'),
        )
        return
      case '/usage':
        try {
          const said = JSON.stringify(usage(searchParams))
          response.writeHead(200, { 'content-type': 'application/json' }).end(said)
        } catch {
          answer(400, 'subject is part of a name, minutes a number from 1 to 1440\n')
        }
        return
      case '/livez':
      // It is started last, once the mesh listens: to answer at all is to be ready.
      case '/readyz':
        answer(200, 'ok\n')
        return
      default:
        answer(404, 'there is /metrics, /usage, /livez and /readyz\n')
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const isTaken = cause.code === 'EADDRINUSE'
      const message = isTaken ? `${host}:${port} is taken` : `cannot listen on ${host}:${port}: ${cause.message}`
      reject(new StarlingError(message, { remedy: 'set metrics.port, or STARLING_METRICS_PORT', cause }))
    })
    server.listen(port, host, resolve)
  })
  return () => {
    server.close()
    server.closeAllConnections()
  }
}
