/** The API about the mesh as a whole: who sees whom, and the end of a freeze. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { callersOf } from '../../aggregator/http/auth.ts'
import { createHttpServer } from '../../aggregator/http/server.ts'
import { createNodeDesks } from '../../aggregator/node-desks.ts'
import { createSamplePort, type SamplePort } from './sample-port.ts'
import { NO_TRAIL, SILENT_LOG, STORE_NAME, TOKEN } from './serve-sample.ts'

const BEARER = { authorization: `Bearer ${TOKEN}` }
const COOKIE = { cookie: `starling_token=${TOKEN}` }

let webRoot: string
let sample: SamplePort
let server: FastifyInstance

beforeEach(() => {
  webRoot = mkdtempSync(join(tmpdir(), 'starling-web-'))
  sample = createSamplePort()
  server = createHttpServer({
    port: sample,
    storeName: STORE_NAME,
    version: '1.2.3',
    desks: createNodeDesks(),
    trail: NO_TRAIL,
    callers: callersOf(TOKEN, () => []),
    webRoot,
    metrics: async () => '',
    log: SILENT_LOG,
  })
})
afterEach(async () => {
  await server.close()
  rmSync(webRoot, { recursive: true })
})

const get = (url: string) => server.inject({ url, headers: BEARER })
const post = (url: string, payload: unknown, headers: Record<string, string> = BEARER) =>
  server.inject({ method: 'POST', url, headers, payload: payload as object })

it('gives the matrix of who sees whom, whole or of some nodes, in the order asked for', async () => {
  expect((await get('/api/v1/mesh/matrix')).json()).toEqual({ items: sample.matrix() })
  const some = (await get('/api/v1/mesh/matrix?node=node-4,node-1')).json().items
  expect(some.map(({ subject }: { subject: string }) => subject)).toEqual(['node-4', 'node-1'])
  const none = await get('/api/v1/mesh/matrix?node=node-1,nod-4')
  expect([none.statusCode, none.json().detail]).toEqual([404, 'no node "nod-4" in this mesh; did you mean node-4?'])
  for (const query of ['?node=', '?nodes=node-1']) {
    expect((await get(`/api/v1/mesh/matrix${query}`)).statusCode).toBe(400)
  }
})

it('gives what marking made of each verdict since a time', async () => {
  const plan = async (since: string) => await get(`/api/v1/marking/plan?since=${encodeURIComponent(since)}`)
  expect((await plan('2020-01-01T00:00:00+01:00')).json().items).toMatchObject([
    { node: 'node-2', effect: 'would-mark' },
  ])
  expect((await plan('2100-01-01T00:00:00Z')).json()).toEqual({ items: [] })
  for (const wrong of ['', 'yesterday', '7d']) expect((await plan(wrong)).statusCode).toBe(400)
})

describe('ending a freeze', () => {
  const RELEASE = '/api/v1/mesh/release'
  const freeze = () => sample.change({ mesh: { ...sample.snapshot().mesh, frozen: '3 of 5 nodes are in question' } })

  it('takes a reason, and answers with the event', async () => {
    freeze()
    const answer = await post(RELEASE, { reason: ' the switch was replaced ' })
    expect([answer.statusCode, answer.json().event.summary]).toEqual([
      200,
      'freeze ended by local-token (api): the switch was replaced',
    ])
    expect(sample.releases).toEqual([{ reason: 'the switch was replaced', via: 'api', by: 'local-token' }])
  })

  it.each([{}, { reason: '' }, { reason: '  ' }, { reason: 'x'.repeat(501) }, { reason: 'x', more: 1 }])(
    'is refused for %j, and stays frozen',
    async (body) => {
      freeze()
      const answer = await post(RELEASE, body)
      expect([answer.statusCode, answer.json().title]).toEqual([400, 'Invalid input'])
      expect(sample.releases).toEqual([])
    },
  )

  it('is a conflict when nothing is frozen', async () => {
    const answer = await post(RELEASE, { reason: 'just in case' })
    expect(answer.statusCode).toBe(409)
    expect(answer.json()).toMatchObject({
      title: 'Not released',
      detail: 'nothing is frozen: there is no freeze to end',
    })
  })

  it('needs the token, and from a browser our own page', async () => {
    freeze()
    expect((await post(RELEASE, { reason: 'x' }, {})).statusCode).toBe(401)
    expect((await post(RELEASE, { reason: 'x' }, { ...COOKIE, origin: 'http://elsewhere' })).statusCode).toBe(403)
    expect(sample.releases).toEqual([])
  })
})

describe('letting a change of the roster through', () => {
  const RELEASE = '/api/v1/roster/release'
  const hold = () => {
    const held = [
      { kind: 'removals', nodes: ['node-1', 'node-2'], why: '2 gone is more than 1 of 5 live members' },
    ] as const
    sample.change({ roster: { stalled: null, uncovered: [], held } })
  }

  it('takes a reason, and answers with the event', async () => {
    hold()
    const answer = await post(RELEASE, { reason: 'the rack was sold' })
    expect([answer.statusCode, answer.json().event.kind]).toEqual([200, 'decision'])
    expect(sample.releases).toEqual([{ reason: 'the rack was sold', via: 'api', by: 'local-token' }])
  })

  it('is refused without a reason, without the token, and when nothing waits', async () => {
    expect((await post(RELEASE, { reason: 'x' })).statusCode).toBe(409)
    hold()
    expect((await post(RELEASE, {})).statusCode).toBe(400)
    expect((await post(RELEASE, { reason: 'x' }, {})).statusCode).toBe(401)
    expect(sample.releases).toEqual([])
  })
})
