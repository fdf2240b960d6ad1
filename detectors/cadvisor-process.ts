/**
 * Does a stand-alone cadvisor run where one is meant to? Without it the figures of containers end, in dashboards and for
 * whatever scales by them, while nothing else shows it. The kubelet's built-in cadvisor is no process of its own.
 */
import { z } from 'zod'
import { defineDetector } from './contract.ts'
import { cadvisorCommands, cadvisorFinder } from './reading/cadvisor-process.ts'
import { requireSign, signsOption, whyNotRunning } from './reading/daemons.ts'

/** An enabled unit of systemd, and a static pod of kubeadm's folder. */
const SIGNS = [
  '/etc/systemd/system/multi-user.target.wants/cadvisor.service',
  '/etc/kubernetes/manifests/cadvisor.yaml',
  '/etc/kubernetes/manifests/cadvisor.yml',
  '/etc/kubernetes/manifests/cadvisor.json',
]

const finder = cadvisorFinder()

export const cadvisorProcess = defineDetector({
  name: 'cadvisor-process',
  summary: 'Whether a stand-alone cadvisor runs where one is meant to.',
  every: '30s',
  timeout: '10s',
  needs: [],
  touches: { paths: ['/**'] },
  options: z.strictObject({ commands: cadvisorCommands(), signs: signsOption(SIGNS, 'a cadvisor of its own') }),
  reasons: {
    CadvisorProcessDown: {
      severity: 'warn',
      summary: 'The stand-alone cadvisor does not run: there are no new figures of containers from it.',
      // Longer than a restart in a crash loop takes at its first tries (10 and 20 s of the kubelet).
      sustain: '1m',
      runbook: 'cadvisor-process',
    },
  },

  async sample(host, { commands, signs }, signal) {
    signal.throwIfAborted()
    await requireSign(host, signs, 'only the one in the kubelet, if any, is used here')
    return finder.find(host, commands, signal)
  },

  judge(search) {
    const summary = whyNotRunning(search, 'a stand-alone cadvisor')
    if (summary === undefined) return []
    const evidence = [{ name: 'cadvisors', value: 0, limit: 1, unit: 'processes' }]
    return [{ reason: 'CadvisorProcessDown', summary, evidence }]
  },
})
