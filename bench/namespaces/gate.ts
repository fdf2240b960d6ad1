/**
 * A way from this process to a port inside a namespace. A socket stays in the network it was made in, so a child in the
 * namespace is handed one that listens on this side's loopback.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { fileURLToPath } from 'node:url'

export interface Gate {
  /** On 127.0.0.1 of this side. */
  readonly port: number
  close(): void
}

/** `on`: the words that start a command in the namespace. `port`: on 127.0.0.1 in there. */
export async function openGate(on: readonly string[], port: number): Promise<Gate> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: outside } = server.address() as AddressInfo
  const [program = '', ...args] = [...on, process.execPath, fileURLToPath(import.meta.url), String(port)]
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.send('listen', server, (error) => (error === null ? resolve() : reject(error)))
  })
  server.close()
  return { port: outside, close: () => child.kill('SIGKILL') }
}

/** The child. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const port = Number(process.argv[2])
  process.once('disconnect', () => process.exit())
  process.once('message', (_, handle) => {
    const server = handle as Server
    server.on('connection', (outside) => {
      const inside = connect(port, '127.0.0.1')
      outside.pipe(inside).pipe(outside)
      outside.once('error', () => inside.destroy())
      inside.once('error', () => outside.destroy())
    })
  })
}
