/**
 * Who asks. The aggregator's own token opens everything, and whoever has it is nobody in particular; a person has a token and
 * a name of their own. Programs send a token as a bearer; a browser hands it over once, by opening `/?token=…`, and
 * gets it back as a cookie that scripts cannot read. A cookie is sent by the browser whoever wrote the request, so
 * whatever changes something must, with a cookie, also come from our own page.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isSameToken, mayDo, type Person, TOKEN_HOLDER, whoseToken } from '../people.ts'
import type { Caller, Right } from '../remediation-model.ts'
import type { RateLimits } from './limits.ts'
import { ProblemError } from './problem.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks, on routes that need a token. */
    caller: Caller
    /** Whether the token is still somebody's, for answers that last. */
    isWelcome: () => boolean
  }
  interface FastifyContextConfig {
    /** Needed for this route. Without it: to look takes `view`, and to change anything `admin`. */
    right?: Right
  }
}

export const TOKEN_COOKIE = 'starling_token'

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS']

/** Whose token this is; undefined when it is nobody's. */
export type Callers = (token: string) => Caller | undefined

/** `token`: the aggregator's own. `people`: as they are when somebody asks. */
export function callersOf(token: string, people: () => readonly Person[]): Callers {
  const holder: Caller = { name: TOKEN_HOLDER, right: 'admin', isShared: true }
  return (given) => {
    const person = whoseToken(people(), given)
    return isSameToken(given, token) ? holder : person && { name: person.name, right: person.right, isShared: false }
  }
}

/** Lets nobody whose token is not known use the routes of `api`, which are those registered on it after this; nobody too much. */
export function requireToken(api: FastifyInstance, callers: Callers, limits: RateLimits): void {
  api.addHook('onRequest', async (request, reply) => {
    const token = tokenOf(request)
    const caller = callers(token)
    if (caller === undefined) {
      await limits.refusal(request, reply)
      throw unauthorized("this token is nobody's here")
    }
    request.caller = caller
    await limits.request(request, reply)
    requireRight(request, caller)
    request.isWelcome = () => callers(token) !== undefined
  })
}

/** Answers `/?token=…` with the cookie, and sends the browser to an address that does not show the token. */
export function tradeTokenForCookie(reply: FastifyReply, given: string, callers: Callers): FastifyReply {
  if (callers(given) === undefined) throw unauthorized("this token is nobody's here")
  return reply
    .headers({
      // Strict, so that a link on a foreign page does not open ours with the cookie attached.
      'set-cookie': `${TOKEN_COOKIE}=${encodeURIComponent(given)}; Path=/; HttpOnly; SameSite=Strict`,
      'cache-control': 'no-store',
    })
    .redirect('/', 303)
}

/** As it was given. Throws when there is none, or the browser sent it by itself. */
function tokenOf(request: FastifyRequest): string {
  const { authorization, cookie } = request.headers
  if (authorization !== undefined) {
    const bearer = /^Bearer +(\S+)$/i.exec(authorization)?.[1]
    if (bearer === undefined) throw unauthorized('the token must be given as `Bearer TOKEN`')
    return bearer
  }
  const given = cookieValue(cookie)
  if (given === undefined) throw unauthorized('this needs a token')
  if (!isSafe(request) && !isSameOrigin(request.headers)) {
    throw new ProblemError({
      status: 403,
      title: 'Cross-origin request',
      detail: 'a page of another origin may not act here in your name',
    })
  }
  return given
}

function requireRight(request: FastifyRequest, caller: Caller): void {
  const needed = request.routeOptions.config.right ?? (isSafe(request) ? 'view' : 'admin')
  if (mayDo(caller, needed)) return
  throw new ProblemError({
    status: 403,
    title: 'Not allowed',
    detail: `${caller.name} has the right ${caller.right}, and this takes ${needed}`,
    remedy: `whoever keeps the aggregator gives it: \`starling people add NAME --right ${needed}\``,
  })
}

function isSafe({ method }: FastifyRequest): boolean {
  return SAFE_METHODS.includes(method)
}

/**
 * Whether our own page sent the request. SameSite does not tell: to it, another port of this host is the same site.
 * A browser always says where a POST comes from, so one that says nothing is refused.
 */
function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin') return false
  if (headers.origin === undefined) return site === 'same-origin'
  return URL.canParse(headers.origin) && new URL(headers.origin).host === headers.host
}

function cookieValue(header: string | undefined): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2)
    if (name !== TOKEN_COOKIE || value === undefined) continue
    try {
      return decodeURIComponent(value)
    } catch {
      return value
    }
  }
  return undefined
}

function unauthorized(detail: string): ProblemError {
  return new ProblemError({
    status: 401,
    title: 'Unauthorized',
    detail,
    remedy: 'open the link with ?token= that `starling up` printed, or send Authorization: Bearer',
  })
}
