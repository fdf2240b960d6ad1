/** Whatever is sent to any route, as its description has it or not, is answered as described: never a 500. */
import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { PLAN_ID, VERDICT_ID } from './sample-port.ts'
import { type ServedSample, STORE_NAME, serveSample, TOKEN } from './serve-sample.ts'

const BEARER = { authorization: `Bearer ${TOKEN}` }

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: 'path' | 'query' }[]
  readonly requestBody?: {
    readonly content: { readonly 'application/json': { readonly schema: { readonly properties?: object } } }
  }
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, object>> }>>
}
interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

let served: ServedSample
beforeEach(async () => {
  served = await serveSample()
})
afterEach(() => served.close())

const junk = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.integer().map(String),
  fc.constantFrom(
    '',
    '0',
    '-1',
    'true',
    'null',
    '[]',
    '\u0000',
    '\ud800',
    "'; DROP TABLE events;--",
    '\r\nx: y',
    '巡检',
    `${STORE_NAME}.5`,
    'other.5',
    'node-4',
    PLAN_ID,
    VERDICT_ID,
    '2026-03-14T09:00:00Z',
  ),
)
const body = fc.oneof(
  fc.jsonValue(),
  fc.record(
    {
      reason: junk,
      via: fc.oneof(junk, fc.constant('api')),
      action: fc.oneof(junk, fc.constant('approve')),
      scope: fc.oneof(fc.jsonValue(), fc.record({ kind: fc.constantFrom('all', 'pool', 'x'), name: junk })),
      for: fc.oneof(junk, fc.constantFrom('2h', '9999999d')),
      detector: junk,
      document: fc.jsonValue(),
      version: fc.oneof(fc.integer(), junk, fc.constant('4')),
      match: fc.oneof(
        fc.jsonValue(),
        fc.record({ reasons: fc.array(junk), rules: fc.array(junk) }, { requiredKeys: [] }),
      ),
      sink: fc.oneof(junk, fc.constantFrom('chat', 'broken')),
      ids: fc.oneof(junk, fc.array(junk), fc.constant('all')),
      alerts: fc.array(
        fc.record({
          status: fc.constantFrom('firing', 'resolved'),
          labels: fc.dictionary(fc.oneof(junk, fc.constant('node')), junk, { maxKeys: 3 }),
          startsAt: fc.oneof(junk, fc.constant('2026-03-14T09:00:00Z')),
        }),
        { maxLength: 3 },
      ),
    },
    { requiredKeys: [] },
  ),
)
const encode = (text: string) => encodeURIComponent(text.toWellFormed())
/** What stands in it and is asked for. */
function fitting(payload: unknown, { requestBody }: Operation): unknown {
  const { properties = {} } = requestBody?.content['application/json'].schema ?? {}
  return Object.fromEntries(Object.entries(payload ?? {}).filter(([key]) => Object.hasOwn(properties, key)))
}

let operations: readonly (readonly [method: string, path: string, Operation])[]
beforeAll(async () => {
  const own = await serveSample()
  const told = (await own.server.inject({ url: '/api/v1/openapi.json', headers: BEARER })).json() as OpenApi
  await own.close()
  operations = Object.entries(told.paths)
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, each]) => [method, path, each] as const))
    .filter(([, , { responses }]) => responses['200']?.content?.['text/event-stream'] === undefined)
})

it('is answered as described, and a 4xx says what was wrong: never a 500', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(junk, { minLength: 12, maxLength: 12 }),
      fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
      fc.option(fc.tuple(fc.stringMatching(/^\w{1,10}$/), junk), { nil: undefined }),
      body,
      fc.boolean(),
      async (which, values, given, extra, anything, isFitting) => {
        const operation = operations[which % operations.length]
        if (operation === undefined) throw new Error('there is no operation')
        const [method, path, { parameters = [], requestBody, responses }] = operation
        const payload = isFitting ? fitting(anything, operation[2]) : anything
        let url = path
        const query: string[] = []
        for (const [at, { name, in: place }] of parameters.entries()) {
          const value = encode(values[at] ?? '')
          if (place === 'path') url = url.replace(`{${name}}`, value || 'x')
          else if (given[at]) query.push(`${name}=${value}`)
        }
        if (extra !== undefined && !isFitting) query.push(`${extra[0]}=${encode(extra[1])}`)
        const answer = await served.server.inject({
          method: method.toUpperCase() as 'GET' | 'POST',
          url: `${url}?${query.join('&')}`,
          headers: { ...BEARER, ...(requestBody ? { 'content-type': 'application/json' } : {}) },
          ...(requestBody ? { payload: JSON.stringify(payload) } : {}),
        })
        // A path may have become that of another route, or of none.
        expect([...Object.keys(responses), '404']).toContain(String(answer.statusCode))
        if (answer.statusCode < 400) return
        expect(answer.headers['content-type']).toContain('application/problem+json')
        const problem = answer.json()
        expect(problem).toMatchObject({
          status: answer.statusCode,
          title: expect.any(String),
          detail: expect.any(String),
        })
        if (problem.title === 'Invalid input') expect(problem.errors.length).toBeGreaterThan(0)
      },
    ),
    { numRuns: 400 },
  )
})
