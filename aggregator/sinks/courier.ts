/**
 * Carries notifications to one sink, in their order. One that hangs or is broken holds up nothing but its own queue, and that
 * is bounded.
 */
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { Notification } from '../alerting/model.ts'
import { ATTEMPTS_MAX, waitMs } from './back-off.ts'
import { type Sink, SinkError } from './sink.ts'

export const QUEUE_MAX = 200
/** A mail takes several steps; whoever needs longer hangs. */
const TAKES_MS_MAX = 70_000

export interface CourierInit {
  readonly name: string
  readonly sink: Sink
  /** It was not and will not be delivered. */
  readonly lost: (notification: Notification, why: string) => void
  /** What waits has changed. */
  readonly changed: (waiting: readonly Notification[]) => void
  readonly log: Log
}

export class Courier {
  readonly #init: CourierInit
  readonly #waiting: Notification[] = []
  #stop = new AbortController()
  #isRunning = false
  /** Why the last attempt failed; null once one succeeded. */
  problem: string | null = null

  constructor(init: CourierInit) {
    this.#init = init
  }

  get waiting(): readonly Notification[] {
    return this.#waiting
  }

  add(notification: Notification): void {
    const { incident, state, why } = notification
    const same = this.#waiting.findIndex((one, at) => at > 0 && one.incident.id === incident.id && one.state === state)
    // What waits for its first attempt is outdated by what is newer; what only keeps something up need not wait at all.
    if (why === 'kept' && this.#waiting.length > 0) return
    if (same >= 0) this.#waiting[same] = notification
    else this.#waiting.push(notification)
    if (this.#waiting.length > QUEUE_MAX) this.#drop()
    this.#changed()
    void this.#run()
  }

  /** What waits is left where it was kept, and nothing is said until there is more. */
  clear(): void {
    this.#stop.abort()
    this.#stop = new AbortController()
    this.#waiting.length = 0
  }

  /** What waits stays where it was kept. */
  stop(): void {
    this.#stop.abort()
  }

  /** The oldest that says that something fires, rather than one that says that it is over. */
  #drop(): void {
    const firing = this.#waiting.findIndex(({ state }, at) => at > 0 && state === 'firing')
    const [dropped] = this.#waiting.splice(Math.max(firing, 1), 1)
    if (dropped !== undefined) this.#init.lost(dropped, `more than ${QUEUE_MAX} wait: ${this.problem ?? 'it is slow'}`)
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    const { signal } = this.#stop
    try {
      for (let next = this.#waiting[0]; next !== undefined && !signal.aborted; next = this.#waiting[0]) {
        const why = await this.#deliver(next, signal)
        if (signal.aborted) return
        if (this.#waiting[0] === next) this.#waiting.shift()
        if (why !== undefined && next.why !== 'kept') this.#init.lost(next, why)
        this.#changed()
      }
    } finally {
      this.#isRunning = false
      // After a clear there is another signal, and there may be new ones.
      if (signal.aborted && !this.#stop.signal.aborted && this.#waiting.length > 0) void this.#run()
    }
  }

  /** Why it could not be delivered at all; undefined when it was. */
  async #deliver(notification: Notification, signal: AbortSignal): Promise<string | undefined> {
    const { name, log } = this.#init
    const attempts = notification.why === 'kept' ? 1 : ATTEMPTS_MAX
    for (let failed = 1; ; failed++) {
      try {
        await attempt(this.#init.sink, notification, signal)
        this.problem = null
        return undefined
      } catch (error) {
        if (signal.aborted) return undefined
        this.problem = messageOf(error)
        const { isFinal = false, retryAfterMs } = error instanceof SinkError ? error : {}
        log.warn({ sink: name, incident: notification.incident.id, attempt: failed, err: this.problem }, 'not notified')
        if (isFinal || failed >= attempts) return this.problem
        await pause(waitMs(failed, Math.random(), retryAfterMs), signal)
        if (signal.aborted) return undefined
      }
    }
  }

  #changed(): void {
    this.#init.changed(this.#waiting)
  }
}

/** Over at once when it is stopped; it keeps no process from ending. */
function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      stop.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms).unref()
    stop.addEventListener('abort', end, { once: true })
  })
}

/** Once, within a bound of time that the sink has no say in. */
export async function attempt(sink: Sink, notification: Notification, stop?: AbortSignal): Promise<void> {
  const late = AbortSignal.timeout(TAKES_MS_MAX)
  const signal = stop === undefined ? late : AbortSignal.any([stop, late])
  let onAbort = () => {}
  const over = new Promise<never>((_, reject) => {
    onAbort = () => reject(new SinkError(late.aborted ? 'it hangs' : 'it was given up'))
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    await Promise.race([sink.notify(notification, signal), over])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
