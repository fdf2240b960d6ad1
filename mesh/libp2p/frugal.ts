/**
 * What libp2p spends on messages as small and as frequent as beats, and need not: TCP writes two pieces of one frame as
 * two packets, and Yamux answers each frame with a window update. Both reach into what these packages do not promise, so
 * a change of theirs must be noticed: the first use throws, and test/mesh/frugal.test.ts counts packets.
 */
import type { Socket } from 'node:net'
import type { MessageStream, Stream } from '@libp2p/interface'

/** All that is written in one turn of the event loop leaves as one segment: an ack, and whatever goes with it. */
export function joinWrites<T extends MessageStream>(connection: T): T {
  const { socket, sendData } = connection as T & { socket?: Socket; sendData?(data: unknown): unknown }
  if (socket === undefined || sendData === undefined) throw new Error('this connection is not that of @libp2p/tcp')
  let isJoining = false
  const joined = (data: unknown) => {
    if (!isJoining) {
      isJoining = true
      socket.cork()
      // After all that has arrived is dealt with, and before the loop waits again.
      setImmediate(() => {
        isJoining = false
        socket.uncork()
      })
    }
    return sendData.call(connection, data)
  }
  return Object.assign(connection, { sendData: joined })
}

/** The parts of a Yamux stream that say how much more it may be sent. */
interface Window {
  readonly recvWindow: number
  readonly recvWindowCapacity: number
  sendWindowUpdate(): void
}

/** A peer is told of room in the window when half of it is used, not after each frame. For a stream that is open. */
export function updateWindowLate(stream: Stream): void {
  const window = stream as Stream & Partial<Window>
  const { recvWindow, sendWindowUpdate } = window
  if (recvWindow === undefined || sendWindowUpdate === undefined) throw new Error('this stream is not one of Yamux')
  window.sendWindowUpdate = function (this: Window) {
    if (this.recvWindowCapacity < this.recvWindow / 2) sendWindowUpdate.call(this)
  }
}
