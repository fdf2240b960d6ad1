/**
 * Remediators on a real kernel: a fault is made, found by its detector, mended, not found any more, and put back. In namespaces
 * of their own where the kernel has the values there, in a virtual machine where it has them once for the whole machine.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createHost } from '../../detectors/host/host.ts'
import { readRemediatorManifest } from '../../plugins/remediator-manifest.ts'
import type { Plan } from '../../remediators/contract.ts'
import { createControl } from '../../remediators/control.ts'
import { makePlan } from '../../remediators/plan.ts'
import { describeReal, needsLinux, needsNetworkNamespace, needsProgram } from '../real-part.ts'
import { FAN_MANIFEST, FAN_STOPPED } from '../remediators/cases/program.ts'
import { found, type Inside, OWN_MOUNTS, OWN_NETWORK, startInside } from './inside.ts'
import { NETWORK_MODULES, needsVm, withVm } from './vm.ts'

const short = ({ changes }: Plan) => changes.map(({ what, before, after }) => `${what} ${before} > ${after}`)

describeReal('queues of an interface in a network of its own', needsNetworkNamespace(), () => {
  let inside: Inside
  beforeEach(async () => {
    inside = await startInside(OWN_NETWORK)
    await inside.run('mount', '-t', 'sysfs', 'sys', '/sys')
    await inside.run('ip', 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1')
  })
  afterEach(() => inside.end())

  it('are set as they are wanted, and put back', async () => {
    const wanted = { v1: { rps_cpus: '1', rps_flow_cnt: 1_024, tx_queue_len: 5_000 } }
    const values = () =>
      inside.run('sh', '-c', 'cd /sys/class/net/v1 && cat tx_queue_len queues/rx-0/rps_cpus queues/rx-0/rps_flow_cnt')
    const before = await values()
    expect(found(await inside.look('nic-cpu', { wanted }))).toEqual(['NicQueueDiffers v1'])
    const plan = await inside.plan('nic-tune', 'nic-cpu')
    expect(plan.changes.map(({ what }) => what)).toEqual([
      '/sys/class/net/v1/tx_queue_len',
      '/sys/class/net/v1/queues/rx-0/rps_cpus',
      '/sys/class/net/v1/queues/rx-0/rps_flow_cnt',
    ])
    await inside.apply(plan)
    expect(found(await inside.look('nic-cpu', { wanted }))).toEqual([])
    expect(await inside.run('ip', 'link', 'show', 'v1')).toContain('qlen 5000')
    await inside.revert(plan)
    expect(await values()).toBe(before)
    await inside.run('ip', 'link', 'set', 'v1', 'txqueuelen', '77')
    await expect(inside.apply(plan)).rejects.toThrow('tx_queue_len is 77, and the plan was made for 1000')
    // What a person would paste.
    await inside.run('sh', '-c', plan.changes[0]?.undo ?? 'false')
    expect(await values()).toBe(before)
  })
})

describeReal('the configuration of Docker in mounts of its own', needsNetworkNamespace(), () => {
  let inside: Inside
  beforeEach(async () => {
    inside = await startInside(OWN_MOUNTS)
    for (const folder of ['/etc', '/run']) await inside.run('mount', '-t', 'tmpfs', 'tmpfs', folder)
    await inside.run('mkdir', '/etc/docker')
  })
  afterEach(() => inside.end())

  it('is bounded where it bounds no logs, and put back byte for byte', async () => {
    const original = '{\\n    "live-restore": true\\n}\\n'
    await inside.run('sh', '-c', `printf '${original}' > /etc/docker/daemon.json`)
    // No dockerd is at hand: a process of that name, with the file of its number.
    await inside.run('cp', '/bin/sleep', '/run/dockerd')
    await inside.run('sh', '-c', '/run/dockerd 600 > /dev/null 2>&1 & printf $! > /run/docker.pid')
    const logs = async () => found(await inside.look('syslog-level')).filter((text) => text.startsWith('Docker'))
    expect(await logs()).toEqual(['DockerLogsUnbounded'])
    const plan = await inside.plan('log-rotate-config', 'syslog-level', { maxSize: '50m' })
    await inside.apply(plan)
    expect(await logs()).toEqual([])
    expect(await inside.run('cat', '/etc/docker/daemon.json')).toBe(
      '{\n    "live-restore": true,\n    "log-opts": {\n        "max-size": "50m",\n        "max-file": "3"\n    }\n}\n',
    )
    await inside.revert(plan)
    expect(await logs()).toEqual(['DockerLogsUnbounded'])
    expect(await inside.run('cat', '/etc/docker/daemon.json')).toBe('{\n    "live-restore": true\n}\n')
    expect(await inside.run('ls', '/etc/docker')).toBe('daemon.json\n')
  })
})

/** Keeps its state in a file beside it; told to hang, it starts another that outlives it, and waits. */
const FAN = `#!/bin/sh
state=$(dirname "$0")/state
case "$1" in
  state) cat "$state" ;;
  set) echo "$2" > "$state" ;;
  hang) sleep 600 & echo $! > "$state.child"; wait ;;
esac
`
const never = new AbortController().signal

describeReal('a program with a manifest', needsLinux() ?? needsProgram('prlimit') ?? needsProgram('setpriv'), () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'starling-fan-'))
    await writeFile(join(folder, 'fan'), FAN, { mode: 0o755 })
    await writeFile(join(folder, 'state'), 'stopped\n')
  })
  afterEach(() => rm(folder, { recursive: true }))

  const host = createHost({ node: 'node-7', peerOffsets: () => [] })
  const state = async () => (await readFile(join(folder, 'state'), 'utf8')).trim()
  async function planned(manifest: string) {
    const fan = readRemediatorManifest(manifest.replaceAll('/opt/fixes', folder), 'fan.yaml')
    const seen = await fan.inspect?.(host, FAN_STOPPED, {}, never)
    const plan = makePlan(fan, FAN_STOPPED, fan.plan(FAN_STOPPED, {}, seen) ?? [], FAN_STOPPED.observedAt)
    return { fan, plan, control: createControl({ host, root: '/', touches: fan.touches }) }
  }

  it('mends what its author says, and puts it back', async () => {
    const { fan, plan, control } = await planned(FAN_MANIFEST)
    await fan.apply(plan, control, never)
    expect(await state()).toBe('turning')
    await fan.revert(plan, control, never)
    expect(await state()).toBe('stopped')
    await writeFile(join(folder, 'state'), 'on fire\n')
    await expect(fan.apply(plan, control, never)).rejects.toThrow('says on fire, and the plan was made for stopped')
  })

  it('is killed with all that it started when it hangs', async () => {
    const { fan, plan, control } = await planned(FAN_MANIFEST.replace('fan, set, turning', 'fan, hang'))
    const abort = new AbortController()
    const applying = fan.apply(plan, control, abort.signal)
    const child = await vi.waitFor(
      async () => {
        const number = await readFile(join(folder, 'state.child'), 'utf8')
        expect(number).toMatch(/^\d+\n$/)
        return Number(number)
      },
      { timeout: 20_000 },
    )
    abort.abort(new Error('no end within 10s'))
    await expect(applying).rejects.toThrow('no end within 10s')
    await vi.waitFor(() => expect(() => process.kill(child, 0)).toThrow('ESRCH'), { timeout: 20_000 })
  })

  it('writes no more to a file than it may', async () => {
    const { fan, plan, control } = await planned(`${FAN_MANIFEST}caps: { writes: '4' }\n`)
    await expect(fan.apply(plan, control, never)).rejects.toThrow('fan set turning')
    expect((await state()).length).toBeLessThanOrEqual(4)
  })
})

const NF = 'net.netfilter.nf_conntrack'
/** A card that spreads packets by a hash, with nothing at its other end. */
const CARD = ['-netdev', 'hubport,id=hub,hubid=0', '-device', 'virtio-net-pci,netdev=hub,rss=on,hash=on']

describeReal('tables of a kernel, and a card', needsVm() ?? needsProgram('ethtool'), () => {
  it('are made larger when they run full, the card spreads by ports, and all is put back', async () => {
    await withVm(
      async (vm) => {
        // Loaded anew, to count connections without a rule that would ask for it.
        await vm.sh('rmmod nf_conntrack && insmod /lib/modules/nf_conntrack.ko enable_hooks=1')
        await vm.sh(`sysctl -w ${NF}_max=20`)
        await vm.sh('for i in $(seq 18); do ping -c 1 127.0.0.$i > /dev/null || exit 1; done')
        const buckets = (await vm.sh(`sysctl -n ${NF}_buckets`)).trim()
        expect(found(await vm.look('conntrack'))).toEqual(['ConntrackFilling'])
        const conntrack = await vm.plan('sysctl', 'conntrack')
        expect(short(conntrack)).toEqual([`${NF}_buckets ${buckets} > ${Number(buckets) * 2}`, `${NF}_max 20 > 40`])
        await vm.apply(conntrack)
        expect(found(await vm.look('conntrack'))).toEqual([])
        await vm.revert(conntrack)
        expect(await vm.sh(`sysctl -n ${NF}_buckets ${NF}_max`)).toBe(`${buckets}\n20\n`)

        const wanted = { eth0: { flow_hash: { udp4: 'sdfn' } } }
        await vm.run('/usr/sbin/ethtool', '-N', 'eth0', 'rx-flow-hash', 'udp4', 'sd')
        expect(found(await vm.look('nic-cpu', { wanted }))).toEqual(['NicQueueDiffers eth0'])
        const hash = await vm.plan('nic-tune', 'nic-cpu')
        expect(short(hash)).toEqual(['rx-flow-hash udp4 of eth0 sd > sdfn'])
        await vm.apply(hash)
        expect(found(await vm.look('nic-cpu', { wanted }))).toEqual([])
        await vm.revert(hash)
        expect(found(await vm.look('nic-cpu', { wanted }))).toEqual(['NicQueueDiffers eth0'])

        // Root may open more than there can be, so nothing fails for it.
        const open = Number((await vm.sh('cat /proc/sys/fs/file-nr')).split('\t')[0])
        const room = Math.ceil(open / 0.85)
        await vm.sh(`sysctl -w fs.file-max=${room}`)
        expect(found(await vm.look('file-handles', { warnRatio: 0.6 }))).toContain('FilesLow')
        const files = await vm.plan('sysctl', 'file-handles')
        expect(short(files)).toEqual([`fs.file-max ${room} > ${room * 2}`])
        await vm.apply(files)
        expect(found(await vm.look('file-handles', { warnRatio: 0.6 }))).not.toContain('FilesLow')
        await vm.revert(files)
        expect(await vm.sh('sysctl -n fs.file-max')).toBe(`${room}\n`)

        // Four times as many numbers as there are threads; a kernel takes no fewer than 301.
        const threads = Number((await vm.sh('cat /proc/loadavg')).split(/[ /]/)[4])
        const most = Math.max(301, threads * 4)
        const few = { warnRatio: 0.15 }
        await vm.sh(`sysctl -w kernel.pid_max=${most}`)
        expect(found(await vm.look('pid-max', few))).toEqual(['PidsLow'])
        const pids = await vm.plan('sysctl', 'pid-max', { persist: true })
        expect(short(pids)[0]).toBe(`kernel.pid_max ${most} > ${most * 2}`)
        await vm.sh('mkdir /etc/sysctl.d')
        await vm.apply(pids)
        expect(found(await vm.look('pid-max', few))).toEqual([])
        expect(await vm.sh('tail -n 1 /etc/sysctl.d/90-starling.conf')).toBe(`kernel.pid_max = ${most * 2}\n`)
        await vm.revert(pids)
        expect(await vm.sh('sysctl -n kernel.pid_max; ls /etc/sysctl.d')).toBe(`${most}\n`)
      },
      { modules: NETWORK_MODULES, programs: ['/usr/sbin/ethtool'], devices: CARD },
    )
  }, 90_000)
})
