/**
 * Does this node's kubelet run? Without it no pod is started, restarted or stopped here, while those that run go on and are
 * served until Kubernetes misses the kubelet, after 40 to 50 s.
 */
import { z } from 'zod'
import { defineDetector } from './contract.ts'
import { commandsOption, DaemonFinder, requireSign, signsOption, whyNotRunning } from './reading/daemons.ts'
import { KUBELET_COMMANDS, KUBELET_SIGNS } from './reading/kubelet.ts'

const finder = new DaemonFinder()

export const kubeletProcess = defineDetector({
  name: 'kubelet-process',
  summary: "Whether this node's kubelet runs.",
  importance: 'vital',
  every: '10s',
  timeout: '5s',
  needs: [],
  touches: { paths: ['/**'] },
  options: z.strictObject({
    commands: commandsOption(KUBELET_COMMANDS, "the kubelet's"),
    signs: signsOption(KUBELET_SIGNS, 'a kubelet'),
  }),
  reasons: {
    KubeletDown: {
      severity: 'alarm',
      summary: 'The kubelet does not run: no pod can be started or stopped here, and Kubernetes will miss the node.',
      // Longer than a restart, as in an upgrade; less than an interval at its shortest, so that two looks always suffice.
      sustain: '5s',
      runbook: 'kubelet-process',
    },
  },

  async sample(host, { commands, signs }, signal) {
    signal.throwIfAborted()
    await requireSign(host, signs, 'no kubelet was ever started here')
    return finder.find(host, commands, signal)
  },

  judge(search) {
    const summary = whyNotRunning(search, 'the kubelet')
    if (summary === undefined) return []
    return [{ reason: 'KubeletDown', summary, evidence: [{ name: 'kubelets', value: 0, limit: 1, unit: 'processes' }] }]
  },
})
