import { describe, expect, it, vi } from 'vitest'
import { type Host, NotApplicable } from '../../detectors/contract.ts'
import { etcdStatus } from '../../detectors/etcd-status.ts'
import type { HostRecord } from '../../detectors/testing/fixture-host.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

const METRICS = 'http://127.0.0.1:2381/metrics'
const CLIENT = 'https://127.0.0.1:2379'
const STATUS = `${CLIENT}/etcdserverpb.Maintenance/Status`
/** What an etcd 3.4.23 that runs alone answers: five entries, all applied. */
const ALONE =
  '0a1a08b298eaf1948386fccd0110cdd2918bd2b881cf8e01180120021206332e342e32331880c00120cdd2918bd2b881cf8e012807300238074880c001'
const alarm = (text: string) => `42${text.length.toString(16).padStart(2, '0')}${Buffer.from(text).toString('hex')}`

const metrics = (leader = 1, share = 0) => ({
  status: 200,
  body: `etcd_server_has_leader ${leader}\netcd_server_quota_backend_bytes 1e+09\netcd_mvcc_db_total_size_in_bytes ${share * 1e9}\n`,
})
const host = (record: HostRecord = {}) =>
  fixtureHost('etcd-status/ok', {
    replies: { [METRICS]: metrics() },
    calls: { [STATUS]: { message: ALONE } },
    ...record,
  })
const withStatus = (message: string) => host({ calls: { [STATUS]: { message } } })

/** The host with another command line of its etcd; without one there is none. */
function running(words: readonly string[] | undefined, record: HostRecord = {}, files: readonly string[] = []): Host {
  const recorded = host(record)
  const etcd = words === undefined ? [] : [{ id: '912', words }]
  return {
    ...recorded,
    processes: async () => ({ processes: etcd, unseen: undefined, isFresh: true }),
    exists: async (path) => files.includes(path),
    readText: async (path) => (path === '/proc/912/status' ? 'State:\tS\nNSpid:\t912\n' : recorded.readText(path)),
  }
}

describe('etcd-status', () => {
  it('says nothing of a member that is well', async () => {
    expect(await look(etcdStatus, fixtureHost('etcd-status/ok'))).toEqual([])
  })

  it('finds one that takes no more writes', async () => {
    const judgements = await look(etcdStatus, fixtureHost('etcd-status/bad'))
    expect(reasons(judgements)).toEqual(['EtcdNoSpace', 'EtcdQuotaFilling', 'EtcdQuotaAlmostFull'])
    expect(judgements[0]).toEqual({
      reason: 'EtcdNoSpace',
      summary: 'etcd has raised NOSPACE with 2.14748265e+09 of 2147483648 bytes in use'.replace(
        '2.14748265e+09',
        '2147482650',
      ),
      evidence: [{ name: 'etcd_mvcc_db_total_size_in_bytes', value: 2147482650, limit: 2147483648, unit: 'bytes' }],
    })
  })

  it.each([
    [0.79, []],
    [0.8, ['EtcdQuotaFilling']],
    [0.95, ['EtcdQuotaFilling', 'EtcdQuotaAlmostFull']],
  ])('judges %d of the quota', async (share, expected) => {
    expect(reasons(await look(etcdStatus, host({ replies: { [METRICS]: metrics(1, share) } })))).toEqual(expected)
  })

  it.each([
    ['no leader', host({ replies: { [METRICS]: metrics(0) } }), ['EtcdNoLeader']],
    ['CORRUPT', withStatus(ALONE + alarm('memberID:1 alarm:CORRUPT ')), ['EtcdCorrupt']],
    [
      'two alarms',
      withStatus(ALONE + alarm('memberID:1 alarm:NOSPACE ') + alarm('memberID:2 alarm:NOSPACE ')),
      ['EtcdNoSpace'],
    ],
    ['another error', withStatus(ALONE + alarm('etcdserver: no leader')), []],
    ['a learner', withStatus(`${ALONE}5001`), ['EtcdLearner']],
    // Of the fields that come twice the last counts: 5 is the last entry, 7 the last applied.
    ['1001 entries behind', withStatus(`${ALONE}28d20f38e907`), ['EtcdBehind']],
    ['1000 entries behind', withStatus(`${ALONE}28d10f38e907`), []],
  ])('judges %s', async (_, member, expected) => {
    expect(reasons(await look(etcdStatus, member))).toEqual(expected)
  })

  it.each(['ECONNREFUSED', 'ETIMEDOUT'])('finds one down that is unreachable by %s', async (unreachable) => {
    for (const dead of [
      host({ replies: { [METRICS]: { unreachable } } }),
      host({ calls: { [STATUS]: { unreachable } } }),
    ]) {
      const [summary] = summaries(await look(etcdStatus, dead))
      expect(summary).toBe(`an etcd member is meant to answer at ${CLIENT}, which cannot be reached: ${unreachable}`)
    }
  })

  it('finds one missing where it is meant to run, and nothing where it is not', async () => {
    const manifest = ['/etc/kubernetes/manifests/etcd.yaml']
    expect(summaries(await look(etcdStatus, running(undefined, {}, manifest)))[0]).toContain('and no process is it')
    await expect(look(etcdStatus, running(undefined))).rejects.toThrow(NotApplicable)
    const contained = running(['etcd'])
    vi.spyOn(contained, 'readText').mockResolvedValue('State:\tS\nNSpid:\t912\t1\n')
    await expect(look(etcdStatus, contained)).rejects.toThrow(NotApplicable)
    const unseen = running(undefined)
    vi.spyOn(unseen, 'processes').mockResolvedValue({ processes: [], unseen: new Error('EPERM'), isFresh: true })
    await expect(look(etcdStatus, unseen)).rejects.toThrow('EPERM')
  })

  it('goes through all processes at few looks where nothing says that an etcd should run, and finds one for all that', async () => {
    const host = running(undefined)
    const processes = vi.spyOn(host, 'processes')
    for (let n = 0; n < 40; n++) await expect(look(etcdStatus, host)).rejects.toThrow(NotApplicable)
    expect(processes).toHaveBeenCalledTimes(1)
    const started = await running(['etcd']).processes('now')
    processes.mockResolvedValue(started)
    for (let n = 0; n < 3; n++) expect(await look(etcdStatus, host)).toBeDefined()
    expect(processes).toHaveBeenCalledTimes(4)
  })

  const at = (url: string): HostRecord => ({
    replies: { [`${url}/metrics`]: metrics() },
    calls: { [`${url}/etcdserverpb.Maintenance/Status`]: { message: ALONE } },
  })
  it.each([
    [['/usr/bin/etcd'], {}, 'http://127.0.0.1:2379'],
    [['etcd', '--listen-client-urls', 'http://10.0.0.7:2379'], {}, 'http://10.0.0.7:2379'],
    [['etcd', '--listen-client-urls=http://10.0.0.7:2379,http://localhost:1'], {}, 'http://127.0.0.1:1'],
    [['etcd', '--listen-client-urls=http://0.0.0.0:4001'], {}, 'http://127.0.0.1:4001'],
    [['etcd', '--listen-client-urls=unix://x:1'], {}, 'http://127.0.0.1:2379'],
    [['etcd', '--listen-metrics-urls=http://127.0.0.1:9'], { endpoint: 'http://127.0.0.1:7' }, 'http://127.0.0.1:7'],
    [undefined, { endpoint: 'http://127.0.0.1:7/' }, 'http://127.0.0.1:7'],
  ])('asks %j with %j at %s', async (words, options, url) => {
    expect(await look(etcdStatus, running(words, at(url)), options)).toEqual([])
  })

  it('asks where the environment of etcd says, as distributions set it up', async () => {
    const debian = running(['/usr/bin/etcd'], at('http://127.0.0.1:7'))
    vi.spyOn(debian, 'readWords').mockResolvedValue(['HOME=/', 'ETCD_LISTEN_CLIENT_URLS=http://127.0.0.1:7'])
    expect(await look(etcdStatus, debian)).toEqual([])
  })

  it('shows the files that the flags of etcd name, and those that it is told instead', async () => {
    const watched = host()
    const call = vi.spyOn(watched, 'call')
    await look(etcdStatus, watched)
    const pki = (name: string) => `/etc/kubernetes/pki/etcd/${name}`
    expect(call.mock.lastCall?.[2].tls).toEqual({ ca: pki('ca.crt'), cert: pki('server.crt'), key: pki('server.key') })
    await look(etcdStatus, watched, { ca: '/a', cert: '/b', key: pki('ca.crt') })
    expect(call.mock.lastCall?.[2].tls).toEqual({ ca: '/a', cert: '/b', key: pki('ca.crt') })
  })

  it('does with open metrics what can be done without a key, and says what it needs where there are none', async () => {
    const noKey = (record: HostRecord, words?: readonly string[]): Host => {
      const recorded = words === undefined ? host(record) : running(words, record)
      const readText: Host['readText'] = (path) =>
        path === '/key' ? Promise.reject(new Error('/key cannot be read: EACCES')) : recorded.readText(path)
      return { ...recorded, readText }
    }
    const open = noKey({ replies: { [METRICS]: metrics(1, 0.9) } })
    expect(reasons(await look(etcdStatus, open, { key: '/key' }))).toEqual(['EtcdQuotaFilling'])
    const words = ['etcd', `--listen-client-urls=${CLIENT}`, '--key-file=/key']
    await expect(look(etcdStatus, noKey({}, words))).rejects.toThrow('/key cannot be read: EACCES')
    const unprivileged = look(etcdStatus, noKey({ missing: ['CAP_DAC_READ_SEARCH'] }, words))
    await expect(unprivileged).rejects.toThrow('needs CAP_DAC_READ_SEARCH to read /key')
    await expect(unprivileged).rejects.toThrow(NotApplicable)
  })

  it('judges without the status that it is refused', async () => {
    const refused = host({ calls: { [STATUS]: { status: 7, why: 'permission denied' } } })
    expect(await look(etcdStatus, refused)).toEqual([])
  })

  it.each([
    ['no metrics', host({ replies: { [METRICS]: { status: 200, body: 'etcd_server_has_leader one' } } })],
    ['metrics of something else', host({ replies: { [METRICS]: { status: 200, body: 'up 1\n' } } })],
    ['an error', host({ replies: { [METRICS]: { status: 500, body: '' } } })],
  ])('does not know from %s', async (_, strange) => {
    await expect(look(etcdStatus, strange)).rejects.not.toThrow(NotApplicable)
  })

  it.each([ALONE.slice(0, 20), '', 'ff'])(
    'does not know from half a status, %s, where that is all there is',
    async (message) => {
      const url = 'http://127.0.0.1:2379'
      const half = running(['etcd'], { ...at(url), calls: { [`${url}/etcdserverpb.Maintenance/Status`]: { message } } })
      await expect(look(etcdStatus, half)).rejects.toThrow("etcd's status")
    },
  )

  it('refuses options that make no sense', () => {
    for (const options of [
      { endpoint: 'ftp://x' },
      { endpoint: '127.0.0.1:2379' },
      { ca: 'ca.crt' },
      { warnRatio: 0.95 },
      { alarmRatio: 2 },
      { behind: 0 },
      { timeout: '1m' },
    ]) {
      expect(etcdStatus.options.safeParse(options).success, JSON.stringify(options)).toBe(false)
    }
  })
})
