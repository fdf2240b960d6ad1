/** One address for whichever aggregator is up, as a Service gives it to people. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import type { Aggregator } from '../../bench/namespaces/mesh.ts'

export class Front {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  /** `of`: the aggregators; the first that runs is the one that answers. */
  static async open(of: () => readonly Aggregator[]): Promise<Front> {
    const server = createServer((outside) => {
      const up = of().find(({ process }) => process.isRunning)
      if (up === undefined) {
        outside.destroy()
        return
      }
      const inside = connect(up.gate.port, '127.0.0.1')
      outside.pipe(inside).pipe(outside)
      outside.once('error', () => inside.destroy())
      inside.once('error', () => outside.destroy())
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return new Front(server)
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
  }
}
