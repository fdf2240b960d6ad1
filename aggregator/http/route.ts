/**
 * One route of the API: what it takes and answers, as zod schemas, from which its input is checked, OpenAPI is made
 * (openapi.ts) and docs/api.md is written (reference.ts). How to add one, from any folder of the aggregator:
 *
 *   export const LIST_SILENCES = describeRoute({
 *     method: 'GET', path: '/api/v1/silences', summary: 'Silences that hold',
 *     query: z.strictObject({ limit: limitOf(1_000, 200) }),      // none given: none is taken
 *     answer: z.object({ items: z.array(silence) }),
 *   })
 *   route(api, LIST_SILENCES, async ({ query }) => ({ items: await silences.newest(query.limit) }))
 *
 * and name it in API_ROUTES (api-routes.ts). A handler throws ProblemError or StarlingError (a 503) to say no.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Caller, Right } from '../remediation-model.ts'
import { answerTagged } from './etag.ts'
import { parseInput } from './problem.ts'

export interface RouteSpec<P = unknown, Q = unknown, B = unknown, A = unknown> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** As fastify writes it: `/api/v1/explain/:node`. */
  readonly path: `/api/v1/${string}`
  /** Half a sentence. */
  readonly summary: string
  /** What else whoever calls it has to know. */
  readonly description?: string
  readonly params?: z.ZodType<P>
  /** Without it nothing may be asked for behind the `?`. */
  readonly query?: z.ZodType<Q>
  readonly body?: z.ZodType<B>
  /** In JSON; checked in tests, never while it runs. */
  readonly answer?: z.ZodType<A>
  /** Of that answer; 200 by itself. */
  readonly status?: 201
  /** What it may answer instead, in JSON and no refusal, by status. */
  readonly instead?: Readonly<Record<number, { readonly when: string; readonly answer: z.ZodType }>>
  /** When that is not JSON. */
  readonly answerType?: string
  /** Of Server-Sent Events, by their names. */
  readonly messages?: Readonly<Record<string, { readonly says: string; readonly data: z.ZodType }>>
  /** Needed for it. By itself: `view` to look, `admin` to change anything. */
  readonly right?: Right
  /** Statuses it can answer beside 400, 401, 403, 429 and 500, and when. */
  readonly errors?: Readonly<Record<number, string>>
  /** Of a body, bytes; 16 KiB by itself. */
  readonly bodyLimit?: number
  /** Answers 304 to whoever has it already. */
  readonly tagged?: true
  /** For the reference: what stands behind the `?` there, and what is sent. */
  readonly example?: {
    readonly params?: Readonly<Record<string, string>>
    readonly query?: string
    readonly body?: object
  }
}

/** One whose types nobody needs any more. */
// biome-ignore lint/suspicious/noExplicitAny: what a handler of one route takes, another's does not
export type AnyRouteSpec = RouteSpec<any, any, any, any>

export interface RouteCall<P, Q, B> {
  readonly params: P
  readonly query: Q
  readonly body: B
  readonly caller: Caller
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** An answer is not changed any more. */
type Told<A> = A extends readonly (infer E)[]
  ? readonly Told<E>[]
  : A extends object
    ? { readonly [K in keyof A]: Told<A[K]> }
    : A

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route takes and answers; absent where nobody has written it down. */
    described?: AnyRouteSpec
  }
}

const NOTHING = z.strictObject({})

/** Identity function that infers the types of a route from its schemas. */
export function describeRoute<P, Q, B, A>(spec: RouteSpec<P, Q, B, A>): RouteSpec<P, Q, B, A> {
  return spec
}

/** Registers it: input that does not fit is a 400 that names the field, before `handler` is called. */
export function route<P, Q, B, A>(
  server: FastifyInstance,
  spec: RouteSpec<P, Q, B, A>,
  handler: (call: RouteCall<P, Q, B>) => Told<NoInfer<A>> | FastifyReply | Promise<Told<NoInfer<A>> | FastifyReply>,
): void {
  const { method, path: url, params, query = NOTHING, body, right, bodyLimit, tagged } = spec
  server.route({
    method,
    url,
    config: { described: spec, ...(right === undefined ? {} : { right }) },
    ...(bodyLimit === undefined ? {} : { bodyLimit }),
    handler: async (request, reply) => {
      const answer = await handler({
        params: (params && parseInput(params, request.params)) as P,
        query: parseInput<unknown>(query, request.query) as Q,
        body: (body && parseInput(body, request.body)) as B,
        caller: request.caller,
        request,
        reply,
      })
      // What the handler has sent itself is another form of it, or not yet it.
      return tagged && !reply.sent ? answerTagged(request, reply, answer) : answer
    },
  })
}

/** How many at most, in a query. */
export function limitOf(max: number, byDefault: number): z.ZodType<number> {
  return z.coerce.number().int().min(1).max(max).default(byDefault)
}
