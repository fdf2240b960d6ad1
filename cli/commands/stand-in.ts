import type { Command } from 'commander'
import { StarlingError } from '../../common/errors.ts'
import { createServer } from '../../common/node-http.ts'
import { untilSignal } from '../lifetime.ts'

/** What a local mesh has instead of kubelets: a process that answers on a kubelet's health port, and nothing else. */
export function registerStandIn(program: Command): void {
  program
    .command('stand-in', { hidden: true })
    .description("answers on a kubelet's port, for a local mesh")
    .requiredOption('--host <address>', 'address to listen on')
    .requiredOption('--port <port>', 'port to listen on', Number)
    .option('--of <folder>', "its node's folder, by which its mesh knows it again among other processes")
    .action(async ({ host, port }: { host: string; port: number }) => {
      const server = createServer((_request, response) => response.end('ok'))
      await new Promise<void>((resolve, reject) => {
        server.once('error', (cause) => {
          reject(
            new StarlingError(`the stand-in kubelet cannot listen on ${host}:${port}: ${cause.message}`, { cause }),
          )
        })
        server.listen(port, host, resolve)
      })
      await untilSignal()
    })
}
