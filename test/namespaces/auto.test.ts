/**
 * Faults that nobody is asked about, on real processes with kernel parameters of their own: policies in mode auto mend them,
 * and what did not help is put back and handed to a person.
 */
import { execFile, spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { StoredEvent } from '../../aggregator/model.ts'
import { readOrMakeToken } from '../../aggregator/token.ts'
import { aggregatorMachine, NamespaceMesh, nodeMachine } from '../../bench/namespaces/mesh.ts'
import { missingForNamespaces } from '../../bench/namespaces/namespace.ts'
import { Network } from '../../bench/namespaces/network.ts'
import { buildProgram } from '../../bench/program.ts'
import { lookUntil, until } from '../../bench/whole.ts'
import { type LocalNode, pluginsFolderOf } from '../../cli/local/layout.ts'
import { builtinDetectors } from '../../detectors/index.ts'
import type { Remediation } from '../../remediators/contract.ts'
import { needsVm, type Vm } from '../faults/vm.ts'
import { describeReal } from '../real-part.ts'
import { startTimeServer, type TimeServer } from './time-server.ts'
import { AGENT_LOG, startVirtualNode } from './virtual-node.ts'

const runFile = promisify(execFile)

/** An emulated machine is slow where others are at work. */
const TEST_WITHIN_MS = 600_000
/** Has a kernel of its own: the table of connections has one size for all namespaces. */
const VIRTUAL = 'node-4'
const GATEWAY = '10.77.0.250'
const RANGE = '/proc/sys/net/ipv4/ip_local_port_range'
/** Left to itself chronyd slews, by at most 100 ms in a second. */
const WRONG_BY_S = 60
const NF = 'net.netfilter.nf_conntrack'

const USED = ['kernel-params', 'conntrack', 'clock-skew']
/** The others would keep the emulated machine busy. */
const unused = builtinDetectors.map(({ name }) => name).filter((name) => !USED.includes(name))

/** What fails on one node must not keep another from being mended; that it does, by default, is the guards' to show. */
const SETTINGS = `
version: 1
mesh: namespaces
detectors:
  kernel-params: { every: 1s, options: { wanted: { net.ipv4.ip_local_port_range: 32768 60999 }, alike: [] } }
  conntrack: { every: 1s, options: { warnRatio: 0.7, alarmRatio: 0.85 } }
  clock-skew: { every: 1s }
${unused.map((name) => `  ${name}: { enabled: false }`).join('\n')}
policies:
  - name: parameters
    selector: { all: true }
    match: [{ reason: KernelParamDiffers }]
    mode: auto
    ladder: [{ remediator: sysctl }]
  - name: tables
    selector: { all: true }
    match: [{ reason: ConntrackFilling }, { reason: ConntrackAlmostFull }]
    mode: auto
    ladder: [{ remediator: sysctl }]
  - name: clocks
    selector: { all: true }
    match: [{ reason: ClockFarOff }, { reason: ClockUnusable }]
    mode: auto
    ladder: [{ remediator: clock-step }]
  - name: gateways
    selector: { all: true }
    match: [{ reason: GatewaySilent }]
    mode: auto
    ladder: [{ remediator: lower-mtu }]
guards:
  stopOnFailure: { nodes: 2 }
`

const PLUGINS: Readonly<Record<string, string>> = {
  gateway: `#!/bin/sh
ping -q -c 1 -W 1 ${GATEWAY} > /dev/null && echo ${GATEWAY} answers && exit 0
echo ${GATEWAY} does not answer
exit 1
`,
  'gateway.yaml': `
name: gateway
version: 1.0.0
summary: Whether the gateway answers.
dialect: npd
command: [PLUGINS/gateway]
every: 2s
timeout: 2s
user: agent
states: { problem: GatewaySilent }
reasons:
  GatewaySilent: { severity: warn, summary: The gateway does not answer., runbook: Look at its cables. }
`,
  mtu: `#!/bin/sh
ip -o link show eth0 | sed -n 's/.* mtu \\([0-9]*\\) .*/\\1/p'
`,
  // A guess at what may be wrong, and a wrong one.
  'lower-mtu.yaml': `
kind: remediator
name: lower-mtu
version: 1.0.0
summary: Sends smaller packets, for a path that loses large ones.
handles: [GatewaySilent]
reach: none
risk: low
reversible: true
state: { command: [PLUGINS/mtu], wanted: '1400' }
apply: [/sbin/ip, link, set, eth0, mtu, '1400']
revert: [/sbin/ip, link, set, eth0, mtu, '1500']
`,
}

describeReal('a mesh whose policies are automatic', missingForNamespaces() ?? needsVm(), () => {
  let network: Network
  let mesh: NamespaceMesh
  let booted: Promise<Vm>
  let timeServer: TimeServer

  beforeAll(async () => {
    const machines = [1, 2, 3, 4].map(nodeMachine)
    const aggregators = [aggregatorMachine(1)]
    network = new Network([...machines, ...aggregators])
    // Where a mesh that is founded there finds its own.
    writeFileSync(join(network.dir, 'settings.yaml'), SETTINGS)
    const plugins = pluginsFolderOf(network.dir)
    mkdirSync(plugins, { mode: 0o700 })
    for (const [name, text] of Object.entries(PLUGINS)) {
      writeFileSync(join(plugins, name), text.replaceAll('PLUGINS', plugins), { mode: 0o700 })
    }
    timeServer = startTimeServer(network, aggregatorMachine(1))
    const folder = join(network.dir, 'program')
    const program = buildProgram(folder)
    const boot = async (node: LocalNode) => {
      // With those of before it would be busy for long with what nobody asks it here.
      const settings = join(network.dir, 'node-1', 'settings')
      await lookUntil('settings', () => existsSync(settings), String)
      copyFileSync(settings, join(node.dir, 'settings'))
      return startVirtualNode(network, { node, program: folder, timeServer: timeServer.line })
    }
    const start = (node: LocalNode) => {
      booted = boot(node)
      // Told to whoever waits for it.
      booted.catch(() => {})
    }
    const elsewhere = new Map([[VIRTUAL, start]])
    mesh = await NamespaceMesh.on(network, machines, { aggregators, program, zones: ['zone-1'], elsewhere })
  }, TEST_WITHIN_MS)
  afterAll(async () => {
    const vm = await booted?.catch(() => undefined)
    mesh?.stop()
    await timeServer?.stop()
    network?.remove()
    await vm?.end()
  }, TEST_WITHIN_MS)

  const inside = (node: string, script: string) => network.run(node, 'sh', '-ec', script)
  const cli = async (...args: readonly string[]) => {
    const url = `http://127.0.0.1:${mesh.aggregators[0].gate.port}`
    const to = ['--url', url, '--token', readOrMakeToken(join(network.dir, 'token'))]
    return (await runFile(process.execPath, [join(network.dir, 'program/starling.mjs'), ...args, ...to])).stdout
  }
  const untilPhase = (node: string, remediator: string, phase: Remediation['phase']) =>
    until(mesh.client, `a fix of ${remediator} on ${node} is ${phase}`, async () => {
      const { remediations } = await mesh.client.state()
      return remediations.find(({ plan, phase: reached }) => {
        return plan.node === node && plan.remediator === remediator && reached === phase
      })
    })
  /** What led to what, as people are told; each step because of one before it. */
  const courseOf = async ({ plan, permitId }: Remediation) => {
    const said = await cli('remediations', 'show', plan.id, '-o', 'json')
    const [{ events }] = (JSON.parse(said) as { items: [{ events: readonly StoredEvent[] }] }).items
    // That the finding is gone is seen by the look that verifies, so it may come before the word that it is verified.
    const steps = events.filter(({ summary }) => !summary.startsWith('cleared'))
    for (const [index, { causedBy }] of steps.entries()) {
      expect(index === 0 ? [''] : steps.slice(0, index).map(({ id }) => id)).toContain(causedBy)
    }
    expect(steps.find(({ kind }) => kind === 'permit')?.data.permit).toMatchObject({ id: permitId, node: plan.node })
    // Where a machine is busy the leader may be told to wait, and is asked again.
    return steps
      .map(({ kind, data }) => (kind === 'remediation' ? data.phase : kind))
      .filter((step) => step !== 'permit-refused' && step !== 'refused')
  }
  const BEGUN = ['finding', 'plan', 'permit', 'permitted', 'applying', 'verifying']

  it(
    'sets a kernel parameter right',
    async () => {
      const before = await inside('node-1', `cat ${RANGE}`)
      await inside('node-1', `echo 50000 50009 > ${RANGE}`)
      const fixed = await untilPhase('node-1', 'sysctl', 'verified')
      expect(await inside('node-1', `cat ${RANGE}`)).toBe(before)
      expect(fixed).toMatchObject({
        policy: 'parameters',
        mode: 'auto',
        why: 'kernel-params looked again, and the fault is gone',
        plan: { changes: [{ what: 'net.ipv4.ip_local_port_range', before: '50000 50009', after: '32768 60999' }] },
      })
      expect(await courseOf(fixed)).toEqual([...BEGUN, 'verified'])
    },
    TEST_WITHIN_MS,
  )

  it(
    'puts back what did not help, and tells a person',
    async () => {
      const mtus = await watchMtu(network, 'node-2')
      const before = await inside('node-2', 'ip -o link show eth0')
      await network.drop(aggregatorMachine(1).name, ['--protocol', 'icmp', '--source', nodeMachine(2).address])
      const left = await untilPhase('node-2', 'lower-mtu', 'escalated')
      expect(left.why).toBe(
        'the fault is there, and no rung is left: tried once within a day (lower-mtu). A person is needed',
      )
      expect(await inside('node-2', 'ip -o link show eth0')).toBe(before)
      expect(mtus.end()).toEqual(['1500', '1400', '1500'])
      expect(await courseOf(left)).toEqual([...BEGUN, 'no-effect', 'reverted', 'escalated'])
      expect(await cli('remediations', 'list')).toMatch(
        new RegExp(`^${left.plan.id} +node-2 +escalated +lower-mtu .*: 1500 → 1400 `, 'm'),
      )
    },
    TEST_WITHIN_MS,
  )

  it(
    'lets a table of connections grow that runs full',
    async () => {
      const vm = await booted
      await until(mesh.client, `${VIRTUAL} is heard`, async () => (await mesh.member(VIRTUAL)).state === 'alive').catch(
        async (error) => {
          throw new Error(`${error}\n${await vm.sh(`tail -n 20 ${AGENT_LOG}`)}`)
        },
      )
      const sysctls = async (...names: readonly string[]) =>
        (await vm.sh(`sysctl -n ${names.map((name) => `${NF}_${name}`).join(' ')}`)).trim().split('\n').map(Number)
      // By itself a flow that nobody answers is forgotten after half a minute, and once the table is full to 95 %.
      await vm.sh(`sysctl -w ${NF}_udp_timeout=3600`)
      // A card that has no room loses some.
      const [count, buckets] = await until(mesh.client, 'a thousand flows', async () => {
        await network.run('node-3', process.execPath, '-e', FLOWS, nodeMachine(4).address)
        const [flows = 0, size = 0] = await sysctls('count', 'buckets')
        return flows >= 1_000 ? ([flows, size] as const) : undefined
      })
      // Some flows end before the detector looks: it must still be over 90 %, and below the 95 % at which the kernel forgets them.
      const max = Math.ceil(count / 0.94)
      await vm.sh(`sysctl -w ${NF}_max=${max}`)
      const fixed = await untilPhase(VIRTUAL, 'sysctl', 'verified')
      expect(await sysctls('max', 'buckets')).toEqual([max * 2, buckets * 2])
      expect(fixed).toMatchObject({ policy: 'tables', mode: 'auto', plan: { reason: 'ConntrackAlmostFull' } })
      expect(await courseOf(fixed)).toEqual([...BEGUN, 'verified'])
    },
    TEST_WITHIN_MS,
  )

  it(
    'sets a clock right that its daemon would take ten minutes for',
    async () => {
      const vm = await booted
      const offBy = async () => Math.abs(Number(await vm.sh('date +%s')) - Date.now() / 1_000)
      await vm.sh(`date -s @$(( $(date +%s) - ${WRONG_BY_S} ))`)
      expect(await offBy()).toBeGreaterThan(WRONG_BY_S / 2)
      const fixed = await untilPhase(VIRTUAL, 'clock-step', 'verified')
      expect(await offBy()).toBeLessThan(2)
      expect(fixed).toMatchObject({ policy: 'clocks', mode: 'auto' })
      expect(await courseOf(fixed)).toEqual([...BEGUN, 'verified'])
    },
    TEST_WITHIN_MS,
  )

  it('has a history that holds, with nothing that a person did', async () => {
    const aggregator = join(network.dir, aggregatorMachine(1).name)
    const trust = ['--mesh', 'namespaces', '--roster', join(aggregator, 'roster'), '--ca', join(network.dir, 'ca.pem')]
    expect(await cli('audit', 'verify', ...trust)).toMatch(/^holds: \d+ events from 1 on/)
    expect(await mesh.client.events({ kinds: ['decision'], limit: 10 })).toEqual([])
  })
})

/** To a thousand ports, so that each is a flow of its own. */
const FLOWS = `
const socket = require('node:dgram').createSocket('udp4')
let left = 1024
for (let port = 20000; port < 20000 + 1024; port++) socket.send('x', port, process.argv[1], () => --left || socket.close())
`

/** The sizes that the largest packet of `eth0` has from now on, in their order, until `end`. */
async function watchMtu(network: Network, node: string): Promise<{ end(): readonly string[] }> {
  const [program = '', ...args] = [...network.on(node), 'ip', '-o', 'monitor', 'link']
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += chunk
  })
  // It says nothing before something changes.
  const poke = () => network.run(node, 'ip', 'link', 'set', 'eth0', 'alias', 'watched')
  await lookUntil('a word of the monitor', async () => (await poke()) === '' && said.includes('eth0'), String)
  return {
    end() {
      child.kill()
      const all = [...said.matchAll(/ mtu (\d+) /g)].map(([, mtu]) => mtu ?? '')
      return all.filter((mtu, index) => mtu !== all[index - 1])
    },
  }
}
