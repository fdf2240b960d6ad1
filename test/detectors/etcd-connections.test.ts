import { describe, expect, it } from 'vitest'
import { type Host, NotApplicable } from '../../detectors/contract.ts'
import { etcdConnections } from '../../detectors/etcd-connections.ts'
import { fixtureHost, look, reasons } from './fixture-host.ts'

const METRICS = 'http://127.0.0.1:2381/metrics'
const files = (open: number, max = 1000) =>
  fixtureHost('etcd-connections/ok', {
    replies: { [METRICS]: { status: 200, body: `process_open_fds ${open}\nprocess_max_fds ${max}\n` } },
  })
const options = etcdConnections.options.parse({})
const judged = (connections: number | undefined, ...past: (number | undefined)[]) => {
  const use = (count: number | undefined) => ({ url: 'u', openFiles: 9, maxFiles: 99, connections: count })
  return reasons(etcdConnections.judge(use(connections), options, past.map(use)))
}

describe('etcd-connections', () => {
  it('counts files and connections', async () => {
    const sample = await etcdConnections.sample(
      fixtureHost('etcd-connections/ok'),
      options,
      new AbortController().signal,
    )
    // Of five sockets one listens, one is of another port, one is over, and one is the other end of a connection.
    expect(sample).toEqual({ url: 'https://127.0.0.1:2379', openFiles: 89, maxFiles: 65536, connections: 1 })
    expect(etcdConnections.judge(sample, options, [])).toEqual([])
  })

  it('finds the limit of open files near', async () => {
    expect((await look(etcdConnections, fixtureHost('etcd-connections/bad')))[1]).toEqual({
      reason: 'EtcdFilesAlmostGone',
      summary: 'etcd has 980 of 1024 files open (95 %), 1 of them connections of clients',
      evidence: [{ name: 'process_open_fds', value: 980, limit: 1024, unit: 'files' }],
    })
  })

  it.each([
    [799, []],
    [800, ['EtcdFilesFilling']],
    [950, ['EtcdFilesFilling', 'EtcdFilesAlmostGone']],
  ])('judges %d of 1000 files', async (open, expected) => {
    expect(reasons(await look(etcdConnections, files(open)))).toEqual(expected)
  })

  it('finds connections that multiply: against the fewest of the looks before, and not the first ones', () => {
    expect(judged(1_000)).toEqual([])
    expect(judged(1_000, 501)).toEqual([])
    expect(judged(1_000, 500)).toEqual(['EtcdConnectionsGrowing'])
    expect(judged(1_000, 900, 700, 500)).toEqual(['EtcdConnectionsGrowing'])
    expect(judged(999, 1)).toEqual([])
    expect(judged(1_000, undefined)).toEqual([])
    expect(judged(undefined, 1)).toEqual([])
    expect(judged(1_000, 0)).toEqual(['EtcdConnectionsGrowing'])
  })

  it('counts what it can where the table of sockets cannot be read', async () => {
    for (const error of [new Error('/proc/1/net/tcp is over 1 MiB'), new NotApplicable('no IPv6')]) {
      const recorded = files(960)
      const readText: Host['readText'] = (path) =>
        path.includes('/net/') ? Promise.reject(error) : recorded.readText(path)
      const [, worst] = await look(etcdConnections, { ...recorded, readText })
      expect(worst?.summary).toContain('an unknown number of them connections')
    }
  })

  it('leaves an etcd that does not answer to etcd-status, and does not know what makes no sense', async () => {
    expect(await look(etcdConnections, fixtureHost('etcd-connections/ok', { replies: {} }))).toEqual([])
    for (const reply of [
      { status: 500, body: '' },
      { status: 200, body: 'process_open_fds 1\n' },
      { status: 200, body: 'process_open_fds' },
    ]) {
      const strange = look(etcdConnections, fixtureHost('etcd-connections/ok', { replies: { [METRICS]: reply } }))
      await expect(strange).rejects.toThrow(Error)
      await expect(strange).rejects.not.toThrow(NotApplicable)
    }
  })

  it('refuses options that make no sense', () => {
    for (const bad of [{ warnRatio: 0 }, { warnRatio: 0.96 }, { growth: 1 }, { growthFrom: 0 }]) {
      expect(etcdConnections.options.safeParse(bad).success, JSON.stringify(bad)).toBe(false)
    }
  })
})
