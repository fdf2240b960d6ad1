/**
 * Does this node's kubelet run? Without it no pod is started, restarted or stopped here, while those that run go on and are
 * served until Kubernetes misses the kubelet, after 40 to 50 s. Found by its command line, since the host's init, the
 * container runtime and the file of its pid differ from one distribution to the next.
 */
import { z } from 'zod'
import { defineDetector, type Host } from './contract.ts'
import {
  type IsKubelet,
  KUBELET_COMMANDS,
  KUBELET_SIGNS,
  kubeletAt,
  kubeletBy,
  requireKubeletSign,
} from './reading/kubelet.ts'
import { processIds } from './reading/processes.ts'

/**
 * Stopped by a signal, or held by a debugger: it is there and does nothing, like one that is dead. A zombie has no command
 * line any more and is not found at all. One that waits for a disk (D) is slow or hung, which is another detector's business.
 */
const STOPPED_STATES = ['T', 't']

/** The process that was the kubelet at the last look, so that not every process has to be looked at each time. */
const lastFound = new WeakMap<Host, string>()

interface Kubelet {
  readonly id: string
  readonly isStopped: boolean
}

export const kubeletProcess = defineDetector({
  name: 'kubelet-process',
  summary: "Whether this node's kubelet runs.",
  every: '10s',
  timeout: '5s',
  needs: [],
  touches: { paths: ['/**'] },
  options: z.strictObject({
    commands: z
      .array(z.string().trim().min(1).max(500))
      .min(1)
      .max(16)
      .default(KUBELET_COMMANDS)
      .describe(
        "First words of the command lines that are the kubelet's, the program without its folder; {node} stands for the node's name. Programs in containers do not count.",
      ),
    signs: z
      .array(z.string().startsWith('/', 'must be an absolute path'))
      .min(1)
      .max(16)
      .default(KUBELET_SIGNS)
      .describe('Paths of which at least one exists on a host that is meant to run a kubelet; / for any host.'),
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
    await requireKubeletSign(host, signs)
    const isOne = kubeletBy(commands, host.node)
    const known = lastFound.get(host)
    const found = known === undefined ? undefined : await lookAt(host, known, isOne)
    if (found !== undefined && !found.isStopped) return { processes: 1, kubelets: [found] }
    const ids = await processIds(host)
    const kubelets: Kubelet[] = []
    for (const id of ids) {
      signal.throwIfAborted()
      const kubelet = await lookAt(host, id, isOne)
      if (kubelet === undefined) continue
      kubelets.push(kubelet)
      lastFound.set(host, id)
      if (!kubelet.isStopped) break
    }
    return { processes: ids.length, kubelets }
  },

  judge({ processes, kubelets }) {
    if (kubelets.some(({ isStopped }) => !isStopped)) return []
    const [stopped] = kubelets
    const summary =
      stopped === undefined
        ? `none of ${processes} processes is the kubelet`
        : `the kubelet, process ${stopped.id}, is stopped: it was sent SIGSTOP, or a debugger holds it`
    return [{ reason: 'KubeletDown', summary, evidence: [{ name: 'kubelets', value: 0, limit: 1, unit: 'processes' }] }]
  },
})

/** Undefined when that process is no kubelet of this host. */
async function lookAt(host: Host, id: string, isOne: IsKubelet): Promise<Kubelet | undefined> {
  const kubelet = await kubeletAt(host, id, isOne)
  return kubelet === undefined ? undefined : { id, isStopped: STOPPED_STATES.includes(kubelet.state) }
}
