/** The processes of a local mesh: started, watched, and ended with the one that started them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'

/** The program that this process runs, from source or built (docs/adr/0005): its processes run the same. */
const [, MAIN = ''] = process.argv

/** A process that does not end when it is asked to is killed after this. */
const END_WITHIN_MS = 5_000

export interface HowToRun {
  /** Of the Node that runs it. */
  readonly nodeFlags?: readonly string[]
  /** The `starling` command, if not the one that runs now. */
  readonly program?: string
  /** The words of a command that takes this one as its arguments and turns into it, as nsenter does. */
  readonly within?: readonly string[]
}

/** Any program. */
export class OwnedProcess {
  readonly name: string
  readonly logFile: string
  readonly #command: readonly string[]
  #child: ChildProcess | undefined

  /** What it writes is added to `logFile`. */
  constructor(name: string, command: readonly string[], logFile: string) {
    this.name = name
    this.logFile = logFile
    this.#command = command
  }

  get pid(): number | undefined {
    return this.isRunning ? this.#child?.pid : undefined
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** It was started, and is gone. */
  get hasEnded(): boolean {
    return this.#child !== undefined && !this.isRunning
  }

  start(onExit: (code: number | null, signal: string | null) => void = () => {}): void {
    const log = openSync(this.logFile, 'a', 0o600)
    // Its own group: Ctrl-C in the terminal reaches only `up`, which then ends the others in order.
    // The channel carries nothing; that it closes tells the process that this one is gone (lifetime.ts).
    const stdio = ['ignore', log, log, 'ipc'] as const
    const [command = '', ...args] = this.#command
    const child = spawn(command, args, { stdio: [...stdio], detached: true })
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

/** Our own. */
export class LocalProcess extends OwnedProcess {
  /** `args`: of the `starling` command. */
  constructor(name: string, args: readonly string[], logFile: string, how: HowToRun = {}) {
    const { nodeFlags = [], program = MAIN, within = [] } = how
    super(name, [...within, process.execPath, ...nodeFlags, program, ...args], logFile)
  }
}
