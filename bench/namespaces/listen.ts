/**
 * A port inside a namespace that this process answers. A socket stays in the network it was made in, so a child in the
 * namespace makes it and hands it out.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { fileURLToPath } from 'node:url'

/** `on`: the words that start a command in the namespace. Listens on all its addresses. */
export async function listenIn(on: readonly string[], port: number): Promise<Server> {
  const [program = '', ...args] = [...on, process.execPath, fileURLToPath(import.meta.url), String(port)]
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const handed = new Promise<Server>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`nothing listens on port ${port} in there`)))
    child.once('message', (_, handle) => resolve(handle as Server))
  })
  const server = await handed
  const ended = once(child, 'exit')
  child.send('taken')
  await ended
  return server
}

/** The child. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = createServer().listen(Number(process.argv[2]), '0.0.0.0', () => process.send?.('listening', server))
  process.once('message', () => process.exit())
}
