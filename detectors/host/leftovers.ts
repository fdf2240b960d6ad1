/** Finds the processes that a program has started by a mark in their environment, which they inherit, and ends them. */
import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'

/** The variable that holds the mark of a run. */
const MARK = 'STARLING_RUN'

/** Processes that go on starting others are asked for again; what outruns this many rounds is left. */
const ROUNDS_MAX = 10

export class Leftovers {
  readonly #mark = randomUUID()
  #first: number | undefined

  /** To be in the environment of the program. */
  get environment(): Readonly<Record<string, string>> {
    return { [MARK]: this.#mark }
  }

  /** `pid` is the program; undefined when it was not started. */
  of(pid: number | undefined): void {
    this.#first = pid
  }

  /**
   * Ends them all, with the program. What cannot be found: a process that cleared its environment, and one of another user
   * when the agent is not root.
   */
  async kill(): Promise<void> {
    if (this.#first === undefined) return
    const variable = Buffer.from(`${MARK}=${this.#mark}`)
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const pids = await marked(variable, await startedSince(this.#first))
      if (pids.length === 0) return
      // Stopped first, so that none can start another in the place of one that was killed.
      for (const by of ['SIGSTOP', 'SIGKILL'] as const) for (const pid of pids) send(pid, by)
    }
  }
}

/** Pids are given in turn, so those since `first` are those up to the one that was given last, perhaps around the end. */
async function startedSince(first: number): Promise<readonly number[]> {
  const names = await readdir('/proc').catch(() => [])
  const load = await readFile('/proc/loadavg', 'utf8').catch(() => '')
  const last = Number(/(\d+)\n$/.exec(load)?.[1] ?? Infinity)
  const isSince = (pid: number) => (first <= last ? pid >= first && pid <= last : pid >= first || pid <= last)
  return names.map(Number).filter((pid) => Number.isInteger(pid) && isSince(pid))
}

async function marked(variable: Buffer, pids: readonly number[]): Promise<readonly number[]> {
  const found: number[] = []
  for (const pid of pids) {
    // A zombie, a thread of the kernel and a process of somebody else show none, or refuse.
    const environment = await readFile(`/proc/${pid}/environ`).catch(() => undefined)
    if (environment?.includes(variable)) found.push(pid)
  }
  return found
}

function send(pid: number, by: NodeJS.Signals): void {
  try {
    process.kill(pid, by)
  } catch {
    // It has ended.
  }
}
