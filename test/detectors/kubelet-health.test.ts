import { describe, expect, it, vi } from 'vitest'
import { type Host, NotApplicable } from '../../detectors/contract.ts'
import { kubeletHealth } from '../../detectors/kubelet-health.ts'
import type { HostRecord } from '../../detectors/testing/fixture-host.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

const URL_10248 = 'http://127.0.0.1:10248/healthz'
const host = (replies: HostRecord['replies'], words?: string, files: Readonly<Record<string, string>> = {}): Host => {
  const recorded = fixtureHost('kubelet-health/ok', { replies })
  const readWords: Host['readWords'] = async (path) =>
    words !== undefined && path === '/proc/812/cmdline' ? words.split(' ') : recorded.readWords(path)
  return { ...recorded, readWords, readText: async (path) => files[path] ?? recorded.readText(path) }
}
const reply = (status: number, body = '', tookMs = 1) => ({ [URL_10248]: { status, body, tookMs } })

describe('kubelet-health', () => {
  it('says nothing of a kubelet that is well', async () => {
    expect(await look(kubeletHealth, fixtureHost('kubelet-health/ok'))).toEqual([])
  })

  it('names the checks that failed', async () => {
    expect(await look(kubeletHealth, fixtureHost('kubelet-health/bad'))).toEqual([
      {
        reason: 'KubeletUnhealthy',
        cause: URL_10248,
        summary: `the kubelet answers 500 at ${URL_10248}, failed: syncloop`,
        evidence: [{ name: 'status', value: 500, limit: 200, unit: '' }],
      },
    ])
  })

  it.each([
    [reply(500, 'broken'), ['KubeletUnhealthy'], 'no failed check named'],
    [reply(404), ['KubeletUnhealthy'], 'answers 404'],
    [reply(500, `[-]${'x'.repeat(5_000)} failed\n[-]pleg failed: reason withheld`), ['KubeletUnhealthy'], 'pleg'],
    [{ [URL_10248]: { unreachable: 'ETIMEDOUT' } }, ['KubeletUnhealthy'], 'takes the question and does not answer'],
    [{ [URL_10248]: { unreachable: 'ECONNRESET' } }, ['KubeletUnhealthy'], 'does not answer: ECONNRESET'],
    [{}, ['KubeletUnhealthy'], 'does not answer: ECONNREFUSED'],
    [reply(200, 'ok', 2_001), ['KubeletSlow'], 'took 2001 ms'],
    [reply(200, 'ok', 2_000), [], ''],
  ])('judges %j', async (replies, expected, saying) => {
    const judgements = await look(kubeletHealth, host(replies))
    expect(reasons(judgements)).toEqual(expected)
    for (const summary of summaries(judgements)) expect(summary).toContain(saying)
  })

  it('does not apply where no kubelet ever was, nor where it does not run: that is for another detector to say', async () => {
    await expect(look(kubeletHealth, fixtureHost('kubelet-health/not-applicable'))).rejects.toThrow(
      'no kubelet was ever started here',
    )
    const dead = look(kubeletHealth, host({}, '/usr/bin/other'))
    await expect(dead).rejects.toThrow(NotApplicable)
    await expect(dead).rejects.toThrow('the kubelet does not run, which kubelet-process reports')
  })

  const well = (url: string) => ({ [url]: { status: 200, body: 'ok' } })
  it.each([
    ['/usr/bin/kubelet --healthz-port=7777', {}, 'http://127.0.0.1:7777/healthz'],
    ['/usr/bin/kubelet --healthz-port 7777 --v=2', {}, 'http://127.0.0.1:7777/healthz'],
    ['/usr/bin/kubelet --healthz-bind-address=0.0.0.0 --healthz-port=1', {}, 'http://127.0.0.1:1/healthz'],
    ['/usr/bin/kubelet --healthz-bind-address=192.0.2.7', {}, 'http://192.0.2.7:10248/healthz'],
    ['/usr/bin/kubelet --healthz-bind-address=fd00::7', {}, 'http://[fd00::7]:10248/healthz'],
    ['/usr/bin/kubelet --config=/k.yaml', { '/k.yaml': 'a: 1\nhealthzPort: 7\n' }, 'http://127.0.0.1:7/healthz'],
    [
      '/usr/bin/kubelet --config=/k.json --healthz-port=8',
      { '/k.json': 'healthzPort: 7' },
      'http://127.0.0.1:8/healthz',
    ],
  ])('asks where %s says', async (words, files, url) => {
    expect(await look(kubeletHealth, host(well(url), words, files))).toEqual([])
  })

  it('does not miss one at the standard port whose configuration is kept from it, unless it has answered there', async () => {
    const shut = new Error('it cannot be read: EACCES', { cause: { code: 'EACCES' } })
    const hidden = (command: string, missing: HostRecord['missing']): Host => {
      const recorded = host({}, command)
      return {
        ...recorded,
        missing: async (needs) => needs.filter((need) => missing?.includes(need)),
        readText: (path) => (path === '/k.yaml' ? Promise.reject(shut) : recorded.readText(path)),
      }
    }
    const rightless = hidden('/usr/bin/kubelet --config=/k.yaml', ['CAP_DAC_READ_SEARCH'])
    await expect(look(kubeletHealth, rightless)).rejects.toThrow(
      new NotApplicable(
        `needs CAP_DAC_READ_SEARCH to see in /k.yaml where the kubelet answers, which it does not at ${URL_10248}`,
      ),
    )
    const get = vi.spyOn(rightless, 'get').mockResolvedValueOnce({ status: 200, headers: {}, body: 'ok', tookMs: 1 })
    expect(await look(kubeletHealth, rightless)).toEqual([])
    expect(reasons(await look(kubeletHealth, rightless))).toEqual(['KubeletUnhealthy'])
    expect(get).toHaveBeenCalledTimes(2)
    for (const sure of [
      hidden('/usr/bin/kubelet --config=/k.yaml', []),
      hidden('/usr/bin/kubelet --config=/k.yaml --healthz-port=10248', ['CAP_DAC_READ_SEARCH']),
    ]) {
      expect(reasons(await look(kubeletHealth, sure))).toEqual(['KubeletUnhealthy'])
    }
  })

  it('leaves a kubelet alone that is told to say nothing, and misses one whose configuration cannot be read', async () => {
    const silent = look(kubeletHealth, host({}, '/usr/bin/kubelet --config=/k', { '/k': 'healthzPort: 0\n' }))
    await expect(silent).rejects.toThrow(NotApplicable)
    expect(reasons(await look(kubeletHealth, host({}, '/usr/bin/kubelet --config=/none')))).toEqual([
      'KubeletUnhealthy',
    ])
  })

  it('asks where it is told to, with a token', async () => {
    const asked: unknown[] = []
    const recorded = host({ 'https://127.0.0.1:10250/healthz': { status: 200, body: 'ok' } }, undefined, {
      '/t': ' abc\n',
    })
    const watched: Host = {
      ...recorded,
      get: (url, options) => {
        asked.push([url, options.headers, options.tls])
        return recorded.get(url, options)
      },
    }
    const options = { urls: ['https://127.0.0.1:10250/healthz', URL_10248], tokenFile: '/t' }
    expect((await look(kubeletHealth, watched, options)).map(({ cause }) => cause)).toEqual([URL_10248])
    expect(asked[0]).toEqual([options.urls[0], { authorization: 'Bearer abc' }, { anyServer: true }])
  })

  it('does not know when it is not let in', async () => {
    for (const status of [401, 403]) {
      await expect(look(kubeletHealth, host(reply(status)))).rejects.toThrow(`does not let this agent ask: ${status}`)
    }
  })

  it('refuses options that make no sense, and a token for strangers', () => {
    for (const options of [
      { urls: ['file:///etc/passwd'] },
      { urls: ['10248'] },
      { slow: '10s' },
      { timeout: '11s' },
      { tokenFile: '/t' },
      { tokenFile: '/t', urls: ['https://192.0.2.7/healthz'] },
      { tokenFile: '/t', urls: ['https://127.0.0.1:1@192.0.2.7/healthz'] },
      { tokenFile: 't', urls: [URL_10248] },
    ]) {
      expect(kubeletHealth.options.safeParse(options).success, JSON.stringify(options)).toBe(false)
    }
  })
})
