/** The API describes itself: the routes of a server are noted as they are registered, and told as OpenAPI. */
import type { FastifyInstance } from 'fastify'
import { shaped } from './answers.ts'
import { openApiOf } from './openapi.ts'
import { type AnyRouteSpec, describeRoute, route } from './route.ts'

export interface Routes {
  readonly described: readonly AnyRouteSpec[]
  /** Those that nobody has described, as `GET /api/v1/x`. */
  readonly others: readonly string[]
}

const OPENAPI = describeRoute({
  method: 'GET',
  path: '/api/v1/openapi.json',
  summary: 'This API, as OpenAPI 3.1',
  answer: shaped<object>('as the OpenAPI Initiative defines it').meta({ id: 'OpenApiDocument' }),
  tagged: true,
})

export const DESCRIPTION_ROUTES = [OPENAPI]

/** Notes every route that is registered on `api` after this. */
export function collectRoutes(api: FastifyInstance): Routes {
  const described: AnyRouteSpec[] = []
  const others: string[] = []
  api.addHook('onRoute', ({ method, url, config }) => {
    // Fastify adds it to each GET by itself.
    if (method === 'HEAD') return
    const spec = config?.described
    if (spec === undefined) others.push(`${method} ${url}`)
    else described.push(spec)
  })
  return { described, others }
}

/** `version`: of the program. */
export function registerOpenApi(api: FastifyInstance, routes: Routes, version: string): void {
  let made: object | undefined
  route(api, OPENAPI, () => {
    made ??= openApiOf(routes.described, version, routes.others)
    return made
  })
}
