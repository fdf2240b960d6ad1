/** A process started to be measured, as the kernel counts what it takes, the programs that it ran included. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { StarlingError } from '../../common/errors.ts'

/** USER_HZ, which has been 100 on every Linux for decades. */
const TICKS_PER_SECOND = 100
/** As deploy/starling-agent.service starts an agent. */
const NODE_FLAGS = ['--max-semi-space-size=2', '--v8-pool-size=1']
const SCRIPT = fileURLToPath(new URL('./look-process.ts', import.meta.url))

export interface Taken {
  /** Processor time since its start. */
  readonly cpuMs: number
  readonly rssMb: number
}

export class MeasuredProcess {
  readonly child: ChildProcess

  private constructor(child: ChildProcess) {
    this.child = child
  }

  static spawn(program: string, args: readonly string[]): MeasuredProcess {
    return new MeasuredProcess(spawn(program, args, { stdio: 'ignore' }))
  }

  /** look-process.ts in this mode, and the first that it says: once it runs, or when it is done. */
  static async looking(...mode: readonly string[]): Promise<{ process: MeasuredProcess; said: unknown }> {
    const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const
    const child = spawn(process.execPath, [...NODE_FLAGS, SCRIPT, ...mode], { stdio: [...stdio] })
    const ended = once(child, 'exit').then(([code]) => {
      throw new StarlingError(`the measured process ended with code ${code}`)
    })
    const [said] = (await Promise.race([once(child, 'message'), ended])) as [unknown]
    ended.catch(() => {})
    return { process: new MeasuredProcess(child), said }
  }

  taken(): Taken {
    const { pid } = this.child
    // proc(5): utime, stime, cutime and cstime are fields 14 to 17; the name in field 2 may hold blanks.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
    const rssKb = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
    return { cpuMs: (ticks / TICKS_PER_SECOND) * 1_000, rssMb: rssKb / 1_024 }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const exited = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await exited
  }
}
