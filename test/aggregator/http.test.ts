import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { callersOf } from '../../aggregator/http/auth.ts'
import { createHttpServer, listenHttp } from '../../aggregator/http/server.ts'
import { createNodeDesks } from '../../aggregator/node-desks.ts'
import { StarlingError } from '../../common/errors.ts'
import { event } from './event.ts'
import { createSamplePort, PLAN_ID, type SamplePort, VERDICT_ID } from './sample-port.ts'
import { NO_TRAIL, SILENT_LOG, STORE_NAME, TOKEN } from './serve-sample.ts'

const BEARER = { authorization: `Bearer ${TOKEN}` }
const COOKIE = { cookie: `theme=dark; starling_token=${TOKEN}` }
const DECISION = `/api/v1/remediations/${PLAN_ID}/decision`
const metrics = async () => 'starling_leader 1\n'

const APPROVE = { action: 'approve', via: 'page' }

let webRoot: string
let sample: SamplePort
let server: FastifyInstance

const FIXED = {
  trail: NO_TRAIL,
  callers: callersOf(TOKEN, () => []),
  metrics,
  log: SILENT_LOG,
  storeName: STORE_NAME,
  version: '1.2.3',
}
const serverOf = (root: string) => createHttpServer({ port: sample, desks: createNodeDesks(), webRoot: root, ...FIXED })

beforeEach(() => {
  webRoot = mkdtempSync(join(tmpdir(), 'starling-web-'))
  mkdirSync(join(webRoot, 'assets'))
  writeFileSync(join(webRoot, 'index.html'), '<!doctype html><title>the page</title>')
  writeFileSync(join(webRoot, 'assets', 'index-abc123.js'), 'globalThis.loaded = true')
  sample = createSamplePort()
  server = serverOf(webRoot)
})
afterEach(async () => {
  await server.close()
  rmSync(webRoot, { recursive: true })
})

const get = (url: string, headers: Record<string, string> = BEARER) => server.inject({ url, headers })
const post = (url: string, payload: unknown, headers: Record<string, string> = BEARER) =>
  server.inject({ method: 'POST', url, headers, payload: payload as object })

describe('reading', () => {
  it('gives the snapshot', async () => {
    const answer = await get('/api/v1/state')
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toEqual(sample.snapshot())
    expect(answer.headers['cache-control']).toBe('private, no-cache')
  })

  it('gives events by cursor, node and kinds', async () => {
    const items = async (query: string) => (await get(`/api/v1/events${query}`)).json().items
    expect(await items('')).toEqual(sample.events({ limit: 200 }))
    expect(await items('?node=node-4&kind=verdict,candidate')).toEqual(
      sample.events({ node: 'node-4', kinds: ['verdict', 'candidate'], limit: 200 }),
    )
    expect(await items(`?cursor=${STORE_NAME}.6&limit=1`)).toEqual(sample.events({ before: 6, limit: 1 }))
    expect(await items('?limit=1000')).toHaveLength(sample.events({ limit: 1000 }).length)
  })

  it('explains a node', async () => {
    const explanation = (await get('/api/v1/explain/node-4')).json()
    expect(explanation).toEqual(sample.explain('node-4'))
    expect(explanation.chains[0].events.at(-1).kind).toBe('verdict')
  })

  it('says which node was meant when there is none of that name', async () => {
    const answer = await get('/api/v1/explain/nod-4')
    expect(answer.statusCode).toBe(404)
    expect(answer.json().detail).toBe('no node "nod-4" in this mesh; did you mean node-4?')
    expect((await get('/api/v1/explain/kitchen')).json().detail).toBe('no node "kitchen" in this mesh')
  })

  it('gives a verdict and its certificate as a file', async () => {
    expect((await get(`/api/v1/verdicts/${VERDICT_ID}`)).json()).toEqual(sample.snapshot().verdicts[0])
    const file = await get(`/api/v1/verdicts/${VERDICT_ID}/certificate`)
    expect(file.body).toBe('sample certificate of node-4')
    expect(file.headers['content-disposition']).toBe(`attachment; filename="verdict-${VERDICT_ID}.cbor"`)
    expect((await get('/api/v1/verdicts/none')).statusCode).toBe(404)
    const [verdict] = sample.snapshot().verdicts
    sample.change({ verdicts: [{ ...verdict, certificate: '' }] as never })
    expect((await get(`/api/v1/verdicts/${VERDICT_ID}/certificate`)).json().detail).toContain('has not reached')
  })

  it('cannot be made to break out of the file name by a hostile id', async () => {
    const [verdict] = sample.snapshot().verdicts
    const id = 'x"\r\nset-cookie: a=b; ../../'
    sample.change({ verdicts: [{ ...verdict, id }] as never })
    const file = await get(`/api/v1/verdicts/${encodeURIComponent(id)}/certificate`)
    expect(file.headers['content-disposition']).toMatch(/^attachment; filename="[\w.-]+"$/)
    expect(file.headers['set-cookie']).toBeUndefined()
  })
})

describe('the token', () => {
  it.each([
    '/api/v1/state',
    '/api/v1/events',
    '/api/v1/explain/node-1',
    '/api/v1/mesh/matrix',
    '/api/v1/verdicts/x',
    '/api/v1/stream',
  ])('is needed for %s', async (url) => {
    const wrong = [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: TOKEN },
      { authorization: `Basic ${TOKEN}` },
      { cookie: 'starling_token=wrong' },
      { cookie: 'starling_token=%E0%A4%A' },
      // A wrong bearer is not forgiven for a right cookie.
      { ...COOKIE, authorization: 'Bearer wrong' },
    ]
    for (const headers of wrong) {
      const answer = await get(url, headers as Record<string, string>)
      expect(answer.statusCode).toBe(401)
      expect(answer.headers['content-type']).toContain('application/problem+json')
      expect(answer.json()).toMatchObject({ status: 401, title: 'Unauthorized' })
      expect(answer.body).not.toContain(TOKEN)
    }
  })

  it.each([
    '/%61pi/v1/state',
    '//api/v1/state',
    '/x/../api/v1/state',
    '/API/v1/state',
    'http://elsewhere/api/v1/state',
  ])('cannot be avoided by spelling the address as %s', async (url) => {
    const answer = await get(url, {})
    expect(answer.body).not.toContain(sample.snapshot().mesh.id)
    expect([400, 401, 403, 404]).toContain(answer.statusCode)
  })

  it('is also taken from the cookie', async () => {
    expect((await get('/api/v1/state', COOKIE)).statusCode).toBe(200)
  })

  it('is traded for a cookie that scripts cannot read, and leaves the address', async () => {
    const answer = await get(`/?token=${TOKEN}`, {})
    expect(answer.statusCode).toBe(303)
    expect(answer.headers.location).toBe('/')
    expect(answer.headers['set-cookie']).toBe(`starling_token=${TOKEN}; Path=/; HttpOnly; SameSite=Strict`)
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  it.each(['/?token=wrong', '/?token=', `/?token=${TOKEN}&token=x`])('is not given for %s', async (url) => {
    const answer = await get(url, {})
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['set-cookie']).toBeUndefined()
  })

  it('is not needed for health and the page itself', async () => {
    expect((await get('/livez', {})).json()).toEqual({ status: 'ok', loopLagMs: expect.any(Number) })
    expect((await get('/metrics', {})).body).toBe('starling_leader 1\n')
    expect((await get('/readyz', {})).json()).toEqual({ status: 'ok', role: 'leads', history: 'ok' })
    expect((await get('/', {})).body).toContain('the page')
  })
})

describe('one that stands by', () => {
  it('is ready while it could take over, since a rollout waits for it', async () => {
    sample.becomes({ role: 'stands-by', leader: 'aggregator-2' })
    const ready = await get('/readyz', {})
    expect([ready.statusCode, ready.json()]).toEqual([200, { status: 'ok', role: 'stands-by', history: 'ok' }])
    sample.becomes({ role: 'takes-over' })
    expect((await get('/readyz', {})).statusCode).toBe(200)
  })

  it.each([
    {
      what: 'it could not',
      office: { role: 'stands-by', unfit: 'the API server is away' },
      why: 'the API server is away',
    },
    { what: 'it is starting', office: { role: 'starts' }, why: 'the mesh is starting' },
  ] as const)('is not ready while $what, and lives', async ({ office, why }) => {
    sample.becomes(office)
    const answer = await get('/readyz', {})
    expect([answer.statusCode, answer.json().detail]).toEqual([503, expect.stringContaining(why)])
    expect((await get('/livez', {})).statusCode).toBe(200)
  })

  it('says whom to ask, and tells its own history', async () => {
    sample.becomes({ role: 'stands-by', leader: 'aggregator-2' })
    const answer = await get('/api/v1/state')
    expect([answer.statusCode, answer.json().remedy]).toEqual([503, 'ask aggregator-2, which leads'])
    expect((await get('/api/v1/events')).statusCode).toBe(200)
  })
})

describe('deciding', () => {
  it('reaches the aggregator with who, what and why', async () => {
    const answer = await post(DECISION, { action: 'reject', reason: 'not today', via: 'cli' })
    expect(answer.statusCode).toBe(200)
    expect(answer.json().event).toMatchObject({ kind: 'decision', node: 'node-2' })
    expect(sample.decisions).toEqual([
      { planId: PLAN_ID, action: 'reject', reason: 'not today', via: 'cli', by: 'local-token' },
    ])
  })

  it('is a conflict the second time, and not found for an unknown plan', async () => {
    expect((await post(DECISION, APPROVE)).statusCode).toBe(200)
    const again = await post(DECISION, APPROVE)
    expect(again.statusCode).toBe(409)
    expect(again.json().detail).toContain('no longer waits')
    expect((await post('/api/v1/remediations/nope/decision', APPROVE)).statusCode).toBe(404)
    expect(sample.decisions).toHaveLength(1)
  })

  const site = (name: string) => ({ ...COOKIE, host: 'localhost:7780', 'sec-fetch-site': name })
  it.each([
    ['another origin', { ...COOKIE, host: 'localhost:7780', origin: 'http://localhost:9999' }],
    ['another host', { ...COOKIE, host: 'localhost:7780', origin: 'http://evil.example' }],
    ['no origin at all', { ...COOKIE, host: 'localhost:7780' }],
    ['a sandboxed frame', { ...COOKIE, host: 'localhost:7780', origin: 'null' }],
    ['another port of this host', { ...site('same-site'), origin: 'http://localhost:7780' }],
    ['a foreign page', site('cross-site')],
  ])('by cookie is refused from %s', async (_, headers) => {
    const answer = await post(DECISION, APPROVE, headers)
    expect(answer.statusCode).toBe(403)
    expect(answer.json().title).toBe('Cross-origin request')
    expect(sample.decisions).toEqual([])
  })

  it.each([
    ['the same origin', { ...COOKIE, host: 'localhost:7780', origin: 'http://localhost:7780' }],
    ['the page, as the browser says', site('same-origin')],
    ['anywhere, by bearer', { ...BEARER, origin: 'http://elsewhere.example' }],
  ])('is allowed from %s', async (_, headers) => {
    expect((await post(DECISION, APPROVE, headers)).statusCode).toBe(200)
    expect(sample.decisions).toHaveLength(1)
  })
})

describe('input', () => {
  it.each([
    ['/api/v1/events?limit=0', 'limit'],
    ['/api/v1/events?limit=1001', 'limit'],
    ['/api/v1/events?kind=verdict,nonsense', 'kind.1'],
    ['/api/v1/events?node=', 'node'],
    ['/api/v1/events?nod=node-1', 'nod'],
    ['/api/v1/stream?after=x', 'after'],
  ])('%s is refused and names %s', async (url, field) => {
    const answer = await get(url)
    expect(answer.statusCode).toBe(400)
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(answer.json().errors.map((error: { field: string }) => error.field)).toEqual([field])
    expect(answer.json().detail).toContain(field)
  })

  it.each([
    [{ via: 'page' }, 'action'],
    [{ action: 'burn', via: 'page' }, 'action'],
    [{ ...APPROVE, via: 'pigeon' }, 'via'],
    [{ ...APPROVE, reason: 'x'.repeat(501) }, 'reason'],
    [{ ...APPROVE, by: 'somebody else' }, 'by'],
    [[], 'body'],
  ])('%j is no decision', async (body, field) => {
    const answer = await post(DECISION, body)
    expect(answer.statusCode).toBe(400)
    expect(answer.json().errors[0].field).toBe(field)
    expect(sample.decisions).toEqual([])
  })

  it('is bounded, and broken JSON is the sender’s problem', async () => {
    expect((await post(DECISION, { ...APPROVE, reason: 'x'.repeat(20_000) })).statusCode).toBe(413)
    const broken = await server.inject({
      method: 'POST',
      url: DECISION,
      headers: { ...BEARER, 'content-type': 'application/json' },
      payload: '{"action":',
    })
    expect(broken.statusCode).toBe(400)
    expect(broken.headers['content-type']).toContain('application/problem+json')
  })
})

describe('the page and its headers', () => {
  it('forbids everything that is not its own, on every answer', async () => {
    for (const url of ['/', '/livez', '/api/v1/state', '/nowhere', '/api/v1/nowhere']) {
      const { headers } = await get(url)
      expect(headers['content-security-policy']).toContain("default-src 'self'")
      expect(headers['content-security-policy']).not.toContain('unsafe')
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
      })
      expect(headers['access-control-allow-origin']).toBeUndefined()
    }
  })

  it('lets only hashed assets be cached', async () => {
    expect((await get('/')).headers['cache-control']).toBe('no-cache')
    expect((await get('/assets/index-abc123.js')).headers['cache-control']).toContain('immutable')
  })

  it('serves nothing outside its directory', async () => {
    for (const url of ['/../package.json', '/%2e%2e/package.json', '/..%2fpackage.json', '/assets/../../etc/passwd']) {
      const answer = await get(url)
      expect([400, 403, 404]).toContain(answer.statusCode)
    }
  })

  it('says how to build the page when there is none', async () => {
    const bare = serverOf(join(webRoot, 'none'))
    const answer = await bare.inject('/')
    expect(answer.statusCode).toBe(503)
    expect(answer.json().remedy).toContain('scripts/build-page.ts')
    await bare.close()
  })

  it('hides what went wrong inside', async () => {
    sample.snapshot = () => {
      throw new Error('secret of the house')
    }
    const answer = await get('/api/v1/state')
    expect(answer.statusCode).toBe(500)
    expect(answer.body).not.toContain('secret')
  })

  it('sends hostile text as data that no browser takes for a page', async () => {
    sample.emit(event('evil', { summary: '<script>alert(1)</script>\n\ndata: x', node: '</script>' }))
    const answer = await get('/api/v1/events?limit=1')
    expect(answer.headers['content-type']).toContain('application/json')
    expect(answer.json().items[0].summary).toBe('<script>alert(1)</script>\n\ndata: x')
  })
})

describe('listening', () => {
  it('says which port is taken and which flag changes it', async () => {
    const first = serverOf(webRoot)
    const address = new URL(await listenHttp(first, '127.0.0.1', 0))
    const failure = await listenHttp(server, '127.0.0.1', Number(address.port)).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(StarlingError)
    expect((failure as StarlingError).message).toContain(address.port)
    expect((failure as StarlingError).remedy).toContain('--http-port')
    await first.close()
  })
})
