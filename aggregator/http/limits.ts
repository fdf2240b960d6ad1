/**
 * How much anybody may ask: requests by caller, bytes by request, and time to send one. Set so that neither the page nor a
 * script that polls meets them, and that no caller, slow or in a loop, keeps others from being answered.
 */
import fastifyRateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ProblemError } from './problem.ts'

export const LIMITS = {
  /** Of one caller from one address. A page asks for a few when it opens, and then listens. */
  requests: 2_000,
  /** Tokens that are nobody's, from one address. */
  refusals: 200,
  windowMs: 10_000,
  bodyBytes: 16 * 1024,
  /** Of address and headers together. */
  headerBytes: 16 * 1024,
  /** From the first byte of a request to its last header, and to its last byte. */
  headersMs: 10_000,
  requestMs: 30_000,
  /** Of a connection without a request. */
  idleMs: 72_000,
} as const

/** Callers that are counted at once; the one that asked longest ago is forgotten first. */
const CALLERS_MAX = 5_000

export interface RateLimits {
  /** Counts one request. Throws a 429 when it is one too many. */
  request(request: FastifyRequest, reply: FastifyReply): Promise<void>
  /** Counts one token that is nobody's. Throws a 429 when there were too many. */
  refusal(request: FastifyRequest, reply: FastifyReply): Promise<void>
}

/** To be called before routes are registered; what it answers counts once the server is ready. */
export function rateLimits(server: FastifyInstance): RateLimits {
  server.register(fastifyRateLimit, { global: false, cache: CALLERS_MAX })
  const limiter = (max: number, keyGenerator: (request: FastifyRequest) => string) => {
    let check: ReturnType<FastifyInstance['createRateLimit']> | undefined
    return async (request: FastifyRequest, reply: FastifyReply) => {
      check ??= server.createRateLimit({ max, timeWindow: LIMITS.windowMs, keyGenerator })
      const seen = await check(request)
      if (seen.isAllowed || !seen.isExceeded) return
      reply.header('retry-after', String(Math.max(1, seen.ttlInSeconds)))
      throw new ProblemError({
        status: 429,
        title: 'Too many requests',
        detail: `more than ${max} in ${LIMITS.windowMs / 1_000} s`,
        remedy: 'ask less often, or follow the stream: it tells of each change',
      })
    }
  }
  return {
    request: limiter(LIMITS.requests, ({ caller, ip }) => `${caller.name}@${ip}`),
    refusal: limiter(LIMITS.refusals, ({ ip }) => ip),
  }
}
