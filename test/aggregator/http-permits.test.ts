/** Pauses and releases of remediation by the API: what is taken in, and what is refused. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ServedSample, serveSample, TOKEN } from './serve-sample.ts'

let served: ServedSample
beforeEach(async () => {
  served = await serveSample()
})
afterEach(() => served.close())

const headers = { authorization: `Bearer ${TOKEN}` }
const get = (url: string) => served.server.inject({ url, headers })
const post = (url: string, payload: object) => served.server.inject({ method: 'POST', url, payload, headers })

describe('pausing remediation', () => {
  const PAUSES = '/api/v1/remediations/pauses'
  const pause = { scope: { kind: 'pool', name: 'gpu' }, for: '2h', reason: 'we are moving', via: 'cli' }

  it('has a scope, an end, and who said so; and can be ended', async () => {
    const answer = await post(PAUSES, pause)
    expect(answer.json().event).toMatchObject({ kind: 'decision', summary: expect.stringContaining('local-token') })
    const [kept] = (await get(PAUSES)).json().items
    expect(kept).toMatchObject({ scope: pause.scope, by: 'local-token', reason: 'we are moving' })
    expect(Date.parse(kept.until) - Date.parse(kept.at)).toBe(7_200_000)
    const { scope, reason } = pause
    expect((await post('/api/v1/remediations/resume', { scope: { kind: 'all' }, reason })).statusCode).toBe(409)
    expect((await post('/api/v1/remediations/resume', { scope, reason })).statusCode).toBe(200)
    expect((await get(PAUSES)).json().items).toEqual([])
  })

  it.each([
    [{ ...pause, for: '31d' }, 'for'],
    [{ ...pause, for: 'long' }, 'for'],
    [{ ...pause, reason: ' ' }, 'reason'],
    [{ ...pause, scope: { kind: 'zone', name: 'z' } }, 'scope'],
    [{ ...pause, scope: { kind: 'pool' } }, 'scope'],
  ])('%j is none', async (body, field) => {
    const answer = await post(PAUSES, body)
    expect([answer.statusCode, answer.json().detail]).toEqual([400, expect.stringContaining(field)])
    expect((await get(PAUSES)).json().items).toEqual([])
  })

  it('lets what failed go on, by pool, by reason, or all of it', async () => {
    for (const scope of [{ kind: 'all' }, { kind: 'pool', name: 'gpu' }, { kind: 'reason', name: 'DiskFull' }]) {
      expect((await post('/api/v1/remediations/release', { scope, reason: 'we looked' })).statusCode).toBe(200)
    }
    const node = { scope: { kind: 'node', name: 'a' }, reason: 'we looked' }
    expect((await post('/api/v1/remediations/release', node)).statusCode).toBe(400)
  })
})
