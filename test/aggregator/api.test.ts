/** The API as its description says it is: every route, its answers, its refusals, its pages and its limits. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fastify } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { API_ROUTES } from '../../aggregator/http/api-routes.ts'
import { storeName } from '../../aggregator/http/cursor.ts'
import { registerEventRoutes } from '../../aggregator/http/event-routes.ts'
import { LIMITS } from '../../aggregator/http/limits.ts'
import { renderApi } from '../../aggregator/http/reference.ts'
import type { AnyRouteSpec } from '../../aggregator/http/route.ts'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import { VERDICT_ID } from './sample-port.ts'
import { type ServedSample, STORE_NAME, serveSample, TOKEN } from './serve-sample.ts'

const BEARER = { authorization: `Bearer ${TOKEN}` }

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
  readonly 'x-undescribed'?: readonly string[]
}

let served: ServedSample
beforeEach(async () => {
  served = await serveSample()
})
afterEach(() => served.close())

const get = (url: string, headers: Record<string, string> = {}) =>
  served.server.inject({ url, headers: { ...BEARER, ...headers } })

const post = (url: string, payload: object) => served.server.inject({ method: 'POST', url, payload, headers: BEARER })

/** Lists with nothing in them in the sample. */
const EMPTY = ['/api/v1/remediations/pauses', '/api/v1/inspections', '/api/v1/audit/events', '/api/v1/audit/heads']

describe('the description', () => {
  it('is what docs/api.md says (if not: node scripts/docs.ts)', async () => {
    expect(await readFile('docs/api.md', 'utf8')).toBe(renderApi(API_ROUTES))
  })

  it('has every route that is registered, and every reference in it leads somewhere', async () => {
    const told = (await get('/api/v1/openapi.json')).json() as OpenApi
    expect(told['x-undescribed'] ?? []).toEqual([])
    const paths = Object.entries(told.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const listed = API_ROUTES.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
    expect(paths.sort()).toEqual([...listed].sort())
    for (const [, name] of JSON.stringify(told).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      expect(Object.keys(told.components.schemas)).toContain(name)
    }
    const ids = Object.values(told.paths).flatMap((methods) =>
      Object.values(methods).map((each) => (each as { operationId?: string }).operationId),
    )
    expect(new Set(ids).size).toBe(ids.length)
  })

  it.each(
    API_ROUTES.filter(({ method, answer }) => method === 'GET' && answer !== undefined).map((spec) => [
      spec.path,
      spec,
    ]),
  )('holds for the answer of %s', async (_, spec: AnyRouteSpec) => {
    const id = spec.path.includes('/inspections/') ? (await post('/api/v1/inspections', {})).json().run.id : VERDICT_ID
    const path = spec.path.replace(':node', 'node-4').replace(':id', id)
    if (path.startsWith('/api/v1/usage/')) return
    const query = spec.example?.query === undefined ? '' : `?${spec.example.query}`
    const answer = await get(`${path}${query}`)
    expect([answer.statusCode, answer.body]).toEqual([200, expect.any(String)])
    const parsed = spec.answer?.safeParse(answer.json())
    expect(parsed?.error?.issues ?? []).toEqual([])
    // Nothing is answered that is not described.
    expect(parsed?.data).toEqual(answer.json())
    // Of an empty list nothing would be held to it.
    const { items } = answer.json()
    if (items !== undefined && !EMPTY.includes(spec.path)) expect(items.length).toBeGreaterThan(0)
  })

  it.each([
    '/api/v1/silences',
    '/api/v1/silences/:id/expire',
    '/api/v1/notify/test',
    '/api/v1/notify/dead/again',
    '/api/v1/alerts/alertmanager',
    '/api/v1/reports/:name/send',
    '/api/v1/remediations/pauses',
  ])('holds for the answer of POST %s', async (path) => {
    const spec = API_ROUTES.find((each) => each.method === 'POST' && each.path === path)
    const [silence] = (await get('/api/v1/silences')).json().items
    const answer = await post(path.replace(':id', silence.id).replace(':name', 'daily'), spec?.example?.body ?? {})
    expect([answer.statusCode, answer.body]).toEqual([200, expect.any(String)])
    expect(spec?.answer?.parse(answer.json())).toEqual(answer.json())
  })

  it('says of every answer that bears an event that it may be a single copy', () => {
    const bearing = API_ROUTES.filter(({ method }) => method !== 'GET').flatMap(({ path, answer }) =>
      answer instanceof z.ZodObject && 'event' in answer.shape ? [[path, 'singleCopy' in answer.shape]] : [],
    )
    expect(bearing.length).toBeGreaterThan(10)
    expect(bearing.filter(([, isSaid]) => !isSaid)).toEqual([])
  })
})

describe('whatever is sent', () => {
  it.each([
    ['/api/v1/events?cursor=x', 'cursor'],
    ['/api/v1/events?cursor=another.3', 'cursor'],
    ['/api/v1/events?from=yesterday', 'from'],
    ['/api/v1/findings?cursor=x', 'cursor'],
    ['/api/v1/findings?status=broken', 'status.0'],
    ['/api/v1/state?node=node-1', 'node'],
  ])('%s is refused and names %s', async (url, field) => {
    const answer = await get(url)
    expect(answer.statusCode).toBe(400)
    expect(answer.json().errors.map((error: { field: string }) => error.field)).toEqual([field])
  })
})

describe('answers that whoever asks has', () => {
  it('of an inspection are not sent again; those in another form, and of one under way, have no tag', async () => {
    const url = `/api/v1/inspections/${(await post('/api/v1/inspections', {})).json().run.id}`
    const first = await get(url)
    const again = await get(url, { 'if-none-match': String(first.headers.etag) })
    expect([first.statusCode, again.statusCode, again.body]).toEqual([200, 304, ''])
    const html = await get(`${url}?format=html`)
    expect([html.statusCode, html.headers.etag, html.body]).toEqual([200, undefined, expect.stringContaining('<html')])
    served.inspected.fresh = () => new Promise(() => {})
    const begun = await post('/api/v1/inspections', { fresh: true })
    const running = await get(`/api/v1/inspections/${begun.json().id}`)
    expect([begun.statusCode, running.statusCode, running.headers.etag]).toEqual([202, 202, undefined])
    for (const { method, path, instead } of API_ROUTES.filter((each) => each.instead !== undefined)) {
      const answer = method === 'POST' ? begun : running
      expect([path, instead?.[202]?.answer.parse(answer.json())]).toEqual([path, answer.json()])
    }
  })

  it.each(['/api/v1/state', '/api/v1/settings', '/api/v1/openapi.json'])('of %s are not sent again', async (url) => {
    const tag = String((await get(url)).headers.etag)
    for (const header of [tag, `"x", W/${tag}`, '*']) {
      const again = await get(url, { 'if-none-match': header })
      expect([again.statusCode, again.body, again.headers.etag]).toEqual([304, '', tag])
    }
    expect((await get(url, { 'if-none-match': '"x"' })).statusCode).toBe(200)
  })

  it('are sent when they have changed', async () => {
    const tag = String((await get('/api/v1/state')).headers.etag)
    served.sample.change({ notice: 'another' })
    expect((await get('/api/v1/state', { 'if-none-match': tag })).json().notice).toBe('another')
  })
})

describe('pages', () => {
  async function walk(url: string): Promise<{ readonly id: string }[]> {
    const items: { id: string }[] = []
    for (let cursor = ''; ; ) {
      const answer = await get(`${url}${url.includes('?') ? '&' : '?'}limit=2${cursor}`)
      expect(answer.statusCode).toBe(200)
      const page = answer.json() as { items: { id: string }[]; next: string | null }
      expect(page.items.length).toBeLessThanOrEqual(2)
      items.push(...page.items)
      if (page.next === null) return items
      cursor = `&cursor=${encodeURIComponent(page.next)}`
    }
  }

  it('of events, filtered or not, hold each event once', async () => {
    const all = served.sample.events({ limit: 1_000 })
    const ids = (events: readonly { id: string }[]) => events.map(({ id }) => id).sort()
    expect(ids(await walk('/api/v1/events'))).toEqual(ids(all))
    expect(ids(await walk('/api/v1/events?tone=bad,good'))).toEqual(
      ids(all.filter(({ tone }) => ['bad', 'good'].includes(tone))),
    )
    const [from, until] = [all[3]?.at ?? '', all[9]?.at ?? '']
    expect(ids(await walk(`/api/v1/events?from=${from}&until=${until}`))).toEqual(
      ids(all.filter(({ at }) => at >= from && at < until)),
    )
    expect(ids(await walk('/api/v1/events?text=NODEDOWN'))).toEqual(
      ids(all.filter(({ summary }) => summary.toLowerCase().includes('nodedown'))),
    )
  })

  it('of findings and verdicts hold each once, whatever comes and goes meanwhile', async () => {
    const { findings, verdicts } = served.sample.snapshot()
    const many = Array.from({ length: 5 }, (_, n) => ({ ...findings[0], id: `finding-${n}`, node: `node-${n}` }))
    const some = Array.from({ length: 5 }, (_, n) => ({
      ...verdicts[0],
      id: `verdict-${n}`,
      at: `2026-03-1${n}T00:00:00.000Z`,
    }))
    served.sample.change({ findings: many as never, verdicts: some as never })
    expect((await walk('/api/v1/findings')).map(({ id }) => id)).toEqual(many.map(({ id }) => id))
    expect((await walk('/api/v1/verdicts')).map(({ id }) => id)).toEqual(some.map(({ id }) => id).reverse())
    const { next } = (await get('/api/v1/findings?limit=2')).json()
    served.sample.change({ findings: many.filter(({ id }) => id !== 'finding-1') as never })
    const rest = (await get(`/api/v1/findings?limit=2&cursor=${next}`)).json()
    expect(rest.items.map(({ id }: { id: string }) => id)).toEqual(['finding-2', 'finding-3'])
  })

  it('begin where the stream goes on, also when the history is another than the one that it tells', async () => {
    const all = served.sample.events({ limit: 1_000 })
    expect((await get('/api/v1/events?limit=1')).json().newest).toBe(`${STORE_NAME}.${all.at(-1)?.seq}`)
    const server = fastify()
    // Behind by one event, and with numbers of its own.
    const behind = all.slice(0, -1).map((stored) => ({ ...stored, seq: stored.seq + 1_000 }))
    registerEventRoutes(
      server,
      { store: STORE_NAME, query: (query) => served.sample.events(query) },
      { store: async () => 'elsewhere', query: async ({ limit }) => behind.slice(-limit) },
    )
    const page = (await server.inject('/api/v1/events?limit=3')).json()
    expect([page.newest, page.next]).toEqual([`${STORE_NAME}.${all.at(-2)?.seq}`, `elsewhere.${page.items[0].seq}`])
    await server.close()
  })

  it('name the history by file and node', () => {
    const [one, other] = [openJournal(':memory:'), openJournal(':memory:')]
    expect(storeName(one, 'a')).toBe(storeName(one, 'a'))
    expect(new Set([storeName(one, 'a'), storeName(one, 'b'), storeName(other, 'a')]).size).toBe(3)
    one.close()
    other.close()
  })
})

describe('limits', () => {
  it('hold a caller up who asks too often, and nobody else', async () => {
    const hashed = createHash('sha256').update('her-token').digest('hex')
    served.people.push({ name: 'ada', right: 'view', token: `sha256:${hashed}`, since: '2026-03-01T00:00:00Z' })
    const ask = (token: string) =>
      served.server.inject({ url: '/api/v1/me', headers: { authorization: `Bearer ${token}` } })
    for (let n = 0; n < LIMITS.refusals; n++) expect((await ask('wrong')).statusCode).toBe(401)
    const refused = await ask('wrong')
    expect([refused.statusCode, refused.headers['content-type']]).toEqual([
      429,
      'application/problem+json; charset=utf-8',
    ])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect((await ask('her-token')).statusCode).toBe(200)
    expect((await ask(TOKEN)).statusCode).toBe(200)
  })

  it('are said in a problem document, also where the request cannot be read', async () => {
    const long = await fetch(`${served.url}/api/v1/events?text=${'x'.repeat(LIMITS.headerBytes)}`, { headers: BEARER })
    expect([long.status, long.headers.get('content-type')]).toEqual([431, 'application/problem+json; charset=utf-8'])
    expect(await long.json()).toMatchObject({ status: 431 })
    const { server } = served.server
    expect([server.headersTimeout, server.requestTimeout]).toEqual([LIMITS.headersMs, LIMITS.requestMs])
  })
})
