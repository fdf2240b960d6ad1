import { describe, expect, it } from 'vitest'
import { type Host, NotApplicable } from '../../detectors/contract.ts'
import { controlPlaneServices } from '../../detectors/control-plane-services.ts'
import type { HostRecord } from '../../detectors/testing/fixture-host.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

const API = 'https://127.0.0.1:6443'
type Replies = NonNullable<HostRecord['replies']>
/** A host on which only the API server is meant to run, with this command line. */
function apiServer(replies: Replies, words: readonly string[] = ['/usr/local/bin/kube-apiserver']): Host {
  return {
    ...fixtureHost('control-plane-services/ok', { replies }),
    list: async () => ['kube-apiserver.yaml', 'kube-proxy.yaml', 'etcd-backup.yaml'],
    processes: async () => ({ processes: [{ id: '7', words }], unseen: undefined, isFresh: true }),
  }
}
const answers = (livez: number, readyz: number, at = API, body = '') => ({
  [`${at}/livez`]: { status: livez, body },
  [`${at}/readyz`]: { status: readyz, body },
})

describe('control-plane-services', () => {
  it('says nothing of a control plane that is well', async () => {
    expect(await look(controlPlaneServices, fixtureHost('control-plane-services/ok'))).toEqual([])
  })

  it('names each part that is not, and why', async () => {
    expect(summaries(await look(controlPlaneServices, fixtureHost('control-plane-services/bad')))).toEqual([
      `kube-apiserver, process 1001, answers 500 at ${API}/livez, failed: etcd`,
      'kube-scheduler is meant to run here, and none of 4 processes is it',
      'etcd, process 912, takes the question and does not answer at http://127.0.0.1:2381/health',
    ])
  })

  it.each([
    [answers(200, 200), []],
    [answers(500, 500), ['ControlPlaneServiceUnhealthy']],
    [answers(200, 500), ['ControlPlaneServiceNotReady']],
    [{}, ['ControlPlaneServiceDown']],
    [{ ...answers(200, 200), [`${API}/readyz`]: { unreachable: 'ETIMEDOUT' } }, ['ControlPlaneServiceDown']],
    // With --anonymous-auth=false.
    [answers(401, 401), []],
    [answers(403, 500), ['ControlPlaneServiceNotReady']],
  ])('judges %j', async (replies: Replies, expected) => {
    expect(reasons(await look(controlPlaneServices, apiServer(replies)))).toEqual(expected)
  })

  it.each([
    [['kube-apiserver', '--secure-port=8443'], 'https://127.0.0.1:8443'],
    [['/x/kube-apiserver', '--bind-address', '10.0.0.7'], 'https://10.0.0.7:6443'],
    [['kube-apiserver', '--bind-address=::'], API],
    [['kube-apiserver', '--bind-address=fd00::7'], 'https://[fd00::7]:6443'],
  ])('asks %j at %s', async (words, at) => {
    expect(await look(controlPlaneServices, apiServer(answers(200, 200, at), words))).toEqual([])
  })

  it('does not take another program for it', async () => {
    for (const words of [[], ['/usr/bin/tail', 'kube-apiserver'], ['kube-apiserver-proxy']]) {
      const [summary] = summaries(await look(controlPlaneServices, apiServer(answers(200, 200), words)))
      expect(summary).toBe('kube-apiserver is meant to run here, and none of 1 processes is it')
    }
  })

  it('looks for what it is told to, without a manifest', async () => {
    const options = { components: ['kube-scheduler'] }
    const judgements = await look(controlPlaneServices, fixtureHost('control-plane-services/not-applicable'), options)
    expect(judgements.map(({ cause }) => cause)).toEqual(['kube-scheduler'])
  })

  it('does not apply where no part has a manifest', async () => {
    await expect(look(controlPlaneServices, fixtureHost('control-plane-services/not-applicable'))).rejects.toThrow(
      'no part of the control plane has a manifest in /etc/kubernetes/manifests',
    )
  })

  it('says which privilege it needs where it may not look, and does not know where that is not the reason', async () => {
    const sealed = (record: HostRecord): Host => ({
      ...fixtureHost('control-plane-services/ok', record),
      list: () => Promise.reject(new Error('/etc/kubernetes/manifests cannot be read: EACCES')),
    })
    const unprivileged = look(controlPlaneServices, sealed({ missing: ['CAP_DAC_READ_SEARCH'] }))
    await expect(unprivileged).rejects.toThrow(NotApplicable)
    await expect(unprivileged).rejects.toThrow('needs CAP_DAC_READ_SEARCH to look into /etc/kubernetes/manifests')
    await expect(look(controlPlaneServices, sealed({}))).rejects.toThrow('cannot be read: EACCES')
    const unseen: Host = {
      ...apiServer(answers(200, 200)),
      processes: async () => ({ processes: [], unseen: new Error('/proc/7/cmdline: EPERM'), isFresh: true }),
    }
    await expect(look(controlPlaneServices, unseen)).rejects.toThrow('EPERM')
  })

  it('refuses parts that there are not', () => {
    for (const options of [{ components: ['kube-proxy'] }, { manifests: 'manifests' }, { timeout: '11s' }]) {
      expect(controlPlaneServices.options.safeParse(options).success, JSON.stringify(options)).toBe(false)
    }
  })
})
