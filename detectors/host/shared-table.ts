/** One table of processes for all who ask at about the same time: a host may run thousands, and detectors by the dozen ask. */
import type { ProcessTable } from './port.ts'

/** As promised of Host.processes. */
const LATELY_MS = 2_000

interface Reading {
  readonly beganMs: number
  readonly table: Promise<ProcessTable>
  isDone: boolean
}

/** As Host.processes, of what `read` reads. It is never read twice at once, so one process that hangs takes one thread. */
export function sharedTable(read: () => Promise<ProcessTable>): (asOf: 'lately' | 'now') => Promise<ProcessTable> {
  let latest: Reading | undefined
  let following: Promise<ProcessTable> | undefined

  const begin = () => {
    const reading: Reading = { beganMs: performance.now(), table: read(), isDone: false }
    const end = () => {
      reading.isDone = true
    }
    reading.table.then(end, end)
    latest = reading
    return reading.table
  }

  return async (asOf) => {
    if (latest === undefined) return begin()
    if (asOf === 'lately' && (!latest.isDone || performance.now() - latest.beganMs <= LATELY_MS)) {
      return { ...(await latest.table), isFresh: false }
    }
    if (latest.isDone) return begin()
    // One that runs began before the question. Whoever else comes before the next begins shares that.
    const next = () => {
      following = undefined
      return begin()
    }
    following ??= latest.table.then(next, next)
    return following
  }
}
