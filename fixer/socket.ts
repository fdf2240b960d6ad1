/**
 * The socket of a fixer. Who may connect is for the file system to say, since Node does not tell who did (SO_PEERCRED): the
 * socket belongs to one user, and has mode 0600. Whatever comes over it is bounded in size, time and number.
 */
import { chown, mkdir, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { messageOf, StarlingError } from '../common/errors.ts'
import type { Log } from '../common/log.ts'
import { connectTo, readFrame } from './connection.ts'
import { decodeRequest, encodeAnswer, type FixerAnswer, type FixerRequest } from './wire.ts'

export interface FixerSocketInit {
  readonly path: string
  /** User id of the one user beside root who may connect. */
  readonly owner: number
  /** Never rejects. */
  readonly answer: (request: FixerRequest) => Promise<FixerAnswer>
  readonly log: Log
}

/** An agent has one or two; each can hold a frame of memory. */
const CONNECTIONS_MAX = 256
/** For the whole request to come. The agent is on the same host, and has it ready. */
const REQUEST_WITHIN_MS = 5_000

/** Rejects with a StarlingError when the socket cannot be made, or another fixer has it. */
export async function listenOnSocket(init: FixerSocketInit): Promise<{ stop(): Promise<void> }> {
  const { path, owner, log } = init
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    serve(socket, init).catch((error: unknown) => {
      log.warn({ err: messageOf(error) }, 'a request was dropped')
      socket.destroy()
    })
  })
  server.maxConnections = CONNECTIONS_MAX
  try {
    await removeLeftOver(path)
    await listen(server, path)
    await chown(path, owner, -1)
  } catch (cause) {
    server.close()
    throw new StarlingError(`the fixer cannot listen on ${path}: ${messageOf(cause)}`, {
      remedy: 'run it as root, once, and let socket.path in its configuration be in a folder that is there',
      cause,
    })
  }
  return {
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}

/** One that was killed leaves its socket behind. */
async function removeLeftOver(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 })
  const other = await connectTo(path).catch(() => undefined)
  other?.destroy()
  if (other !== undefined) throw new Error('another fixer listens there')
  await rm(path, { force: true })
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // The socket is made by `listen` itself: at no moment may others connect to it.
    const before = process.umask(0o177)
    server.listen(path, () => resolve())
    process.umask(before)
  })
}

/** Rejects when no request came. Whether anybody waits for the answer makes no difference. */
async function serve(socket: Socket, { answer }: FixerSocketInit): Promise<void> {
  const request = decodeRequest(await readFrame(socket, REQUEST_WITHIN_MS))
  socket.end(encodeAnswer(await answer(request)))
}
