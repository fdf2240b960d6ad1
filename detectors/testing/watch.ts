/** A detector in the engine that reports it, on virtual time: what would be said of a host that changes from look to look. */
import { durationMs } from '../../common/duration.ts'
import type { Detector, Finding, Host } from '../contract.ts'
import { startDetectors } from '../engine/engine.ts'
import { momentAt } from './virtual-clock.ts'

export interface Watch {
  /** One interval later, a look at `host`. `seen`: sustained or not; `reported`: what people are told from then on. */
  look(host: Host): Promise<{ readonly seen: readonly Finding[]; readonly reported: readonly Finding[] }>
  stop(): void
}

/** Of the node `node`, with default options. Time goes on between looks and stands still within them, however long they really take. */
export function watch(detector: Detector, node = 'node-7'): Watch {
  const stopping = new AbortController()
  let nowMs = 0
  let reported: readonly Finding[] = []
  let current: Host | undefined
  const host = changingHost(node, () => {
    if (current === undefined) throw new Error('no look is in progress')
    return current
  })
  const engine = startDetectors({
    host,
    detectors: [detector],
    version: '0.0.0',
    options: {},
    onReport: ({ findings }) => {
      reported = findings
    },
    signal: stopping.signal,
    clock: { now: () => momentAt(nowMs), sleep: untilAborted, random: () => 0.5, cpuMs: () => 0 },
  })
  return {
    async look(next) {
      nowMs += durationMs(detector.every)
      current = next
      const seen = await engine.runNow(detector.name)
      return { seen, reported }
    },
    stop: () => stopping.abort(),
  }
}

/** One host for all looks, since detectors keep by it what they know; it answers as `current` does. */
function changingHost(node: string, current: () => Host): Host {
  const answer = (name: string | symbol) =>
    name === 'node' ? node : (...args: unknown[]) => Reflect.apply(Reflect.get(current(), name), undefined, args)
  return new Proxy({} as Host, { get: (_, name) => answer(name) })
}

function untilAborted(_ms: number, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
