/** Checks that the ports of a local mesh are free, before anything is started. */
import { createServer } from 'node:net'
import { StarlingError } from '../../common/errors.ts'
import type { LocalLayout } from './layout.ts'

/** Throws StarlingError naming the first port that is taken and the flag that changes it. */
export async function requireFree(layout: LocalLayout): Promise<void> {
  await requirePort('127.0.0.1', layout.httpPort, 'the page', '--http-port')
  const { aggregator } = layout
  await requirePort(aggregator.host, aggregator.meshPort, 'the mesh', '--mesh-port')
  for (const { name, host, meshPort, metricsPort, kubeletPort } of layout.nodes) {
    await requirePort(host, meshPort, `the mesh of ${name}`, '--mesh-port')
    await requirePort(host, metricsPort, `the metrics of ${name}`, '--mesh-port')
    await requirePort(host, kubeletPort, `the stand-in kubelet of ${name}`, undefined)
  }
}

function requirePort(host: string, port: number, user: string, flag: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const remedy = flag === undefined ? `end what listens on ${host}:${port}` : `give another port with ${flag}`
      reject(new StarlingError(`${host}:${port} is taken, which ${user} needs (${cause.code})`, { remedy, cause }))
    })
    server.listen(port, host, () => server.close(() => resolve()))
  })
}
