/** The kubelet of a host: whether there is meant to be one, and which process it is. */
import { type Host, NotApplicable } from '../contract.ts'
import { commandLineOf, type ProcessStatus, processIds, processStatusOf } from './processes.ts'

/** Of kubeadm and the clouds; of k3s, agent and server; of MicroK8s. The last three are the kubelet and more in one program. */
export const KUBELET_COMMANDS = ['kubelet', 'k3s agent', 'k3s server', 'kubelite']
/**
 * A kubelet makes this folder when it first starts and leaves it behind, so one that died before the agent came is missed,
 * and a host that never had one is left alone. The folder alone, for an agent without rights cannot look into it.
 */
export const KUBELET_SIGNS = ['/var/lib/kubelet']

/** Throws NotApplicable when none of `signs` is on this host. */
export async function requireKubeletSign(host: Host, signs: readonly string[]): Promise<void> {
  for (const sign of signs) if (await host.exists(sign)) return
  throw new NotApplicable(`this host has no ${signs.join(' and no ')}: no kubelet was ever started here`)
}

export type IsKubelet = (words: readonly string[]) => boolean

/** Whether a command line is the kubelet's: its first words, the program without its folder; `{node}` stands for `node`. */
export function kubeletBy(commands: readonly string[], node: string): IsKubelet {
  const wanted = commands.map((command) => command.split(/\s+/).map((word) => word.replaceAll('{node}', node)))
  return ([program = '', ...rest]) => {
    const words = [program.slice(program.lastIndexOf('/') + 1), ...rest]
    return wanted.some((command) => command.every((word, index) => words[index] === word))
  }
}

export interface KubeletProcess extends ProcessStatus {
  readonly id: string
  readonly words: readonly string[]
}

/** Undefined when process `id` is no kubelet of this host. Programs in containers are none. */
export async function kubeletAt(host: Host, id: string, isKubelet: IsKubelet): Promise<KubeletProcess | undefined> {
  const words = await commandLineOf(host, id)
  if (!isKubelet(words)) return undefined
  const status = await processStatusOf(host, id)
  return status === undefined || status.isContained ? undefined : { id, words, ...status }
}

/** The first of them, or undefined. Throws as `processIds`. */
export async function findKubelet(
  host: Host,
  commands: readonly string[],
  signal: AbortSignal,
): Promise<KubeletProcess | undefined> {
  const isKubelet = kubeletBy(commands, host.node)
  for (const id of await processIds(host)) {
    signal.throwIfAborted()
    const found = await kubeletAt(host, id, isKubelet)
    if (found !== undefined) return found
  }
  return undefined
}
