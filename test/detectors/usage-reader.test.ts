/** One minute's figures of a recorded host, of both versions of cgroups, and of this machine. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createHost } from '../../detectors/host/host.ts'
import { fixtureHost } from '../../detectors/testing/fixture-host.ts'
import { startUsageMeter } from '../../detectors/usage/meter.ts'
import { UsageReader } from '../../detectors/usage/reader.ts'
import { describeReal, needsLinux } from '../real-part.ts'

const MEBI = 1_048_576
const POD = 'kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod3c9b2f6a_5d0e_4b7a_9f1e_0a4c6d2e8b11.slice'
const [APP, SANDBOX] = ['a'.repeat(64), 'b'.repeat(64)]
const signal = new AbortController().signal

const dev = (rows: Readonly<Record<string, readonly [number, number]>>) =>
  `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
${Object.entries(rows)
  .map(([name, [received, sent]]) => `${name.padStart(6)}: ${received} 1 0 0 0 0 0 0 ${sent} 1 0 0 0 0 0 0`)
  .join('\n')}\n`

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'starling-usage-'))
})
afterEach(() => rmSync(root, { recursive: true }))

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

/** The host when `times` minutes of even use are over. */
function minutesIn(times: number): void {
  const disk = (name: string) => `   8       0 ${name} 9 9 ${times * 120_000} 9 9 9 ${times * 240_000} 9 0 9 9\n`
  write({
    'proc/stat': `cpu  ${times * 3_000} 0 ${times * 3_000} 99 7 0 0 0 0 0\nbtime 1\n`,
    'proc/meminfo': 'MemTotal:        2048000 kB\nMemFree:          100 kB\nMemAvailable:    1024000 kB\n',
    'proc/diskstats': disk('sda') + disk('sda1') + disk('dm-0') + disk('loop0'),
    'sys/block/sda/size': '1\n',
    'sys/block/dm-0/size': '1\n',
    'sys/block/loop0/size': '1\n',
    'proc/1/net/dev': dev({ lo: [1, 1], eth0: [times * 60_000, times * 120_000], veth1: [times * 9e9, times * 9e9] }),
    'proc/77/net/dev': dev({ lo: [1, 1], eth0: [times * 6_000, times * 12_000] }),
    [`var/log/containers/api-7f_shop_app-${APP}.log`]: '',
    'sys/fs/cgroup/cgroup.controllers': 'cpu io memory\n',
  })
  const group = (path: string, pids: string, cpuSeconds: number) =>
    write({
      [`sys/fs/cgroup/${path}/memory.current`]: String(100 * MEBI),
      [`sys/fs/cgroup/${path}/memory.stat`]: `anon 1\ninactive_file ${40 * MEBI}\n`,
      [`sys/fs/cgroup/${path}/cpu.stat`]: `usage_usec ${times * cpuSeconds * 1e6}\n`,
      [`sys/fs/cgroup/${path}/io.stat`]: `8:0 rbytes=${times * 600} wbytes=${times * 1200} rios=1\n8:16 rbytes=0 wbytes=0 rios=0\n`,
      [`sys/fs/cgroup/${path}/cgroup.procs`]: pids,
      [`sys/fs/cgroup/${path}/cgroup.events`]: 'populated 1\n',
    })
  group(`${POD}/cri-containerd-${APP}.scope`, '77\n78\n', 30)
  group(`${POD}/cri-containerd-${SANDBOX}.scope`, '76\n', 0)
  group('system.slice/ssh.service', '', 3)
}

/** Rounded, by subject. */
async function readAt(reader: UsageReader, seconds: number) {
  const { figures, failed } = await reader.read(() => seconds * 1_000, signal)
  const rounded = [...figures].map(([name, values]) => [
    name,
    Object.fromEntries(Object.entries(values).map(([figure, value]) => [figure, Math.round(value)])),
  ])
  return { failed, figures: Object.fromEntries(rounded) }
}

describe('a reading of a minute', () => {
  it('is what the node, its services and its containers used', async () => {
    const reader = new UsageReader(fixtureHost(root))
    minutesIn(1)
    expect((await readAt(reader, 0)).figures.node).toEqual({ memory: 1_048_576_000 })
    minutesIn(2)
    const container = { cpu: 500, memory: 60 * MEBI, read: 10, written: 20, received: 100, sent: 200 }
    expect(await readAt(reader, 60)).toEqual({
      failed: undefined,
      figures: {
        node: { cpu: 1_000, memory: 1_048_576_000, read: 1_024_000, written: 2_048_000, received: 1_000, sent: 2_000 },
        'container/shop/api-7f/app': container,
        'service/ssh': { cpu: 50, memory: 60 * MEBI, read: 10, written: 20 },
      },
    })
  })

  it('has no rate of a counter that went back, and none of a network that is the node’s', async () => {
    const reader = new UsageReader(fixtureHost(root))
    minutesIn(5)
    await readAt(reader, 0)
    minutesIn(1)
    write({ 'proc/77/net/dev': dev({ lo: [1, 1], eth0: [1, 1], veth1: [1, 1] }) })
    const { figures } = await readAt(reader, 60)
    expect(figures['container/shop/api-7f/app']).toEqual({ memory: 60 * MEBI })
  })

  it('has the limit of a container, its own or its pod’s, and none where there is none', async () => {
    const limitWith = async (files: Readonly<Record<string, string>>) => {
      minutesIn(1)
      const groups = Object.entries(files).map(([group, text]) => [`sys/fs/cgroup/${POD}${group}/memory.max`, text])
      write(Object.fromEntries(groups))
      const { figures } = await readAt(new UsageReader(fixtureHost(root)), 0)
      return figures['container/shop/api-7f/app']?.limit
    }
    const own = `/cri-containerd-${APP}.scope`
    expect(await limitWith({})).toBeUndefined()
    expect(await limitWith({ [own]: 'max\n' })).toBeUndefined()
    expect(await limitWith({ [own]: 'max\n', '': '2097152\n' })).toBe(2 * MEBI)
    expect(await limitWith({ [own]: '1048576\n' })).toBe(MEBI)
  })

  it('shows a container by its id where the kubelet keeps no logs, and what is broken as a word', async () => {
    minutesIn(1)
    rmSync(join(root, 'var'), { recursive: true })
    write({ 'sys/fs/cgroup/system.slice/ssh.service/memory.current': 'much' })
    const { figures, failed } = await readAt(new UsageReader(fixtureHost(root)), 0)
    expect(Object.keys(figures)).toEqual([
      'node',
      `container/3c9b2f6a/${'a'.repeat(12)}`,
      `container/3c9b2f6a/${'b'.repeat(12)}`,
    ])
    expect(failed).toContain('service/ssh: ')
  })

  it('is of the node alone where there are no control groups, and of nothing where nothing can be read', async () => {
    minutesIn(1)
    rmSync(join(root, 'sys/fs'), { recursive: true })
    expect(Object.keys((await readAt(new UsageReader(fixtureHost(root)), 0)).figures)).toEqual(['node'])
    rmSync(join(root, 'proc'), { recursive: true })
    expect((await readAt(new UsageReader(fixtureHost(root)), 0)).figures).toEqual({})
  })
})

describeReal('the use of this machine', needsLinux(), () => {
  it('is kept, from the first minute on', async () => {
    const stop = new AbortController()
    const ring = startUsageMeter({ host: createHost({ node: 'node-7', peerOffsets: () => [] }), signal: stop.signal })
    await vi.waitFor(() => expect(ring.names).toContain('node'), { timeout: 30_000 })
    const [memory = 0] = ring.series('node', 'memory', 1).values
    expect(memory).toBeGreaterThan(10 * MEBI)
    stop.abort()
  })
})
