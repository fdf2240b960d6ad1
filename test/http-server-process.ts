/** A server of Debian's that tells by HTTP when it is ready, as a process with a temporary folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

const READY_WITHIN_MS = 60_000

export class HttpServerProcess {
  readonly #program: string
  readonly #folder: string
  readonly #child: ChildProcess

  private constructor(program: string, folder: string, child: ChildProcess) {
    this.#program = program
    this.#folder = folder
    this.#child = child
  }

  /** Resolves when it is ready at `url`. The folder is removed when it stops. */
  static async start(
    program: string,
    args: readonly string[],
    folder: string,
    url: string,
  ): Promise<HttpServerProcess> {
    const server = new HttpServerProcess(program, folder, spawn(program, args, { stdio: 'ignore' }))
    try {
      await server.#untilReady(url)
      return server
    } catch (error) {
      await server.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, 'exit')
      this.#child.kill('SIGKILL')
      await gone
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #untilReady(url: string): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS
    for (;;) {
      const isReady = await fetch(`${url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      )
      if (isReady) return
      if (this.#child.exitCode !== null) throw new Error(`${this.#program} ended with code ${this.#child.exitCode}`)
      if (performance.now() > deadline) throw new Error(`${this.#program} is not ready`)
      await wait(50)
    }
  }
}
