/** /livez and /readyz: whether it is to be started again, and whether it can do its part. They name no node and need no token. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { FastifyInstance } from 'fastify'
import type { AggregatorPort, OfficeView } from '../model.ts'
import type { PastEvents } from './event-routes.ts'
import { ProblemError } from './problem.ts'

/** How finely the loop is watched, ms: less would cost more than it tells. */
const RESOLUTION_MS = 20
/** Lag is told of the last minute to two. */
const FORGET_MS = 60_000

export function registerHealth(server: FastifyInstance, port: AggregatorPort, past: PastEvents): void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  let before = 0
  const forget = setInterval(() => {
    before = worst()
    delay.reset()
  }, FORGET_MS).unref()
  server.addHook('onClose', async () => {
    clearInterval(forget)
    delay.disable()
  })
  // In nanoseconds, of which those that were waited for on purpose are no lag.
  const worst = () => Math.max(0, Math.round(delay.max / 1e6) - RESOLUTION_MS)

  // That it answers at all is what a probe asks: one that is late has much to do, and would have more after a restart.
  server.get('/livez', async () => ({ status: 'ok', loopLagMs: Math.max(before, worst()) }))
  server.get('/readyz', async () => ({ ...readiness(port.office()), history: past.stalled?.() ?? 'ok' }))
}

/** Who stands by is ready when it could take over: a rollout waits for that, and for nothing more. Throws a 503. */
function readiness({ role, unfit }: OfficeView): object {
  if (role !== 'starts' && unfit === null) return { status: 'ok', role }
  const detail = unfit === null ? 'the mesh is starting' : `it stands by, and could not take over: ${unfit}`
  throw new ProblemError({ status: 503, title: 'Not ready', detail })
}
