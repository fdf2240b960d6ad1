/** The processes of a local mesh: started, watched, and ended with the one that started them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))

/** A process that does not end when it is asked to is killed after this. */
const END_WITHIN_MS = 5_000

export class LocalProcess {
  readonly name: string
  readonly #args: readonly string[]
  readonly #logFile: string
  readonly #within: readonly string[]
  #child: ChildProcess | undefined

  /**
   * `args`: of the `starling` command. What it writes goes to `logFile`. `within`: the words of a command that takes this
   * one as its arguments and turns into it, as nsenter does.
   */
  constructor(name: string, args: readonly string[], logFile: string, within: readonly string[] = []) {
    this.name = name
    this.#args = args
    this.#logFile = logFile
    this.#within = within
  }

  get pid(): number | undefined {
    return this.isRunning ? this.#child?.pid : undefined
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  start(onExit: (code: number | null, signal: string | null) => void = () => {}): void {
    const log = openSync(this.#logFile, 'a', 0o600)
    // Its own group: Ctrl-C in the terminal reaches only `up`, which then ends the others in order.
    // The channel carries nothing; that it closes tells the process that this one is gone (lifetime.ts).
    const stdio = ['ignore', log, log, 'ipc'] as const
    const [program = '', ...args] = [...this.#within, process.execPath, MAIN, ...this.#args]
    const child = spawn(program, args, { stdio: [...stdio], detached: true })
    closeSync(log)
    child.once('exit', onExit)
    this.#child = child
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#child?.kill(signal)
  }

  /** Ends it, stopped or not. */
  async stop(): Promise<void> {
    const child = this.#child
    if (child === undefined || !this.isRunning) return
    const ended = once(child, 'exit')
    const impatient = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS)
    child.kill('SIGTERM')
    // A stopped process takes no signal but this one until it goes on.
    child.kill('SIGCONT')
    await ended
    clearTimeout(impatient)
  }
}
