import { describe, expect, it, vi } from 'vitest'
import { cadvisor } from '../../detectors/cadvisor.ts'
import { type GetOptions, type Host, type HttpReply, NotApplicable, Unreachable } from '../../detectors/contract.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

const KUBELET = 'http://127.0.0.1:10255'
const METRICS = `${KUBELET}/metrics/cadvisor`
const SUMMARY = `${KUBELET}/stats/summary?only_cpu_and_memory=true`
const API = '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod3c9b2f6a_5d0e_4b7a_9f1e_0a4c6d2e8b11.slice'
const onlyKubelet = { sources: [{ kind: 'kubelet', url: KUBELET }] }

type Change = (reply: HttpReply) => Partial<HttpReply> | Error

/** The host that is well, but for what `changes` makes of some answers, and of some files. */
function changed(changes: Readonly<Record<string, Change>>, files: Readonly<Record<string, string>> = {}): Host {
  const host = fixtureHost('cadvisor/ok')
  return {
    ...host,
    readText: async (path) => files[path] ?? host.readText(path),
    get: async (url, { onText, ...options }: GetOptions) => {
      const reply = await host.get(url, options)
      const change = changes[url]?.(reply) ?? {}
      if (change instanceof Error) throw change
      const answer = { ...reply, ...change }
      onText?.(answer.body)
      return answer
    },
  }
}

const found = async (changes: Readonly<Record<string, Change>>, files = {}, options: unknown = onlyKubelet) =>
  reasons(await look(cadvisor, changed(changes, files), options))

describe('cadvisor', () => {
  it('says nothing of figures that are there, new and true', async () => {
    expect(await look(cadvisor, fixtureHost('cadvisor/ok'))).toEqual([])
  })

  it('finds errors, figures that stopped, and that it tells of no pod', async () => {
    const judgements = await look(cadvisor, fixtureHost('cadvisor/bad'))
    expect(summaries(judgements)).toEqual([
      `${METRICS}: it counts an error of its own (container_scrape_error)`,
      `${METRICS}: 2 of 5 control groups have figures that stopped; those of ${API} are 900 s old`,
      `${KUBELET}/stats/summary: it tells of no pod, and the kernel has 2 with containers that run`,
    ])
    expect(reasons(judgements)).toEqual(['CadvisorScrapeError', 'CadvisorStale', 'CadvisorEmpty'])
  })

  it.each<[string, Change, string[]]>([
    [
      'answers with 500',
      () => ({ status: 500, body: 'Internal Error: failed to list pod stats' }),
      ['CadvisorScrapeError'],
    ],
    ['is null where pods would be', () => ({ body: '{"pods":null}' }), ['CadvisorEmpty']],
    [
      'has one pod of two',
      ({ body }) => ({ body: JSON.stringify({ pods: JSON.parse(body).pods.slice(1) }) }),
      ['CadvisorIncomplete'],
    ],
    [
      'has times of another zone',
      ({ body }) => ({ body: body.replaceAll(/T(\d\d):(\d\d):(\d\d)Z/g, (_, h, m, s) => `T${h}:${m}:${s}+00:00`) }),
      [],
    ],
    [
      'has the figures of a container long gone',
      ({ body }) => ({ body: body.replaceAll('420500000000', '1') }),
      ['CadvisorDisagrees'],
    ],
    [
      'has more memory than there is',
      ({ body }) => ({ body: body.replace(/"usageBytes": 325058560/, '"usageBytes": 925058560') }),
      ['CadvisorDisagrees'],
    ],
  ])('judges a summary that %s', async (_, change, expected) => {
    expect(await found({ [SUMMARY]: change })).toEqual(expected)
  })

  it.each<[string, Record<string, string>, string[]]>([
    ['within what memory may differ', { [`/sys/fs/cgroup${API}/memory.current`]: '395000000\n' }, []],
    [
      'beyond it',
      { [`/sys/fs/cgroup${API}/memory.current`]: '495000000\n' },
      ['CadvisorDisagrees', 'CadvisorDisagrees'],
    ],
    ['within what 4 processors do in 8 s', { [`/sys/fs/cgroup${API}/cpu.stat`]: 'usage_usec 450000000\n' }, []],
    [
      'beyond it',
      { [`/sys/fs/cgroup${API}/cpu.stat`]: 'usage_usec 460000000\n' },
      ['CadvisorDisagrees', 'CadvisorDisagrees'],
    ],
    ['made anew', { [`/sys/fs/cgroup${API}/cpu.stat`]: 'usage_usec 10\n' }, ['CadvisorDisagrees', 'CadvisorDisagrees']],
  ])("holds it against the kernel's figures: %s", async (_, files, expected) => {
    expect(await found({}, files)).toEqual(expected)
  })

  it('does not count a sandbox alone for a pod that runs', async () => {
    const none = ({ body }: HttpReply) => ({ body: JSON.stringify({ pods: JSON.parse(body).pods.slice(0, 0) }) })
    const host = changed({ [SUMMARY]: none, [METRICS]: () => ({ body: 'container_scrape_error 0\n' }) })
    let scopes = 0
    const readText = async (path: string) => {
      if (!path.endsWith('cgroup.events')) return host.readText(path)
      scopes += 1
      return `populated ${scopes % 2}\n`
    }
    expect(await look(cadvisor, { ...host, readText }, onlyKubelet)).toEqual([])
    expect(scopes).toBeGreaterThan(1)
  })

  it('judges nothing that needs control groups where there are none to see', async () => {
    const host = fixtureHost('cadvisor/bad')
    const list = (path: string) =>
      path === '/sys/fs/cgroup' ? Promise.reject(new NotApplicable('gone')) : host.list(path)
    const exists = async (path: string) => path !== '/sys/fs/cgroup/cgroup.controllers' && host.exists(path)
    expect(reasons(await look(cadvisor, { ...host, list, exists }))).toEqual(['CadvisorScrapeError', 'CadvisorStale'])
  })

  it('finds silence where somebody answered before, and where somebody must', async () => {
    const down = vi.fn<Change>(() => ({}))
    const host = changed({ [METRICS]: down })
    expect(await look(cadvisor, host, onlyKubelet)).toEqual([])
    down.mockReturnValue(new Unreachable(METRICS, 'ECONNREFUSED'))
    expect(summaries(await look(cadvisor, host, onlyKubelet))).toEqual([
      `${METRICS}: ${METRICS} cannot be reached: ECONNREFUSED`,
    ])
    down.mockReturnValue(new Unreachable(METRICS, 'ETIMEDOUT'))
    expect(summaries(await look(cadvisor, host, onlyKubelet))).toEqual([`${METRICS}: no answer within 10 s`])
    const required = { sources: [{ kind: 'stand-alone', url: 'http://127.0.0.1:8080', required: true }] }
    expect(await found({}, {}, required)).toEqual(['CadvisorDown'])
    await expect(found({}, {}, { sources: [{ ...required.sources[0], required: false }] })).rejects.toThrow(
      NotApplicable,
    )
  })

  it.each<[string, Partial<HttpReply> | Error]>([
    ['lets nobody in', { status: 401 }],
    ['fails', { status: 503 }],
    ['has no such page', { status: 404 }],
    ['has metrics of its own', { status: 200 }],
    ['does not speak HTTP', new Error('it answers with no HTTP')],
  ])('leaves alone what else listens at the port of a stand-alone cadvisor and %s', async (_, answer) => {
    const standAlone = { kind: 'stand-alone', url: 'http://127.0.0.1:8080' }
    const host = {
      ...fixtureHost('cadvisor/ok'),
      get: async () => {
        if (answer instanceof Error) throw answer
        return { status: 200, headers: {}, body: '', tookMs: 1, ...answer }
      },
    }
    await expect(look(cadvisor, host, { sources: [standAlone] })).rejects.toThrow(NotApplicable)
    const required = look(cadvisor, host, { sources: [{ ...standAlone, required: true }] })
    if (answer instanceof Error || answer.status !== 503) await expect(required).rejects.not.toThrow(NotApplicable)
    else expect(reasons(await required)).toEqual(['CadvisorScrapeError'])
  })

  it('shows the kubelet a token, and takes the certificate that it signed itself', async () => {
    const host = fixtureHost('cadvisor/ok')
    const get = vi.fn(async (_: string, { onText }: GetOptions) => {
      onText?.('container_scrape_error 0\n')
      return { status: 200, headers: {}, body: '{"pods":[]}', tookMs: 1 }
    })
    const readText = async (path: string) => (path === '/etc/starling/token' ? 'abc\n' : host.readText(path))
    const sources = [{ kind: 'kubelet', url: 'https://127.0.0.1:10250', tokenFile: '/etc/starling/token' }]
    expect(reasons(await look(cadvisor, { ...host, get, readText }, { sources }))).toContain('CadvisorEmpty')
    expect(get).toHaveBeenCalledTimes(2)
    expect(get.mock.lastCall?.[1]).toMatchObject({ headers: { authorization: 'Bearer abc' }, tls: { anyServer: true } })
  })

  it.each<[string, Record<string, Change>, string]>([
    ['is not let in', { [METRICS]: () => ({ status: 401 }) }, 'does not let the agent in: HTTP 401'],
    ['is not let see pods', { [SUMMARY]: () => ({ status: 403 }) }, 'does not let the agent in: HTTP 403'],
    ['gets half of a summary', { [SUMMARY]: ({ body }) => ({ body: body.slice(0, -9) }) }, 'is no JSON'],
    ['gets another thing', { [SUMMARY]: () => ({ body: '{"pods":{"a":1}}' }) }, 'is no summary of the kubelet'],
    ['gets too much', { [METRICS]: () => new Error('answers with over 268435456 bytes') }, 'over 268435456 bytes'],
  ])('does not know when it %s', async (_, changes, why) => {
    const failure = found(changes)
    await expect(failure).rejects.toThrow(why)
    await expect(failure).rejects.not.toThrow(NotApplicable)
  })

  it('does not know what the kernel says in words of its own', async () => {
    const broken = [
      { '/proc/stat': 'cpu0 1 2\n' },
      { '/proc/uptime': '' },
      { [`/sys/fs/cgroup${API}/memory.current`]: '\0\0' },
      { [`/sys/fs/cgroup${API}/cpu.stat`]: 'nr_periods 0\n' },
    ]
    for (const files of broken) await expect(found({}, files)).rejects.not.toThrow(NotApplicable)
  })

  it.each([
    { sources: [] },
    { sources: [{ kind: 'kubelet', url: 'http://10.0.0.7:10255' }] },
    { sources: [{ kind: 'kubelet', url: 'http://127.0.0.1:10255/metrics' }] },
    { sources: [{ kind: 'other', url: KUBELET }] },
    { answerWithinSeconds: 60 },
    { staleAfterSeconds: 1 },
    { podRoots: ['kubepods'] },
  ])('refuses %j', (options) => {
    expect(cadvisor.options.safeParse(options).success).toBe(false)
  })
})
