/**
 * A node of a mesh in network namespaces with a kernel of its own: a virtual machine on the cable of its namespace. For what
 * a kernel has once for all its namespaces, such as the size of the table of connections.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Network } from '../../bench/namespaces/network.ts'
import { configFileOf } from '../../cli/local/found.ts'
import { type LocalNode, pluginsFolderOf } from '../../cli/local/layout.ts'
import { AGENT_NODE_FLAGS } from '../../cli/local/mesh.ts'
import { NETWORK_MODULES, startVm, type Vm } from '../faults/vm.ts'

const PROGRAM = '/opt/starling'
export const AGENT_LOG = '/var/log/agent.log'

const DEVICES = [
  '-netdev',
  'tap,id=cable,ifname=tap0,script=no,downscript=no',
  '-device',
  'virtio-net-pci,netdev=cable',
]
export interface VirtualNode {
  /** It has been founded and not been started. */
  readonly node: LocalNode
  /** The folder of the built program that it runs. */
  readonly program: string
  /** Of its chrony.conf. */
  readonly timeServer: string
}

export async function startVirtualNode(network: Network, { node, program, timeServer }: VirtualNode): Promise<Vm> {
  const cable = [
    'ip address flush dev eth0',
    'ip link add br0 type bridge',
    'ip tuntap add tap0 mode tap',
    ...['eth0', 'tap0'].map((port) => `ip link set ${port} master br0 up`),
    'ip link set br0 up',
  ]
  await network.run(node.name, 'sh', '-ec', cable.join('\n'))
  const ca = join(dirname(node.dir), 'ca.pem')
  const agent = ['node', ...AGENT_NODE_FLAGS, join(PROGRAM, 'starling.mjs'), 'agent', '--config', configFileOf(node)]
  const boot = [
    // Loaded anew, to count connections without a rule that would ask for it.
    'rmmod nf_conntrack && insmod /lib/modules/nf_conntrack.ko enable_hooks=1',
    `ip address add ${node.host}/24 dev eth0 && ip link set eth0 up`,
    'mkdir -m 750 /run/chrony && chronyd -u root -f /etc/chrony.conf',
    // It says no more than that a kubelet listens.
    `httpd -p ${node.host}:${node.kubeletPort}`,
    // Without the plugins of the others, which it has no programs for.
    `mkdir ${pluginsFolderOf(dirname(node.dir))}`,
    `${agent.join(' ')} > ${AGENT_LOG} 2>&1 < /dev/null &`,
  ]
  return await startVm({
    within: network.on(node.name),
    devices: DEVICES,
    modules: NETWORK_MODULES,
    folders: { [PROGRAM]: program, [node.dir]: node.dir },
    programs: ['/usr/sbin/chronyd', '/usr/bin/chronyc'],
    files: { [ca]: readFileSync(ca, 'utf8'), '/etc/chrony.conf': `${timeServer}\nport 0\ncmdport 0\n` },
    boot: boot.join('\n'),
  })
}
