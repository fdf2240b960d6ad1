/** Tokens of people at the API: whom they are, how far they may go, and that nobody can choose a name. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { makePerson, RIGHTS } from '../../aggregator/people.ts'
import { PLAN_ID, VERDICT_ID } from './sample-port.ts'
import { type ServedSample, serveSample, TOKEN } from './serve-sample.ts'

const SINCE = '2026-01-31T12:00:00.000Z'
const [hedy, ada, grace] = RIGHTS.map((right, index) => {
  const name = ['hedy', 'ada', 'grace'][index] ?? ''
  return makePerson({ name, right }, SINCE)
})
if (!(hedy && ada && grace)) throw new Error('three people are needed')

let served: ServedSample
beforeEach(async () => {
  served = await serveSample()
  served.people.push(hedy.person, ada.person, grace.person)
})
afterEach(() => served.close())

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const get = (url: string, token: string) => served.server.inject({ url, headers: bearer(token) })
const post = (url: string, payload: object, token: string) =>
  served.server.inject({ method: 'POST', url, payload, headers: bearer(token) })

it('each is who the token says', async () => {
  const me = async (token: string) => (await get('/api/v1/me', token)).json()
  expect(await me(hedy.token)).toEqual({ name: 'hedy', right: 'view', isShared: false })
  expect(await me(ada.token)).toEqual({ name: 'ada', right: 'approve', isShared: false })
  expect(await me(TOKEN)).toEqual({ name: 'local-token', right: 'admin', isShared: true })
  for (const wrong of [`${ada.token}x`, ada.person.token, 'x']) {
    expect((await get('/api/v1/me', wrong)).statusCode).toBe(401)
  }
})

const reason = 'so it is'
const ALL = { kind: 'all' }
const WRITES: readonly (readonly [url: string, body: object, needed: 'approve' | 'admin'])[] = [
  [`/api/v1/remediations/${PLAN_ID}/decision`, { action: 'approve', via: 'api' }, 'approve'],
  ['/api/v1/remediations/pauses', { scope: ALL, for: '2h', reason }, 'approve'],
  ['/api/v1/remediations/resume', { scope: ALL, reason }, 'approve'],
  ['/api/v1/remediations/release', { scope: ALL, reason }, 'approve'],
  ['/api/v1/silences', { match: { reasons: ['NodeDown'] }, for: '2h', reason }, 'approve'],
  ['/api/v1/silences/some/expire', { reason }, 'approve'],
  ['/api/v1/notify/test', { sink: 'chat' }, 'approve'],
  ['/api/v1/notify/dead/again', { ids: 'all' }, 'approve'],
  ['/api/v1/alerts/alertmanager', { version: '4', alerts: [] }, 'approve'],
  ['/api/v1/mesh/release', { reason }, 'admin'],
  ['/api/v1/roster/release', { reason }, 'admin'],
  ['/api/v1/settings', { document: {} }, 'admin'],
  ['/api/v1/settings/rollback', { reason }, 'admin'],
  ['/api/v1/detectors/conntrack/release', { reason }, 'admin'],
  ['/api/v1/recordings/node-1', { detector: 'conntrack' }, 'admin'],
  ['/api/v1/reports/daily/send', {}, 'admin'],
]
/** Of these nothing comes but an answer. */
const LOOKS = ['/api/v1/inspections', '/api/v1/reports/daily/preview']

describe('who may only look', () => {
  it.each(['/api/v1/state', '/api/v1/events', '/api/v1/explain/node-1', '/api/v1/settings', '/api/v1/audit'])(
    'sees %s',
    async (url) => expect((await get(url, hedy.token)).statusCode).toBe(200),
  )

  it.each(LOOKS)('is not refused POST %s', async (url) => {
    expect((await post(url, {}, hedy.token)).statusCode).not.toBe(403)
  })

  it.each(WRITES)('is refused POST %s, with what it takes', async (url, body, needed) => {
    const answer = await post(url, body, hedy.token)
    expect([answer.statusCode, answer.json()]).toEqual([
      403,
      expect.objectContaining({ detail: `hedy has the right view, and this takes ${needed}` }),
    ])
    expect([served.sample.decisions, served.sample.releases]).toEqual([[], []])
  })
})

it.each(WRITES.filter(([, , needed]) => needed === 'admin'))(
  'who may approve may not POST %s, which is about the mesh',
  async (url, body) => expect((await post(url, body, ada.token)).statusCode).toBe(403),
)

it('every route is one that this test knows, or takes the most that there is', async () => {
  const routes = served.server.printRoutes({ commonPrefix: false })
  expect(routes.match(/POST/g)?.length).toBe(WRITES.length + LOOKS.length)
  expect((await get(`/api/v1/verdicts/${VERDICT_ID}`, hedy.token)).statusCode).toBe(200)
})

it('what is decided carries the name behind the token, and no other can be given', async () => {
  const url = `/api/v1/remediations/${PLAN_ID}/decision`
  const forged = await post(url, { action: 'approve', via: 'api', by: 'grace' }, ada.token)
  expect([forged.statusCode, served.sample.decisions]).toEqual([400, []])
  await post(url, { action: 'approve', via: 'cli' }, ada.token)
  expect(served.sample.decisions).toMatchObject([{ by: 'ada', action: 'approve' }])
  await post('/api/v1/remediations/pauses', { scope: ALL, for: '2h', reason }, ada.token)
  expect(served.sample.snapshot().permits.pauses).toMatchObject([{ by: 'ada' }])
  const { snapshot, change } = served.sample
  change({ mesh: { ...snapshot().mesh, frozen: 'many at once' } })
  await post('/api/v1/mesh/release', { reason }, grace.token)
  expect(served.sample.releases).toMatchObject([{ by: 'grace' }])
})

it('a browser signs in with the token of a person, and is that person', async () => {
  const signedIn = await served.server.inject({ url: `/?token=${ada.token}` })
  expect([signedIn.statusCode, signedIn.headers['set-cookie']]).toEqual([303, expect.stringContaining(ada.token)])
  const cookie = `starling_token=${ada.token}`
  expect((await served.server.inject({ url: '/api/v1/me', headers: { cookie } })).json().name).toBe('ada')
})

describe('who is removed', () => {
  it('is let in no more, at once', async () => {
    served.people.splice(1, 1)
    expect((await get('/api/v1/state', ada.token)).statusCode).toBe(401)
    expect((await served.server.inject({ url: `/?token=${ada.token}` })).statusCode).toBe(401)
    expect((await get('/api/v1/state', grace.token)).statusCode).toBe(200)
  })

  it('hears no more of the stream that was open', async () => {
    vi.useFakeTimers({ toFake: ['setInterval'] })
    try {
      await served.close()
      served = await serveSample()
      served.people.push(ada.person, grace.person)
      const open = async (token: string) =>
        (await fetch(`${served.url}/api/v1/stream`, { headers: bearer(token) })).body
      const [hers, others] = [(await open(ada.token))?.getReader(), (await open(grace.token))?.getReader()]
      served.people.shift()
      vi.advanceTimersByTime(15_000)
      const toTheEnd = async () => {
        while ((await hers?.read())?.done === false);
      }
      await expect(toTheEnd()).rejects.toThrow()
      const text = new TextDecoder()
      let heard = ''
      while (!heard.includes('event: beat')) heard += text.decode((await others?.read())?.value)
      await others?.cancel()
    } finally {
      vi.useRealTimers()
    }
  })
})
