/** A program that is stopped, continued, killed and started again while others depend on it. */
import { readFileSync } from 'node:fs'
import { OwnedProcess } from '../../cli/local/processes.ts'
import { lookUntil } from '../whole.ts'

const LINES_TOLD = 20

export class Daemon extends OwnedProcess {
  /** Neither runs nor answers until `resume`, and its sockets stay: what hangs. */
  pause(): void {
    this.signal('SIGSTOP')
  }

  resume(): void {
    this.signal('SIGCONT')
  }

  /** Resolves when it is gone. `start` begins it anew. */
  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await lookUntil(
      `the end of ${this.name}`,
      () => !this.isRunning,
      () => this.lastWords(),
    )
  }

  /** The end of what it wrote. */
  lastWords(): string {
    const lines = readFileSync(this.logFile, 'utf8').trimEnd().split('\n')
    return [`${this.name}${this.isRunning ? '' : ' has ended'}:`, ...lines.slice(-LINES_TOLD)].join('\n')
  }
}
