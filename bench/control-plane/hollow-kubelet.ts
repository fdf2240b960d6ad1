/**
 * The real kubelet's code with a fake container runtime (kubemark), on a machine of its own with the usual ports, though
 * kubemark leaves out TLS on them. Its /tmp is private: the fake runtime's socket is in there, and a shared one would be
 * shared by all.
 */
import { mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Machine, Network } from '../namespaces/network.ts'
import type { ControlPlane } from './control-plane.ts'
import { Daemon } from './daemon.ts'
import { programFile } from './programs.ts'

/** Arguments: kubeconfig, where it is to be, address, name, program and its own. The name is in no DNS, and there is no network to ask one. */
const IN_PRIVATE = `
config=$(cat "$1")
mount -t tmpfs tmpfs /tmp
printf '%s' "$config" > "$2"
printf '127.0.0.1 localhost\\n%s %s\\n' "$3" "$4" > /tmp/hosts
mount --bind /tmp/hosts /etc/hosts
shift 4
exec "$@"`

/**
 * First words of the command lines of this stage's kubelets, with the node's name left open: it names the stage, so that those
 * of another one, or of one that was cut off, are not taken for them.
 */
export function hollowCommand(network: Network): string {
  return ['kubemark', ...firstWords('{node}', kubeconfigPath(network))].join(' ')
}

function firstWords(node: string, kubeconfig: string): readonly string[] {
  return ['--morph=kubelet', `--name=${node}`, `--kubeconfig=${kubeconfig}`]
}

/** In the private /tmp, under the name of the stage's own folder. */
function kubeconfigPath({ dir }: Network): string {
  return `/tmp/${basename(dir)}`
}

/** Makes its folder and its certificate; nothing is started yet. */
export async function hollowKubelet(plane: ControlPlane, machine: Machine, zone: string): Promise<Daemon> {
  const { name, address } = machine
  const kubeconfig = await plane.kubeconfigOf({ name: `system:node:${name}`, organisation: 'system:nodes' })
  const dir = join(plane.network.dir, name)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const { network } = plane
  const path = kubeconfigPath(network)
  const command = [
    ...[...network.on(name), 'unshare', '--mount', 'sh', '-euc', IN_PRIVATE, 'sh', kubeconfig, path, address, name],
    ...[programFile('kubemark'), ...firstWords(name, path)],
    `--node-labels=topology.kubernetes.io/zone=${zone}`,
  ]
  return new Daemon(`${name} kubelet`, command, join(dir, 'kubelet.log'))
}
