/** Finds the processes that a program has started by a mark in their environment, which they inherit, and ends them. */
import { readdir, readFile } from 'node:fs/promises'

/** The variable that holds the mark of a run. */
export const MARK = 'STARLING_RUN'

/** Processes that go on starting others are asked for again; one that outruns this many rounds is left to the next run. */
const ROUNDS_MAX = 10

/**
 * Ends them all. What cannot be found: a process that cleared its environment and left its process group, and one of another
 * user when the agent is not root.
 */
export async function killMarked(mark: string): Promise<void> {
  const variable = Buffer.from(`${MARK}=${mark}`)
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const pids = await marked(variable)
    if (pids.length === 0) return
    // Stopped first, so that none can start another in the place of one that was killed.
    for (const by of ['SIGSTOP', 'SIGKILL'] as const) for (const pid of pids) send(pid, by)
  }
}

async function marked(variable: Buffer): Promise<readonly number[]> {
  const names = await readdir('/proc').catch(() => [])
  const pids: number[] = []
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue
    // A zombie, a thread of the kernel and a process of somebody else show none, or refuse.
    const environment = await readFile(`/proc/${name}/environ`).catch(() => undefined)
    if (environment?.includes(variable)) pids.push(Number(name))
  }
  return pids
}

function send(pid: number, by: NodeJS.Signals): void {
  try {
    process.kill(pid, by)
  } catch {
    // It has ended.
  }
}
