import { describe, expect, it } from 'vitest'
import { NotApplicable } from '../../detectors/contract.ts'
import { etcdHealth } from '../../detectors/etcd-health.ts'
import type { HostRecord } from '../../detectors/testing/fixture-host.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

const URL_2381 = 'http://127.0.0.1:2381'
type Replies = NonNullable<HostRecord['replies']>
const health = (status: number, body: string, tookMs = 1) => ({ [`${URL_2381}/health`]: { status, body, tookMs } })
const notServed = { status: 404, body: '404 page not found\n' }
const host = (replies: Replies) =>
  fixtureHost('etcd-health/ok', {
    replies: { [`${URL_2381}/livez`]: notServed, [`${URL_2381}/readyz`]: notServed, ...replies },
  })

describe('etcd-health', () => {
  it('says nothing of an etcd that is well', async () => {
    expect(await look(etcdHealth, fixtureHost('etcd-health/ok'))).toEqual([])
  })

  it('says what etcd says', async () => {
    expect(summaries(await look(etcdHealth, fixtureHost('etcd-health/bad')))).toEqual([
      `etcd says 503, RAFT NO LEADER at ${URL_2381}/health`,
      `etcd says 503, failed: linearizable_read at ${URL_2381}/readyz`,
    ])
  })

  it.each([
    // Of etcd 3.4.
    [health(200, '{"health":"true"}'), []],
    [health(503, '{"health":"false"}'), ['EtcdUnhealthy']],
    [health(200, '{"health": true}'), []],
    [health(200, '{"health":"false","reason":"ALARM NOSPACE"}'), ['EtcdUnhealthy']],
    [health(200, '{"health":"true"}', 1_001), ['EtcdSlow']],
    [health(200, '{"health":"true"}', 1_000), []],
    [{ [`${URL_2381}/health`]: { unreachable: 'ETIMEDOUT' } }, ['EtcdUnhealthy']],
    [{ ...health(200, '{"health":"true"}'), [`${URL_2381}/livez`]: { status: 500, body: 'no' } }, ['EtcdUnhealthy']],
    [{ ...health(200, '{"health":"true"}'), [`${URL_2381}/readyz`]: { unreachable: 'ETIMEDOUT' } }, []],
  ])('judges %j', async (replies: Replies, expected) => {
    expect(reasons(await look(etcdHealth, host(replies)))).toEqual(expected)
  })

  it('says once that nobody is there', async () => {
    const nobody = fixtureHost('etcd-health/ok', { replies: {} })
    expect(summaries(await look(etcdHealth, nobody))).toEqual([
      `etcd says nothing (ECONNREFUSED) at ${URL_2381}/health`,
    ])
    await expect(look(etcdHealth, fixtureHost('etcd-health/not-applicable'))).rejects.toThrow(NotApplicable)
  })

  it.each(['', '<html>', '{"health":"maybe"}', '{"health":'])('does not know from %j', async (body) => {
    await expect(look(etcdHealth, host(health(200, body)))).rejects.toThrow('does not say whether etcd is healthy')
  })

  it('refuses options that make no sense', () => {
    for (const options of [{ slow: '5s' }, { slow: 'slow' }, { timeout: '0s' }, { endpoint: 'x' }]) {
      expect(etcdHealth.options.safeParse(options).success, JSON.stringify(options)).toBe(false)
    }
  })
})
