/**
 * A clock that is set right by night: in a virtual machine an agent of its own finds it wrong against its peers and its time
 * server, is permitted by the leader, steps it and looks again. Nobody is asked.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { addNamespace, enter, namespaceCalled, removeNamespaces } from '../../bench/namespaces/namespace.ts'
import { machineFolder } from '../../scripts/setup/machine.mjs'
import { describeReal, needsNetworkNamespace, needsProgram } from '../real-part.ts'
import { AGGREGATOR_ADDRESS, BY_ITSELF, MESH, STAGED, StagedMesh, TEST_WITHIN_MS } from './staged-mesh.ts'
import { needsVm, type Vm, withVm } from './vm.ts'

const SETTINGS = `
version: 1
mesh: ${MESH}
detectors: { clock-skew: { every: 2s } }
policies:
  - name: clocks
    selector: { all: true }
    match: [{ reason: ClockUnusable }]
    mode: auto
    ladder: [{ remediator: clock-step }]
`
const AGENT = { mesh: { id: MESH }, node: { name: STAGED }, fixer: 'here' }
/** Says what the clock of this machine says, and never sets it (-x, and without the right to). */
const TIME_SERVER = ['local stratum 8', 'port 11123', 'allow', 'cmdport 0', 'bindcmdaddress /']
/** Left to itself chronyd slews, by at most 100 ms in a second. */
const CHRONY = `server ${AGGREGATOR_ADDRESS} port 11123 iburst\nport 0\ncmdport 0\n`
const WRONG_BY_S = 60
/** It says its clock on the console, and what the agent says there. */
const SCRIPT = `
ip address add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.2.2
date -s @$(($(date +%s) - ${WRONG_BY_S}))
mkdir -m 750 /run/chrony
chronyd -u root -f /etc/chrony.conf
/usr/bin/node --max-semi-space-size=2 --v8-pool-size=1 /usr/lib/starling/starling.mjs agent &
while sleep 1; do date '+clock %s'; done
`

/** A card whose other end is the network that the emulator runs on; what comes in there for the node's agent is handed in. */
const CARD = [
  '-netdev',
  'user,id=net,hostfwd=tcp:10.77.0.1:7790-:7790',
  '-device',
  'virtio-net-pci,netdev=net,romfile=',
]
/** More than one, since the agent's first looks are a lot of work for one that is emulated. */
const PROCESSORS = ['-smp', '2']
/** In the order in which they need each other. */
const MODULES = [
  'drivers/virtio/virtio_ring',
  'drivers/virtio/virtio',
  'drivers/virtio/virtio_pci_legacy_dev',
  'drivers/virtio/virtio_pci_modern_dev',
  'drivers/virtio/virtio_pci',
  'net/core/failover',
  'drivers/net/net_failover',
  'drivers/net/virtio_net',
].map((name) => `kernel/${name}.ko`)

const missing = needsVm() ?? needsNetworkNamespace() ?? needsProgram('setpriv')

describeReal('a machine whose policy is automatic', missing, () => {
  const namespace = namespaceCalled('clock')
  const network = enter(namespace)
  let mesh: StagedMesh
  let server: ChildProcess
  beforeEach(async () => {
    addNamespace(namespace)
    mesh = await StagedMesh.found({ nodes: 4, settings: SETTINGS })
    await mesh.start(network)
    server = startTimeServer(network, mesh.dir)
  }, TEST_WITHIN_MS)
  afterEach(async () => {
    const ended = once(server, 'exit')
    server.kill()
    await ended
    await mesh.stop()
    removeNamespaces([namespace])
  })

  it(
    'has its clock set right, and nobody is asked',
    () =>
      withVm(
        async (vm) => {
          const fixed = await mesh.untilFixed('ClockUnusable').catch((error: unknown) => {
            throw new Error(`${error}\n${vm.console()}`, { cause: error })
          })
          expect(await mesh.stepsOf(fixed.plan)).toEqual(BY_ITSELF)
          await mesh.until('the clock of the machine is right', async () => offBy(vm) <= 2)
        },
        {
          script: SCRIPT,
          within: network,
          devices: [...PROCESSORS, ...CARD],
          modules: MODULES,
          programs: ['/usr/sbin/chronyd', '/usr/bin/chronyc'],
          copies: { ...mesh.identity, ...programFiles(mesh.program) },
          files: { '/etc/chrony.conf': CHRONY, '/etc/starling/agent.yaml': stringify(AGENT) },
        },
      ),
    TEST_WITHIN_MS,
  )
})

function startTimeServer(network: readonly string[], dir: string): ChildProcess {
  const file = join(dir, 'time-server.conf')
  writeFileSync(file, `${[...TIME_SERVER, `pidfile ${join(dir, 'time-server.pid')}`].join('\n')}\n`)
  const words = ['setpriv', '--bounding-set', '-sys_time', join(machineFolder(), 'usr/sbin/chronyd')]
  const [program = '', ...args] = [...network, ...words, '-d', '-x', '-u', 'root', '-f', file]
  return spawn(program, args, { stdio: 'inherit' })
}

function programFiles(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder).filter((name) => name.endsWith('.mjs'))
  return Object.fromEntries(names.map((name) => [`/usr/lib/starling/${name}`, join(folder, name)]))
}

/** Seconds that the clock of the machine differs from this one's, by what it last said of it. */
function offBy(vm: Vm): number {
  const said = [...vm.console().matchAll(/^clock (\d+)/gm)].at(-1)?.[1]
  return Math.abs(Number(said) - Date.now() / 1_000)
}
