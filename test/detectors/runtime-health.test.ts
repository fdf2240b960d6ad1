import { writer } from 'protons-runtime'
import { describe, expect, it } from 'vitest'
import { type Host, NotApplicable } from '../../detectors/contract.ts'
import { runtimeHealth } from '../../detectors/runtime-health.ts'
import type { HostRecord } from '../../detectors/testing/fixture-host.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

const SOCKET = '/run/containerd/containerd.sock'
const url = (method: string, version = 'v1', socket = SOCKET) =>
  `unix:${socket}:/runtime.${version}.RuntimeService/${method}`
const version = { message: '0a05302e312e30120a636f6e7461696e6572641a0a312e362e32307e64733122027631' }
const unknownService = { status: 12, why: 'unknown service runtime.v1.RuntimeService' }

interface Condition {
  readonly type: string
  readonly status: boolean
  readonly reason?: string
  readonly message?: string
}

/** A StatusResponse, as a runtime writes it: what is empty or false is left out. */
function statusOf(...conditions: readonly Condition[]): { message: string } {
  const to = writer()
  to.uint32(10).fork()
  for (const { type, status, reason, message } of conditions) {
    to.uint32(10).fork()
    to.uint32(10).string(type)
    if (status) to.uint32(16).bool(true)
    if (reason !== undefined) to.uint32(26).string(reason)
    if (message !== undefined) to.uint32(34).string(message)
    to.ldelim()
  }
  to.ldelim()
  return { message: Buffer.from(to.finish()).toString('hex') }
}

const ready = { type: 'RuntimeReady', status: true }
const network = { type: 'NetworkReady', status: true }
const answering = (status: { message: string }): HostRecord => ({
  calls: { [url('Status')]: status, [url('Version')]: version },
})
const host = (changed: HostRecord) => fixtureHost('runtime-health/ok', changed)
/** The host with other paths there than in its folder. */
const having = (paths: readonly string[], record: HostRecord = {}): Host => ({
  ...fixtureHost('empty', record),
  exists: async (path) => paths.includes(path),
})

describe('runtime-health', () => {
  it('says nothing of a runtime that is ready', async () => {
    expect(await look(runtimeHealth, fixtureHost('runtime-health/ok'))).toEqual([])
    const more = statusOf(ready, network, { type: 'ContainerdHasNoDeprecationWarnings', status: false, reason: 'X' })
    expect(await look(runtimeHealth, host(answering(more)))).toEqual([])
  })

  it('says what a real containerd says without a network', async () => {
    expect(await look(runtimeHealth, fixtureHost('runtime-health/bad'))).toEqual([
      {
        reason: 'CniUnhealthy',
        cause: SOCKET,
        summary:
          'containerd 1.6.20~ds1 has no pod network: NetworkPluginNotReady, Network plugin returns error: cni plugin not initialized',
        evidence: [
          { name: SOCKET, value: 'NetworkPluginNotReady', limit: 'ready', unit: '' },
          { name: 'runtime', value: 'containerd 1.6.20~ds1', unit: '' },
        ],
      },
    ])
  })

  it.each([
    [[{ ...ready, status: false, reason: 'Starting' }, network], ['RuntimeDown']],
    [
      [
        { ...ready, status: false },
        { ...network, status: false },
      ],
      ['RuntimeDown', 'CniUnhealthy'],
    ],
    [[ready], []],
  ])('judges %j', async (conditions, expected) => {
    expect(reasons(await look(runtimeHealth, host(answering(statusOf(...conditions)))))).toEqual(expected)
  })

  it.each([
    ['ECONNREFUSED', 'does not answer: ECONNREFUSED'],
    ['ETIMEDOUT', 'accepts a call and does not answer it'],
  ])('finds one down that is unreachable by %s', async (unreachable, why) => {
    const dead = host({ calls: { [url('Status')]: { unreachable } } })
    expect(summaries(await look(runtimeHealth, dead))).toEqual([`1 container runtime, at ${SOCKET}, ${why}`])
  })

  it('asks an older runtime in the older words', async () => {
    const calls = {
      [url('Status')]: unknownService,
      [url('Status', 'v1alpha2')]: statusOf(ready, { ...network, status: false, reason: 'No' }),
      [url('Version', 'v1alpha2')]: version,
    }
    expect(reasons(await look(runtimeHealth, host({ calls })))).toEqual(['CniUnhealthy'])
  })

  it('finds one that serves no CRI where a kubelet needs it, and leaves a host of Docker alone', async () => {
    const calls = { [url('Status')]: unknownService, [url('Status', 'v1alpha2')]: unknownService }
    expect(reasons(await look(runtimeHealth, host({ calls })))).toEqual(['RuntimeDown'])
    await expect(look(runtimeHealth, having([SOCKET], { calls }))).rejects.toThrow(NotApplicable)
    const crio = '/run/crio/crio.sock'
    const beside = { ...calls, [url('Status', 'v1', crio)]: statusOf(ready), [url('Version', 'v1', crio)]: version }
    expect(await look(runtimeHealth, having([SOCKET, crio, '/var/lib/kubelet'], { calls: beside }))).toEqual([])
  })

  it('misses the socket of a runtime that was here, where a kubelet is', async () => {
    const gone = ['/var/lib/kubelet', '/etc/crio']
    const unreachable = { calls: { [url('Status', 'v1', '/run/crio/crio.sock')]: { unreachable: 'ENOENT' } } }
    expect(reasons(await look(runtimeHealth, having(gone, unreachable)))).toEqual(['RuntimeDown'])
    await expect(look(runtimeHealth, having(['/var/lib/containerd']))).rejects.toThrow(NotApplicable)
  })

  it('does not miss one that left its folder where another serves', async () => {
    const crio = '/run/crio/crio.sock'
    const calls = (unreachable: string) => ({
      [url('Status')]: { unreachable },
      [url('Status', 'v1', crio)]: statusOf(ready, network),
      [url('Version', 'v1', crio)]: version,
    })
    const replaced = ['/var/lib/kubelet', '/var/lib/containerd', crio]
    expect(await look(runtimeHealth, having(replaced, { calls: calls('ENOENT') }))).toEqual([])
    expect(reasons(await look(runtimeHealth, having(replaced, { calls: calls('ECONNREFUSED') })))).toEqual([
      'RuntimeDown',
    ])
    const wanted = { sockets: [SOCKET, crio] }
    expect(reasons(await look(runtimeHealth, having([], { calls: calls('ENOENT') }), wanted))).toEqual(['RuntimeDown'])
  })

  it('looks at the sockets that it is told to, and at no other', async () => {
    const socket = '/srv/runtime.sock'
    const calls = { [url('Status', 'v1', socket)]: statusOf(ready), [url('Version', 'v1', socket)]: version }
    const options = { sockets: [socket] }
    expect(await look(runtimeHealth, having([SOCKET], { calls }), options)).toEqual([])
    expect(reasons(await look(runtimeHealth, having([]), options))).toEqual(['RuntimeDown'])
  })

  it.each([
    ['half of a message', fixtureHost('runtime-health/unreadable')],
    ['nothing', host(answering({ message: '' }))],
    ['other conditions', host(answering(statusOf(network)))],
    ['a message of something else', host(answering({ message: 'ffffffffff' }))],
    ['another refusal', host({ calls: { [url('Status')]: { status: 2, why: 'broken' } } })],
  ])('does not know what %s means', async (_, strange) => {
    const looked = look(runtimeHealth, strange)
    await expect(looked).rejects.toThrow(Error)
    await expect(looked).rejects.not.toThrow(NotApplicable)
  })

  it('refuses sockets that are no paths, and times that are none or too long', () => {
    for (const options of [
      { sockets: ['run/x.sock'] },
      { sockets: ['/a:b'] },
      { timeout: '0s' },
      { timeout: '7s' },
      { timeout: 'soon' },
    ]) {
      expect(runtimeHealth.options.safeParse(options).success, JSON.stringify(options)).toBe(false)
    }
    expect(runtimeHealth.options.safeParse({ sockets: ['/a'], timeout: '500ms' }).success).toBe(true)
  })
})
