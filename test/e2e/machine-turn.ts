/**
 * A mesh is a dozen processes on ports of its own choice, and test files run side by side: whoever holds this port has the
 * machine. The kernel gives it back however the holder ends.
 */
import { createServer, type Server } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

const TURN_PORT = 17_779
const TRY_EVERY_MS = 250

/** For hooks and tests that wait for their turn: as long as all other files may take together. */
export const TURN_WITHIN_MS = 600_000

let held: Server | undefined
let holders = 0

/** Resolves, when it is this process's turn, with how to end it. Taken again by the same process, it lasts until both ended. */
export async function takeTurn(): Promise<() => void> {
  while (held === undefined) {
    held = await tryTurn()
    if (held === undefined) await wait(TRY_EVERY_MS)
  }
  holders++
  let isOver = false
  return () => {
    if (isOver) return
    isOver = true
    if (--holders > 0) return
    held?.close()
    held = undefined
  }
}

function tryTurn(): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    server.listen(TURN_PORT, '127.0.0.1', () => resolve(server))
  })
}
