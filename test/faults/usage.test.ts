/** A container of a real kernel that grows and is busy: what the ring says of it, and what stands beside an alarm. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createHost } from '../../detectors/host/host.ts'
import { worstBy } from '../../detectors/usage/answer.ts'
import { UsageReader } from '../../detectors/usage/reader.ts'
import { UsageRing } from '../../detectors/usage/ring.ts'
import { describeReal, needsNetworkNamespace } from '../real-part.ts'
import { ControlGroups, needsControlGroups } from './control-groups.ts'

const MEBI = 1024 * 1024
const ID = 'c'.repeat(64)
/** Holds 48 MiB, uses a processor, and sends what nobody takes. */
const BUSY = `
ip link add out type veth peer name in && ip link set in up && ip link set out up && ip address add 10.9.9.1/24 dev out
ip neigh replace 10.9.9.2 lladdr 02:00:00:00:00:02 dev out nud permanent
head -c 48M /dev/zero > /dev/shm/held
(while :; do :; done) &
while :; do echo 12345678 > /dev/udp/10.9.9.2/9; done 2>/dev/null`

describeReal('a busy container', needsControlGroups() ?? needsNetworkNamespace(), () => {
  let root: string
  let groups: ControlGroups
  let child: ChildProcess | undefined
  beforeEach(() => {
    groups = new ControlGroups('starling-usage')
    groups.make(`${groups.top}/docker/${ID}`)
    root = mkdtempSync(join(tmpdir(), 'starling-usage-'))
    // The machine itself, but that the root of its control groups is the test's own.
    for (const name of ['proc', 'sys/block']) link(name, `/${name}`)
    const cgroups = '/sys/fs/cgroup'
    if (existsSync(`${cgroups}/cgroup.controllers`)) link('sys/fs/cgroup', cgroups + groups.top)
    else
      for (const name of ['memory', 'cpuacct', 'blkio'])
        link(`sys/fs/cgroup/${name}`, `${cgroups}/${name}${groups.top}`)
  })
  afterEach(async () => {
    child?.kill('SIGKILL')
    rmSync(root, { recursive: true })
    await groups.remove()
  })

  const link = (name: string, target: string) => {
    mkdirSync(join(root, name, '..'), { recursive: true })
    symlinkSync(target, join(root, name))
  }

  it('is found by what it uses, the worst of all', async () => {
    const enter = groups.within(`${groups.top}/docker/${ID}`)
    const apart = ['--net', '--pid', '--mount', '--fork', '--kill-child', '--mount-proc']
    child = spawn('sh', [
      '-c',
      `${enter}; exec unshare ${apart.join(' ')} bash -c 'mount -t tmpfs shm /dev/shm; ${BUSY}'`,
    ])
    const reader = new UsageReader(createHost({ node: 'node-7', root, peerOffsets: () => [] }))
    const ring = new UsageRing()
    const signal = new AbortController().signal
    let minute = 0
    const name = `container/${ID.slice(0, 12)}`
    await vi.waitFor(
      async () => {
        const { figures, failed } = await reader.read(() => performance.now(), signal)
        minute += 1
        ring.keep(minute, figures)
        expect(failed).toBeUndefined()
        const used = figures.get(name)
        expect(used?.memory).toBeGreaterThan(40 * MEBI)
        expect(used?.cpu).toBeGreaterThan(50)
        expect(used?.sent).toBeGreaterThan(100)
      },
      { timeout: 20_000, interval: 500 },
    )
    expect(worstBy(ring, 'memory', 15, 1)).toEqual([name])
    expect(worstBy(ring, 'cpu', 15, 1)).toEqual([name])
    expect(ring.series('node', 'cpu', 1).values[0]).toBeGreaterThan(50)
  })
})
