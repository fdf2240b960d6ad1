/** The API's questions about measures, asked well and asked wrongly. */
import fastify from 'fastify'
import { expect, it } from 'vitest'
import { ProblemError } from '../../../aggregator/http/problem.ts'
import { NO_CLUSTER, type PodLabels } from '../../../aggregator/measures/pod-labels.ts'
import { MEASURE_ROUTES, registerMeasureRoutes } from '../../../aggregator/measures/routes.ts'
import { MINUTE, sampleMeasures } from './sample-measures.ts'

const HOUR = { node: 'node-1', hour: '2026-03-01T10:00:00.000Z', averages: { cpu: 12 } }

const DAY = { node: 'node-1', day: '2026-03-01', averages: { cpu: 12 }, peaks: { cpu: 40 } }

async function api(leads = true, pods: PodLabels = NO_CLUSTER) {
  const asked: unknown[] = []
  const history = {
    async measures(query: object) {
      asked.push(query)
      return [HOUR]
    },
    async dailyMeasures(query: object) {
      asked.push(query)
      return [DAY]
    },
  }
  const server = fastify()
  server.setErrorHandler((error, _, reply) => {
    const problem = error instanceof ProblemError ? error.problem : { status: 503, detail: String(error) }
    return reply.code(problem.status).send(problem)
  })
  registerMeasureRoutes(server, { history, source: sampleMeasures(pods), leads: () => leads })
  const get = async (query: string) => {
    const answer = await server.inject(`/api/v1/measures${query}`)
    return [answer.statusCode, answer.json()] as const
  }
  return { get, asked }
}

it('hours are those of the history', async () => {
  const { get, asked } = await api()
  const query = '?node=node-1,node-2&from=2026-03-01T11:00:00%2B01:00&until=2026-03-02T00:00:00Z'
  expect(await get(query)).toEqual([200, { items: [HOUR] }])
  const [from, until] = ['2026-03-01T10:00:00.000Z', '2026-03-02T00:00:00.000Z']
  expect(asked).toEqual([{ nodes: ['node-1', 'node-2'], from, until }])
})

it('days are made by the history, within the same bounds', async () => {
  const { get, asked } = await api()
  expect(await get('/days?node=node-1&from=2026-03-01T00:00:00Z&until=2026-03-02T00:00:00Z')).toEqual([
    200,
    { items: [DAY] },
  ])
  const [from, until] = ['2026-03-01T00:00:00.000Z', '2026-03-02T00:00:00.000Z']
  expect(asked).toEqual([{ nodes: ['node-1'], from, until }])
  const [status, { errors }] = await get('/days?node=node-1&from=2020-01-01T00:00:00Z')
  expect([status, errors]).toMatchObject([400, [{ field: 'from' }]])
})

it('what is of late is by host, by container and by workload', async () => {
  const { get } = await api()
  const [, hosts] = await get('/latest?node=node-4')
  expect(hosts).toEqual({ items: [{ node: 'node-4', pool: 'web', averages: { cpu: 20 }, coveredMs: MINUTE }] })
  expect((await get('/latest'))[1]).toMatchObject({ items: [{ node: 'node-4' }, { node: '<b>=1+1\u001b[31m' }] })
  expect((await get('/latest?scope=container&over=1h&node=node-4'))[1]).toMatchObject({
    items: [{ container: { namespace: 'shop', pod: 'db-0', name: 'db' }, averages: { cpu: 2 } }],
  })
  expect((await get('/latest?scope=workload'))[1]).toMatchObject({
    items: [{ measure: 'cpu', namespace: 'shop', workload: 'db', sum: 6, mean: 3, containers: 2 }],
  })
})

it('containers belong together by a label of their pods, where the cluster knows it', async () => {
  const pods = { want: () => undefined, podWith: () => ({ value: 'books', workload: 'db' }) }
  const { get } = await api(true, pods)
  expect((await get('/latest?scope=workload&label=app'))[1]).toMatchObject({
    items: [{ measure: 'cpu', namespace: 'shop', workload: 'books', sum: 6, containers: 2 }],
  })
  expect((await get('/latest?scope=container&label=app&node=node-4'))[1]).toMatchObject({
    items: [{ container: { labels: { app: 'books', workload: 'db' } } }],
  })
  const [status, problem] = await (await api()).get('/latest?scope=workload&label=app')
  expect([status, problem.detail]).toEqual([503, expect.stringContaining('label app of pods is not known')])
})

it.each(['host', 'container', 'workload'])('what is of late by %s is as it is described', async (scope) => {
  const [, body] = await (await api()).get(`/latest?scope=${scope}`)
  expect(body.items.length).toBeGreaterThan(0)
  expect(MEASURE_ROUTES.find(({ path }) => path.endsWith('/latest'))?.answer?.parse(body)).toEqual(body)
})

it.each([
  ['', 'node'],
  ['?node=node-1', 'from'],
  ['?node=node-1&from=yesterday', 'from'],
  ['?node=node-1&from=1970-01-01T00:00:00Z', 'from'],
  [`?node=${'a,'.repeat(100)}a&from=2026-03-01T00:00:00Z`, 'node'],
  ['?node=,&from=2026-03-01T00:00:00Z', 'node.0'],
  ['/latest?over=2h', 'over'],
  ['/latest?over=1s', 'over'],
  ['/latest?over=soon', 'over'],
  ['/latest?scope=pod', 'scope'],
  ['/latest?sort=cpu', 'sort'],
])('%s is refused, and it is said that %s is wrong', async (query, field) => {
  const { get, asked } = await api()
  const [status, problem] = await get(query)
  expect([status, problem.errors[0].field]).toEqual([400, field])
  expect(asked).toEqual([])
})

it('whoever stands by has nothing to tell of late', async () => {
  expect((await (await api(false)).get('/latest'))[0]).toBe(503)
})
