/** What people run about marking: what it would do, and taking it all off again. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServedSample, serveSample, TOKEN } from '../aggregator/serve-sample.ts'
import { run } from './harness.ts'

let served: ServedSample
let folder: string
beforeAll(async () => {
  served = await serveSample()
  folder = mkdtempSync(join(tmpdir(), 'starling-marking-'))
})
afterAll(async () => {
  await served.close()
  rmSync(folder, { recursive: true })
})

const cli = (args: string) => run(args.split(' '), { env: { STARLING_URL: served.url, STARLING_TOKEN: TOKEN } })

it('plan lists each mark with its length, votes, effect, and what Kubernetes did', async () => {
  const { stdout, code } = await cli('plan --marking --since 10000d')
  expect(stdout.split('\n')[0]).toMatch(/^TIME +NODE +VERDICT +LASTED +VOTES +EFFECT +KUBERNETES +WHY$/)
  expect(stdout).toMatch(
    /node-2 +NodeDown +1m +6 silent, 0 alive, 0 abstained \(4 needed\) +would-mark +after 40s +mode observe/,
  )
  expect(code).toBe(0)
  const json = JSON.parse((await cli('plan --marking --since 10000d -o json')).stdout)
  expect(json).toMatchObject({ kind: 'WouldBeMarkList', items: [{ node: 'node-2', stock: { afterMs: 40_000 } }] })
  expect(JSON.parse((await cli('plan --marking --since 1ms -o json')).stdout).items).toEqual([])
})

it('plan says what is missing or wrong', async () => {
  const nothing = await cli('plan')
  expect([nothing.code, nothing.stderr]).toEqual([2, 'say what to plan\none of --marking and --remediation\n'])
  expect((await cli('plan --marking --since yesterday')).stderr).toContain('Give a length of time, as 12h or 7d.')
})

it('plan sums up, says that there was nothing, and that votes are not known', async () => {
  const { stderr } = await cli('plan --marking --since 10000d')
  expect(stderr).toBe(
    '1 verdict: 1 would have been marked; Kubernetes itself held 1 of these nodes for not Ready meanwhile\n',
  )
  const nothing = await cli('plan --marking --since 1ms')
  expect([nothing.code, nothing.stderr]).toEqual([0, ''])
  expect(nothing.stdout).toMatch(/^no verdict since \d{4}-\d\d-\d\d .*\n$/)
  const { markingPlan } = served.sample
  const votes = { silent: 0, alive: 0, abstained: 0, needed: 0 }
  served.sample.markingPlan = (since) => markingPlan(since).map((mark) => ({ ...mark, votes }))
  expect((await cli('plan --marking --since 10000d')).stdout).toContain('not known here')
})

it('members says what is written to the cluster, and what shows there of each', async () => {
  expect((await cli('members')).stdout).not.toContain('KUBERNETES')
  const marking = { mode: 'observe', pools: { gpu: 'ready' }, stalled: null } as const
  served.sample.change({ marking })
  const since = '2026-03-14T09:26:53.000Z'
  const mark = { state: 'would-mark', mode: 'observe', effects: ['condition NodeDown'], withheld: '', since } as const
  served.sample.changeMember('node-4', { mark })
  const { stdout, stderr } = await cli('members')
  expect(stdout.split('\n')[0]).toMatch(/ADDRESS +KUBERNETES$/)
  expect(stdout).toMatch(/node-4 .* would-mark\n/)
  expect(stderr).toContain('Marking: observe, gpu ready\n')
  const explained = await cli('explain node-4')
  expect(explained.stdout).toContain(
    'in Kubernetes: would-mark, mode observe, since 2026-03-14 15:11:53 +05:45: condition',
  )
  served.sample.change({ marking: { ...marking, stalled: 'the API server is away' } })
  expect((await cli('members')).stderr).toContain('nothing can be written at present: the API server is away')
})

it('of one that stands by says whom to ask', async () => {
  served.sample.becomes({ role: 'stands-by', leader: 'aggregator-2' })
  const { code, stderr } = await cli('members')
  served.sample.becomes()
  expect([code, stderr]).toEqual([1, 'node-1 stands by\nask aggregator-2, which leads\n'])
})

describe('uninstall', () => {
  /** A kubeconfig in a folder that is somebody's home. */
  function home(server: string): string {
    const dir = mkdtempSync(join(folder, 'home-'))
    mkdirSync(join(dir, '.kube'))
    const clusters = [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }]
    const contexts = [{ name: 'x', context: { cluster: 'c', user: 'u' } }]
    const users = [{ name: 'u', user: {} }]
    const text = JSON.stringify({ clusters, users, contexts, 'current-context': 'x' })
    writeFileSync(join(dir, '.kube', 'config'), text)
    return dir
  }
  const uninstall = (env: { HOME: string; KUBECONFIG?: string; KUBERNETES_SERVICE_HOST?: string }, ...args: string[]) =>
    run(['uninstall', ...args], { env: { KUBECONFIG: '', ...env } })

  /** Against an API server that answers so. */
  async function against(answer: (path: string) => readonly [status: number, body: object], ...args: string[]) {
    const server = createServer((request, reply) => {
      const [status, body] = answer(new URL(request.url ?? '', 'http://server').pathname)
      reply.writeHead(status, { 'content-type': 'application/json' })
      reply.end(JSON.stringify(body))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const outcome = await uninstall({ HOME: home(`http://127.0.0.1:${port}`) }, ...args)
    server.close()
    return outcome
  }

  it('says what it cannot read, and where it looked', async () => {
    const missing = join(folder, 'none')
    const wrong: readonly (readonly [Parameters<typeof uninstall>, string])[] = [
      [[{ HOME: folder }], `which cluster? There is no ${folder}/.kube/config`],
      [[{ HOME: folder }, '--kubeconfig', missing], `cannot read ${missing}`],
      [[{ HOME: folder, KUBECONFIG: missing }], `cannot read ${missing}`],
      [[{ HOME: folder, KUBECONFIG: 'a:b' }], 'KUBECONFIG names several files'],
      [[{ HOME: home('http://127.0.0.1:1') }, '--context', 'z'], 'the kubeconfig has no context "z"\nit has x'],
    ]
    for (const [given, says] of wrong) {
      const { code, stderr } = await uninstall(...given)
      expect([code, stderr]).toEqual([2, expect.stringContaining(says)])
    }
  })

  it('finds a kubeconfig as kubectl does, and says what does not answer', async () => {
    const away = await uninstall({ HOME: home('https://127.0.0.1:1') }, '--dry-run')
    expect(away.code).toBe(1)
    expect(away.stderr).toMatch(/^what there is of ours is not known: the API server is not reached: .*127.0.0.1:1\n/)
    expect(away.stderr).toContain('is the cluster of this context reached from here? Then run it again\n')
  })

  it.each([
    { status: 401, args: [], remedy: 'these credentials are not accepted: give others by --kubeconfig or --context' },
    {
      status: 403,
      args: ['--dry-run'],
      remedy: 'this needs a right to list nodes, pods, leases, configmaps and remediations\n',
    },
    { status: 403, args: [], remedy: 'pods/status, and delete leases, configmaps and remediations\n' },
    { status: 500, args: [], remedy: 'run it again: it goes on where it stopped\n' },
  ])('says what is to be done about $status $args', async ({ status, args, remedy }) => {
    const { code, stderr } = await against(
      (path) => {
        return path === '/api' ? [200, { versions: ['v1'] }] : [status, { message: 'pods is forbidden' }]
      },
      ...args,
    )
    expect([code, stderr]).toEqual([1, expect.stringContaining(`answers ${status}: pods is forbidden\n`)])
    expect(stderr).toContain(remedy)
  })
  it('warns when an aggregator still holds the Lease', async () => {
    const lease = { metadata: { namespace: 'starling' }, spec: { holderIdentity: 'aggregator-1_1.3' } }
    const { code, stdout, stderr } = await against((path) => {
      if (path === '/api') return [200, { versions: ['v1'] }]
      if (path === '/apis/coordination.k8s.io') return [200, { preferredVersion: { version: 'v1' } }]
      if (path === '/apis/starling.mesh') return [404, { message: 'there is no such kind of object' }]
      return [200, { items: path.endsWith('/leases') ? [lease] : [] }]
    }, '--dry-run')
    expect(stdout).toMatch(/^WOULD BE TAKEN OFF +FROM\nLease +starling\/starling-aggregator\n$/)
    expect([code, stderr]).toEqual([4, expect.stringContaining('aggregator-1_1.3 holds the Lease: an aggregator that')])
  })
})
