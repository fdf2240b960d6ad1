/** A server over HTTP that keeps what is posted to it and answers as it is told to. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'

export interface Posted {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Record<string, unknown>
}

export interface Answer {
  readonly status: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

export class Recorder {
  readonly posted: Posted[] = []
  /** By the beginning of a path; 200 and `{}` where none fits; `hang` answers never. */
  readonly answers = new Map<string, Answer | 'hang'>()
  readonly #server: Server

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const path = request.url ?? ''
      const body = JSON.parse(await text(request)) as Record<string, unknown>
      this.posted.push({ path, headers: request.headers, body })
      const answer = [...this.answers].find(([start]) => path.startsWith(start))?.[1] ?? { status: 200 }
      if (answer === 'hang') return
      response.writeHead(answer.status, answer.headers).end(answer.body ?? '{}')
    })
  }

  static start(): Promise<Recorder> {
    const recorder = new Recorder()
    return new Promise((resolve) => recorder.#server.listen(0, '127.0.0.1', () => resolve(recorder)))
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  at(path: string): readonly Posted[] {
    return this.posted.filter((one) => one.path.startsWith(path))
  }

  /** The last one there, once there are so many. */
  async until(path: string, count: number, withinMs = 60_000): Promise<Posted> {
    const deadline = performance.now() + withinMs
    for (;;) {
      const last = this.at(path)[count - 1]
      if (last !== undefined) return last
      if (performance.now() > deadline) throw new Error(`${this.at(path).length} of ${count} came to ${path}`)
      await wait(20)
    }
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}
