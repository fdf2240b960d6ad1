/** Real servers on loopback or on a socket, and what is left of their connections. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo, Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, vi } from 'vitest'

/** What one test listens with. */
export class Services {
  readonly dir = mkdtempSync(join(tmpdir(), 'starling-services-'))
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()

  /** Its port on 127.0.0.1. */
  async listen(server: Server): Promise<number> {
    await this.#start(server.listen(0, '127.0.0.1'))
    return (server.address() as AddressInfo).port
  }

  /** The path of its socket. */
  async listenOnSocket(server: Server): Promise<string> {
    const path = join(this.dir, `${this.#servers.length}.sock`)
    await this.#start(server.listen(path))
    return path
  }

  /** Fails unless every connection that was made to the servers ends, though they do not end it themselves. */
  async allHungUp(): Promise<void> {
    await vi.waitFor(() => expect([...this.#sockets].filter((socket) => !socket.destroyed)).toEqual([]), 30_000)
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    for (const server of this.#servers) server.close()
    rmSync(this.dir, { recursive: true })
  }

  async #start(server: Server): Promise<void> {
    this.#servers.push(server)
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      // The end that the other side hung up on; a server that writes on hears of it so.
      socket.on('error', () => {})
    })
    await once(server, 'listening')
  }
}

/** What it was rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  const error = await promise.then(
    () => new Error('it was not rejected'),
    (thrown: unknown) => thrown,
  )
  return error as Error
}
