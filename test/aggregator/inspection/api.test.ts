import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import type { FreshAnswer } from '../../../aggregator/inspection/fresh-rows.ts'
import type { MemberState } from '../../../aggregator/model.ts'
import type { InspectionRun } from '../../../inspection/model.ts'
import { said } from '../../unit/inspection/fleet.ts'
import { HOSTILE } from '../../unit/inspection/sample-run.ts'
import { type ServedSample, serveSample, TOKEN } from '../serve-sample.ts'

let served: ServedSample
beforeEach(async () => {
  served = await serveSample()
})
afterEach(() => served.close())

const headers = { authorization: `Bearer ${TOKEN}` }
const post = (payload: object = {}) =>
  served.server.inject({ method: 'POST', url: '/api/v1/inspections', headers, payload })
const get = (path = '') => served.server.inject({ url: `/api/v1/inspections${path}`, headers })
const taken = async (order: object = {}): Promise<InspectionRun> => (await post(order)).json().run

function section(run: InspectionRun, role: string) {
  const found = run.sections.find((one) => one.role === role)
  if (found === undefined) throw new Error(`no ${role}`)
  return found
}

describe('from the state', () => {
  it('counts the sample mesh, keeps it, and puts it on record', async () => {
    const answer = await post()
    expect(answer.statusCode).toBe(201)
    const { run, deltas } = answer.json()
    expect(run).toMatchObject({ mesh: 'sample-mesh', origin: 'state', profile: 'default', nodes: 5 })
    expect(deltas).toBeNull()
    expect(run.silent).toEqual([{ node: 'node-4', roles: ['compute'], why: 'NodeDown' }])
    expect(section(run, 'compute').nodes).toBe(4)
    expect((await get(`/${run.id}`)).json()).toEqual({ kind: 'done', run, deltas: null })
    const { items } = (await get()).json()
    expect(items).toMatchObject([{ id: run.id, counts: { silent: expect.any(Number) } }])
    expect(items[0]).not.toHaveProperty('troubles')
    expect(served.inspected.recorded).toMatchObject([{ id: `inspection/${run.id}`, kind: 'inspection', tone: 'bad' }])
  })

  it.each<[MemberState, string | undefined]>([
    ['alive', undefined],
    ['suspected', undefined],
    ['NodeDown', 'NodeDown'],
    ['HostHung', 'NodeDown'],
    ['Isolated', 'unreachable'],
    ['AgentDown', 'AgentDown'],
    ['left', 'left'],
    ['unseen', 'unreachable'],
  ])('holds a node that is %s for silent as %s', async (state, why) => {
    served.sample.changeMember('node-2', { state })
    const run = await taken({ roles: ['compute'] })
    expect(run.silent.find(({ node }) => node === 'node-2')?.why).toBe(why)
  })

  it('is held against the newest before it that counted as much', async () => {
    const first = await taken()
    await taken({ checks: ['conntrack'] })
    served.sample.changeMember('node-2', { state: 'AgentDown' })
    const { run, deltas } = (await post()).json()
    expect(deltas).toMatchObject({ against: { id: first.id }, fellSilent: [{ node: 'node-2' }] })
    expect((await get(`/${run.id}`)).json().deltas).toEqual(deltas)
  })

  it('looks at no more than was asked for', async () => {
    const run = await taken({ roles: ['compute'], checks: ['conntrack', 'load'] })
    expect(run.sections.map(({ role, checks }) => [role, checks.map(({ check }) => check)])).toEqual([
      ['compute', ['conntrack', 'load']],
    ])
  })

  it('does not expect what settings turned off, on just these nodes', async () => {
    served.inspected.settings = {
      version: 2,
      mesh: 'sample-mesh',
      detectors: { load: { enabled: false } },
      overrides: [{ selector: { nodes: ['node-3'] }, detectors: { psi: { enabled: false } } }],
    }
    const { checks } = section(await taken(), 'compute')
    const applies = (name: string) => checks.find(({ check }) => check === name)?.counts.notApplicable
    expect([applies('load'), applies('psi'), applies('memory')]).toEqual([3, 1, 0])
  })

  it('is told even while the history cannot be written', async () => {
    served.inspected.broken = new Error('disk full')
    const run = await taken()
    expect((await get(`/${run.id}`)).json().run).toEqual(run)
    expect((await get()).json().items).toEqual([])
  })

  it('follows a profile of the settings', async () => {
    const profiles = [
      { name: 'night', roles: [{ role: 'workers', of: ['compute'], checks: [{ check: 'conntrack' }] }] },
    ]
    served.inspected.settings = { version: 2, mesh: 'sample-mesh', inspection: { profiles } }
    expect(await taken({ profile: 'night' })).toMatchObject({
      profile: 'night',
      sections: [{ role: 'workers', nodes: 4 }],
    })
    expect((await get('?profile=default')).json().items).toEqual([])
  })
})

describe('fresh', () => {
  it('is refused while nodes cannot be asked', async () => {
    const answer = await post({ fresh: true })
    expect(answer.statusCode).toBe(409)
    expect(answer.json()).toMatchObject({ detail: 'nodes cannot be asked anew by this aggregator', remedy: /fresh/ })
  })

  it('tells how far it is, and then counts who answered; the others are silent, as their state has it', async () => {
    const answered = Promise.withResolvers<FreshAnswer>()
    served.inspected.fresh = async ({ nodes, detectors, onProgress }) => {
      expect(nodes).toHaveLength(5)
      expect(detectors).toEqual(['conntrack'])
      onProgress?.({ answered: 2, of: 5 })
      return await answered.promise
    }
    const begun = await post({ fresh: true, checks: ['conntrack'] })
    expect(begun.statusCode).toBe(202)
    const { id } = begun.json()
    expect((await get(`/${id}`)).json()).toEqual({ kind: 'running', id, progress: { answered: 2, of: 5 } })
    expect((await post({ fresh: true })).statusCode).toBe(409)
    answered.resolve({
      rows: ['node-1', 'node-2'].map((node) => said(node, { conntrack: node === 'node-1' ? 'ok' : 'alarm' })),
      missing: [
        { node: 'node-3', why: 'no-answer' },
        { node: 'node-4', why: 'no-answer' },
      ],
    })
    await expect.poll(async () => (await get(`/${id}`)).json().kind).toBe('done')
    const { run } = (await get(`/${id}`)).json()
    expect(run.origin).toBe('fresh')
    expect(run.silent.map(({ node, why }: { node: string; why: string }) => `${node} ${why}`)).toEqual([
      'node-3 no-answer',
      'node-4 NodeDown',
      'node-5 no-answer',
    ])
    expect(section(run, 'compute').checks[0]?.counts).toMatchObject({ alarm: 1, silent: 3, unknown: 0 })
  })

  it('is told even while the history cannot be written', async () => {
    served.inspected.fresh = async ({ nodes }) => ({
      rows: nodes.map((node) => said(node, { load: 'ok' })),
      missing: [],
    })
    served.inspected.broken = new Error('disk full')
    const { id } = (await post({ fresh: true })).json()
    await expect.poll(async () => (await get(`/${id}`)).json().kind).toBe('done')
  })

  it('is told while it runs, however many are taken meanwhile', async () => {
    const answered = Promise.withResolvers<FreshAnswer>()
    served.inspected.fresh = () => answered.promise
    const { id } = (await post({ fresh: true })).json()
    for (let count = 0; count < 12; count++) await taken()
    expect((await get(`/${id}`)).statusCode).toBe(202)
    expect((await post({ fresh: true })).statusCode).toBe(409)
    answered.resolve({ rows: [], missing: [] })
    await expect.poll(async () => (await get(`/${id}`)).json().kind).toBe('done')
  })

  it('that fails says why', async () => {
    served.inspected.fresh = () => Promise.reject(new Error('the mesh is starting'))
    const { id } = (await post({ fresh: true })).json()
    await expect.poll(async () => (await get(`/${id}`)).statusCode).toBe(409)
    expect((await get(`/${id}`)).json().detail).toBe('the mesh is starting')
  })
})

describe('what is asked wrongly', () => {
  it.each([
    [{ profile: 'night' }, 'profile', 'there is no profile "night"'],
    [{ roles: ['computer'] }, 'roles', 'there is no role "computer"'],
    [{ checks: ['conntrak'] }, 'checks', 'there is no check "conntrak"'],
    [{ roles: [] }, 'roles', 'Too small'],
    [{ role: 'compute' }, 'role', 'Unrecognized'],
    [{ fresh: 'yes' }, 'fresh', 'boolean'],
  ])('%j names the field', async (order, field, message) => {
    const answer = await post(order)
    expect(answer.statusCode).toBe(400)
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(answer.json().errors[0]).toMatchObject({ field, message: expect.stringContaining(message) })
  })

  it.each([
    ['/nothing', 404, 'there is no inspection "nothing"'],
    ['/nothing?format=pdf', 400, 'format'],
    ['/nothing?zone=Mars', 400, 'unknown time zone "Mars"'],
    ['?limit=0', 400, 'limit'],
  ])('%s is refused', async (path, status, detail) => {
    const answer = await get(path)
    expect(answer.statusCode).toBe(status)
    expect(answer.json().detail).toContain(detail)
  })
})

test('who may look may inspect, and nobody else', async () => {
  expect((await served.server.inject({ method: 'POST', url: '/api/v1/inspections', payload: {} })).statusCode).toBe(401)
})

test('is given in each form and language, and hostile names do nothing in any', async () => {
  const [finding] = served.sample.snapshot().findings
  const members = served.sample.snapshot().members
  const [first] = members
  if (finding === undefined || first === undefined) throw new Error('no sample')
  served.sample.change({
    members: [...members, ...HOSTILE.map((node) => ({ ...first, node, roles: [node] }))],
    findings: HOSTILE.map((text) => ({ ...finding, node: text, detector: 'load', status: 'alarm', summary: text })),
  })
  const { id } = await taken()
  const form = (query: string) => get(`/${id}?${query}`)
  const html = await form('format=html&lang=zh&zone=Asia/Shanghai')
  expect(html.headers['content-type']).toBe('text/html; charset=utf-8')
  expect(html.headers['content-security-policy']).toContain("default-src 'none'")
  expect(html.body).toContain('计算节点')
  expect(html.body).toContain('+08:00')
  expect(html.body).not.toContain('<script')
  const csv = await form('format=csv')
  expect(csv.headers['content-type']).toBe('text/csv; charset=utf-8')
  expect(csv.body).toMatch(/^at,role,/)
  const markdown = await form('format=md')
  expect(markdown.headers['content-type']).toBe('text/markdown; charset=utf-8')
  expect(markdown.body).not.toContain('<script')
  expect((await form('format=json')).json().run.id).toBe(id)
})
