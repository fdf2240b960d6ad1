/** Real sockets for tests, all closed again at the end of the file that asked for them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterAll, vi } from 'vitest'

const cleanups: (() => void)[] = []
afterAll(() => {
  for (const clean of cleanups.splice(0)) clean()
})

/** A condition on the real world is waited for, with this as the deadline. */
export const PATIENCE = { timeout: 10_000, interval: 20 }

export async function listening(server: Server, host: string): Promise<number> {
  await once(server.listen(0, host), 'listening')
  return (server.address() as AddressInfo).port
}

/** A port on which nothing listens. */
export async function freePort(host: string): Promise<number> {
  const server = createServer()
  const port = await listening(server, host)
  await new Promise((closed) => server.close(closed))
  return port
}

/** Something that accepts connections and does `answer` with each. */
export async function listener(host: string, answer: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    answer(socket)
  })
  cleanups.push(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return listening(server, host)
}

export async function connected(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port }).on('error', () => {})
  cleanups.push(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** A listener with a queue of two, stopped and its queue full: it answers as a dead host does, to any further connect. */
export async function frozenListener(host: string): Promise<number> {
  const port = await stoppedListener(host, 1)
  await connected(host, port)
  await connected(host, port)
  return port
}

/** A listener whose process is stopped: the kernel accepts as long as its queue (`backlog` and one) has room. */
export async function stoppedListener(host: string, backlog: number): Promise<number> {
  const program = `require('node:net').createServer().listen({ host: '${host}', port: 0, backlog: ${backlog} }, function () {
    process.stdout.write(String(this.address().port))
  })`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  cleanups.push(() => void child.kill('SIGKILL'))
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  child.kill('SIGSTOP')
  await vi.waitFor(() => assertStopped(child), PATIENCE)
  return Number(said.toString())
}

function assertStopped({ pid }: ChildProcess): void {
  const state = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '')[0]
  if (state !== 'T') throw new Error(`the process is in state ${state}, not stopped`)
}
