/**
 * The real kubelet's code with a fake container runtime (kubemark), on a machine of its own with the usual ports, though
 * kubemark leaves out TLS on them. Its /tmp is private: the fake runtime's socket is in there, and a shared one would be
 * shared by all.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Machine } from '../namespaces/network.ts'
import type { ControlPlane } from './control-plane.ts'
import { Daemon } from './daemon.ts'
import { programFile } from './programs.ts'

/** Arguments: kubeconfig, address, name, program and its own. The name is in no DNS, and there is no network to ask one. */
const IN_PRIVATE = `
config=$(cat "$1")
mount -t tmpfs tmpfs /tmp
printf '%s' "$config" > /tmp/kubeconfig
printf '127.0.0.1 localhost\\n%s %s\\n' "$2" "$3" > /tmp/hosts
mount --bind /tmp/hosts /etc/hosts
shift 3
exec "$@"`

/** Makes its folder and its certificate; nothing is started yet. */
export async function hollowKubelet(plane: ControlPlane, machine: Machine, zone: string): Promise<Daemon> {
  const { name, address } = machine
  const kubeconfig = await plane.kubeconfigOf({ name: `system:node:${name}`, organisation: 'system:nodes' })
  const dir = join(plane.network.dir, name)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const command = [
    ...[...plane.network.on(name), 'unshare', '--mount', 'sh', '-euc', IN_PRIVATE, 'sh', kubeconfig, address, name],
    ...[programFile('kubemark'), '--morph=kubelet', `--name=${name}`, '--kubeconfig=/tmp/kubeconfig'],
    `--node-labels=topology.kubernetes.io/zone=${zone}`,
  ]
  return new Daemon(`${name} kubelet`, command, join(dir, 'kubelet.log'))
}
