/** Whether ports of a local mesh are free, before anything is started, and whether somebody listens. */
import { connect, createServer, type NetConnectOpts } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { StarlingError } from '../../common/errors.ts'
import type { LocalLayout } from './layout.ts'

/** A process that was killed holds its ports until the last of its threads has ended. */
const FREED_WITHIN_MS = 10_000
const TRY_EVERY_MS = 100

/** As requireFree, with patience for processes that are ending. */
export async function waitUntilFree(layout: LocalLayout): Promise<void> {
  const deadline = performance.now() + FREED_WITHIN_MS
  for (;;) {
    try {
      return await requireFree(layout)
    } catch (error) {
      if (performance.now() > deadline) throw error
    }
    await wait(TRY_EVERY_MS)
  }
}

/** Throws StarlingError naming the first port that is taken and the flag that changes it. */
export async function requireFree(layout: LocalLayout): Promise<void> {
  await requirePort('127.0.0.1', layout.httpPort, 'the page', '--http-port')
  const { aggregator } = layout
  await requirePort(aggregator.host, aggregator.meshPort, 'the mesh', '--mesh-port')
  for (const { name, host, meshPort, metricsPort, kubeletPort } of layout.nodes) {
    await requirePort(host, meshPort, `the mesh of ${name}`, '--mesh-port')
    await requirePort(host, metricsPort, `the metrics of ${name}`, '--mesh-port')
    await requirePort(host, kubeletPort, `the stand-in kubelet of ${name}`, '--kubelet-port')
  }
}

function requirePort(host: string, port: number, user: string, flag: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const remedy = `give another port with ${flag}`
      reject(new StarlingError(`${host}:${port} is taken, which ${user} needs (${cause.code})`, { remedy, cause }))
    })
    server.listen(port, host, () => server.close(() => resolve()))
  })
}

export function answers(at: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(at)
    const finish = (isThere: boolean) => {
      socket.destroy()
      resolve(isThere)
    }
    socket.once('connect', () => finish(true))
    socket.once('error', () => finish(false))
  })
}
