/** The HTTP server people and scripts talk to: the API, its stream and the page. All it knows comes through the port. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import { type FastifyError, type FastifyInstance, fastify, LogController } from 'fastify'
import type { Logger } from 'pino'
import { StarlingError } from '../../common/errors.ts'
import type { Trail } from '../audit/trail.ts'
import type { AggregatorPort } from '../model.ts'
import type { NodeDesks } from '../node-desks.ts'
import { registerAuditRoutes } from './audit-routes.ts'
import { type Callers, requireToken, tradeTokenForCookie } from './auth.ts'
import { collectRoutes, registerOpenApi } from './description.ts'
import { type PastEvents, registerEventRoutes } from './event-routes.ts'
import { registerHealth } from './health.ts'
import { LIMITS, rateLimits } from './limits.ts'
import { registerListRoutes } from './list-routes.ts'
import { registerPermitRoutes } from './permit-routes.ts'
import { notFound, ProblemError, refuseUnread, sendProblem } from './problem.ts'
import { registerRoutes } from './routes.ts'
import { registerSettingsRoutes } from './settings-routes.ts'
import { registerStream } from './stream.ts'

const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // The address may hold the token; it goes to nobody.
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

export interface HttpServerOptions {
  readonly port: AggregatorPort
  /** What cursors of its events name it by. */
  readonly storeName: string
  /** Where events are looked up that people look back at; without it, its own. */
  readonly past?: PastEvents
  /** Of the program, for the description of the API. */
  readonly version: string
  /** Asks the nodes themselves. */
  readonly desks: NodeDesks
  /** Of the history, for whoever checks it. */
  readonly trail: Trail
  /** Who may ask. */
  readonly callers: Callers
  /** Directory of the built page; when it is missing, the API works and `/` says how to build it. */
  readonly webRoot: string
  /** What else is answered under /api/v1 to whoever has a token. */
  readonly registerMore?: (api: FastifyInstance) => void
  /** The metrics as Prometheus reads them; they name no node, so they need no token. */
  metrics(): Promise<string>
  readonly log: Logger
}

/** A server that is not yet listening; see `listenHttp`. Closing it ends its streams. */
export function createHttpServer({
  port,
  storeName,
  past = { store: async () => storeName, query: async (query) => port.events(query) },
  version,
  desks,
  trail,
  callers,
  webRoot,
  registerMore,
  metrics,
  log,
}: HttpServerOptions): FastifyInstance {
  const server = fastify({
    loggerInstance: log,
    bodyLimit: LIMITS.bodyBytes,
    requestTimeout: LIMITS.requestMs,
    keepAliveTimeout: LIMITS.idleMs,
    http: { headersTimeout: LIMITS.headersMs, maxHeaderSize: LIMITS.headerBytes },
    clientErrorHandler: refuseUnread,
    // Off, because addresses would be logged, and one of them holds the token.
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { maxParamLength: 1_000 },
  }) as unknown as FastifyInstance

  server.addHook('onRequest', async (_request, reply) => {
    reply.headers(SECURITY_HEADERS)
  })
  server.setErrorHandler<FastifyError>((error, request, reply) => {
    if (error instanceof ProblemError) return sendProblem(reply, error.problem)
    if (error instanceof StarlingError) {
      const remedy = error.remedy === undefined ? {} : { remedy: error.remedy }
      return sendProblem(reply, { status: 503, title: 'Not available', detail: error.message, ...remedy })
    }
    const status = error.statusCode ?? 500
    if (status < 500) return sendProblem(reply, { status, title: 'Bad request', detail: error.message })
    log.error({ err: error, route: request.routeOptions.url }, 'request failed')
    return sendProblem(reply, {
      status: 500,
      title: 'Internal error',
      detail: 'this is a bug; the log has the details',
    })
  })
  server.setNotFoundHandler(() => {
    throw notFound('there is nothing at this address')
  })

  registerHealth(server, port, past)
  server.get('/metrics', async (_request, reply) => reply.type('text/plain; version=0.0.4').send(await metrics()))
  const limits = rateLimits(server)
  // A context of its own, so that the token is asked for by route: an address can spell /api/ in many ways.
  server.register(async (api) => {
    requireToken(api, callers, limits)
    api.addHook('onRequest', async (_request, reply) => {
      reply.header('cache-control', 'no-store')
    })
    const routes = collectRoutes(api)
    registerOpenApi(api, routes, version)
    registerRoutes(api, port, desks)
    registerListRoutes(api, port)
    registerEventRoutes(api, { store: storeName, query: (query) => port.events(query) }, past)
    registerAuditRoutes(api, trail)
    registerPermitRoutes(api, port)
    registerSettingsRoutes(api, port)
    registerStream(api, port, storeName)
    registerMore?.(api)
  })
  registerPage(server, webRoot, callers)
  return server
}

function registerPage(server: FastifyInstance, webRoot: string, callers: Callers): void {
  const built = existsSync(join(webRoot, 'index.html'))
  if (built) {
    server.register(fastifyStatic, {
      root: webRoot,
      index: false,
      setHeaders(reply, path) {
        // Built assets carry a hash of their content in their names; everything else can change under its name.
        reply.header('cache-control', path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache')
      },
    })
  }
  server.get<{ Querystring: { token?: string | string[] } }>('/', (request, reply) => {
    const given = request.query.token
    if (given !== undefined) return tradeTokenForCookie(reply, String(given), callers)
    if (built) return reply.sendFile('index.html')
    throw new ProblemError({
      status: 503,
      title: 'Page not built',
      detail: `there is no page in ${webRoot}`,
      remedy: 'run: node scripts/build-page.ts',
    })
  })
}

/** Starts to listen and returns the address, as `http://127.0.0.1:7780`. Throws StarlingError when it cannot. */
export async function listenHttp(server: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await server.listen({ host, port })
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const remedy = 'choose another with --http-port (0 takes a free one)'
    if (code === 'EADDRINUSE') throw new StarlingError(`port ${port} on ${host} is in use`, { remedy, cause: error })
    if (code === 'EACCES')
      throw new StarlingError(`port ${port} may not be used by this user`, { remedy, cause: error })
    throw error
  }
}
