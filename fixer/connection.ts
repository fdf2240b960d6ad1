/** One end of the connection between an agent and the fixer of its node. */
import { createConnection, type Socket } from 'node:net'
import { FrameReader } from './wire.ts'

/** Rejects when nobody listens there, or one may not connect. */
export function connectTo(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

/** The frame that comes. Rejects when it is too long, is not whole in time, or the other side goes before. */
export function readFrame(socket: Socket, withinMs: number): Promise<Uint8Array> {
  const reader = new FrameReader()
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      clearTimeout(late)
      reject(error)
    }
    const late = setTimeout(() => fail(new Error(`nothing whole came within ${withinMs} ms`)), withinMs)
    // For as long as the socket lives: an error that nobody listens for would end the process.
    socket.on('error', fail)
    for (const event of ['end', 'close']) socket.on(event, () => fail(new Error('the connection was closed')))
    socket.on('data', (chunk: Uint8Array) => {
      try {
        const frame = reader.add(chunk)
        if (frame === undefined) return
        clearTimeout(late)
        resolve(frame)
      } catch (error) {
        fail(error as Error)
      }
    })
  })
}
