/**
 * One token opens everything. Programs send it as a bearer; a browser hands it over once, by opening `/?token=…`, and
 * gets it back as a cookie that scripts cannot read. A cookie is sent by the browser whoever wrote the request, so
 * whatever changes something must, with a cookie, also come from our own page.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ProblemError } from './problem.ts'

export const TOKEN_COOKIE = 'starling_token'
/** What a decision is signed with; there is one token, so there is one name. */
export const TOKEN_HOLDER = 'local-token'

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS']

/** Lets nobody without the token use the routes of `api`, which are those registered on it after this. */
export function requireToken(api: FastifyInstance, token: string): void {
  api.addHook('onRequest', async (request) => authenticate(request, token))
}

/** Answers `/?token=…` with the cookie, and sends the browser to an address that does not show the token. */
export function tradeTokenForCookie(reply: FastifyReply, given: string, token: string): FastifyReply {
  if (!isSame(given, token)) throw unauthorized('this is not the token of this aggregator')
  return reply
    .headers({
      // Strict, so that a link on a foreign page does not open ours with the cookie attached.
      'set-cookie': `${TOKEN_COOKIE}=${encodeURIComponent(token)}; Path=/; HttpOnly; SameSite=Strict`,
      'cache-control': 'no-store',
    })
    .redirect('/', 303)
}

function authenticate(request: FastifyRequest, token: string): void {
  const { authorization, cookie } = request.headers
  if (authorization !== undefined) {
    const bearer = /^Bearer +(\S+)$/i.exec(authorization)?.[1]
    if (bearer === undefined || !isSame(bearer, token)) throw unauthorized('this is not the token of this aggregator')
    return
  }
  const given = cookieValue(cookie)
  if (given === undefined) throw unauthorized('this needs the token')
  if (!isSame(given, token)) throw unauthorized('the token in the cookie is not the token of this aggregator')
  if (!SAFE_METHODS.includes(request.method) && !isSameOrigin(request.headers)) {
    throw new ProblemError({
      status: 403,
      title: 'Cross-origin request',
      detail: 'a page of another origin may not act here in your name',
    })
  }
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

/** In a time that says nothing of the token: digests make the lengths equal, as timingSafeEqual needs them. */
function isSame(given: string, token: string): boolean {
  return timingSafeEqual(digest(given), digest(token))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function unauthorized(detail: string): ProblemError {
  return new ProblemError({
    status: 401,
    title: 'Unauthorized',
    detail,
    remedy: 'open the link with ?token= that `starling up` printed, or send Authorization: Bearer',
  })
}
