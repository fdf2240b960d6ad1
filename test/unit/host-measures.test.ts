/** The measures of recorded hosts, whole and with parts missing or broken; and of this machine. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHost } from '../../detectors/host/host.ts'
import { fixtureHost } from '../../detectors/testing/fixture-host.ts'
import { HostMeasures } from '../../node-agent/measures/host-measures.ts'
import { describeReal, needsLinux } from '../real-part.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'starling-measures-'))
})
afterEach(() => rmSync(root, { recursive: true }))

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

const pressure = (avg60: string) =>
  `some avg10=0.00 avg60=${avg60} avg300=0.00 total=1\nfull avg10=0.00 avg60=9.00 avg300=0.00 total=1\n`

/** Of a host with two processors when `times` times 15 s have passed, each with 7.5 s of work. */
function record(times: number): void {
  write({
    'proc/stat': `cpu  ${times * 750} 0 0 99 7 0 0 0 0 0\ncpu0 1 1 1\ncpu1 1 1 1\nbtime 1\n`,
    'proc/meminfo': 'MemTotal: 2000 kB\nMemAvailable: 500 kB\nSwapTotal: 1000 kB\nSwapFree: 900 kB\n',
    'proc/loadavg': '3.00 1.00 1.00 1/100 4242\n',
    'proc/pressure/cpu': pressure('1.50'),
    'proc/pressure/memory': pressure('2.50'),
    'proc/pressure/io': pressure('3.50'),
    'proc/1/mounts': '/dev/sda1 / ext4 rw 0 0\n/dev/sdb1 /data xfs rw 0 0\n/dev/sdc1 /boot vfat ro 0 0\n',
    'proc/1/net/dev': `Inter-|\n face |\n eth0: ${times * 15_000} 1 0 0 0 0 0 0 ${times * 30_000} 1 0 0 0 0 0 0\n veth1: ${times * 9e9} 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n`,
    'sys/class/net/eth0/device/vendor': '0x8086\n',
    'sys/class/net/veth1/mtu': '1500\n',
    'proc/sys/net/netfilter/nf_conntrack_count': '64\n',
    'proc/sys/net/netfilter/nf_conntrack_max': '256\n',
  })
}

const disk = (bytesUsed: number, inodesFree: number) => {
  return { bytes: 110, bytesUsed, bytesAvailable: 100 - bytesUsed, inodes: 1_000, inodesFree }
}
const DISKS = { filesystems: { '/': disk(40, 100), '/data': disk(70, 900), '/boot': disk(100, 0) } }

const GAUGES = {
  memory: 75,
  swap: 10,
  load: 1.5,
  'pressure-cpu': 1.5,
  'pressure-memory': 2.5,
  'pressure-io': 3.5,
  disk: 70,
  inodes: 90,
  conntrack: 25,
}

describe('the measures of a host', () => {
  it('are all twelve, from the second reading on', async () => {
    const reader = new HostMeasures(fixtureHost(root, DISKS))
    record(1)
    expect(await reader.read(() => 0)).toEqual(GAUGES)
    record(2)
    expect(await reader.read(() => 15_000)).toEqual({ cpu: 25, 'network-in': 1_000, 'network-out': 2_000, ...GAUGES })
    expect(reader.size).toEqual({ processors: 2, memoryBytes: 2_000 * 1024 })
  })

  it('are nothing where nothing can be read, and never nought', async () => {
    expect(await new HostMeasures(fixtureHost(root)).read(() => 0)).toEqual({})
  })

  it('leave out what a host does not have: swap, pressure, connection tracking, a network card, local disks', async () => {
    record(1)
    write({
      'proc/meminfo': 'MemTotal: 2000 kB\nMemAvailable: 500 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n',
      'proc/1/mounts': 'server:/export /srv nfs4 rw 0 0\n',
      'proc/sys/net/netfilter/nf_conntrack_max': '0\n',
    })
    for (const gone of ['proc/pressure', 'sys/class/net/eth0/device']) rmSync(join(root, gone), { recursive: true })
    const reader = new HostMeasures(fixtureHost(root, DISKS))
    await reader.read(() => 0)
    expect(await reader.read(() => 15_000)).toEqual({ cpu: 0, memory: 75, load: 1.5 })
  })

  it('have no rate of counters that went back, and none over no time', async () => {
    const reader = new HostMeasures(fixtureHost(root, DISKS))
    record(9)
    await reader.read(() => 0)
    record(1)
    expect(await reader.read(() => 15_000)).toEqual(GAUGES)
    record(2)
    expect(await reader.read(() => 15_000)).toEqual(GAUGES)
  })

  it('leave out what is broken, and no more than that', async () => {
    record(1)
    write({
      'proc/stat': 'cpu  x y z\n',
      'proc/meminfo': 'MemTotal: 10 kB\nMemAvailable: 99999999 kB\n',
      'proc/loadavg': '\u0000\u0000',
      'proc/pressure/io': 'some avg60=',
      'proc/sys/net/netfilter/nf_conntrack_count': '1e308\n',
    })
    const { disk, inodes, 'pressure-cpu': cpu, 'pressure-memory': memory } = GAUGES
    expect(await new HostMeasures(fixtureHost(root, DISKS)).read(() => 0)).toEqual({
      disk,
      inodes,
      'pressure-cpu': cpu,
      'pressure-memory': memory,
    })
  })

  it('do not wait for a disk that hangs, nor ask it again meanwhile', async () => {
    record(1)
    let asked = 0
    const hung = {
      ...fixtureHost(root),
      filesystem: () => {
        asked += 1
        return new Promise<never>(() => {})
      },
    }
    const reader = new HostMeasures(hung, 10)
    const { disk, inodes, ...others } = GAUGES
    expect(await reader.read(() => 0)).toEqual(others)
    await reader.read(() => 60_000)
    expect(asked).toBe(1)
  })
})

describeReal('the measures of this machine', needsLinux(), () => {
  it('are those of its kernel', async () => {
    const reader = new HostMeasures(createHost({ node: 'node-7', peerOffsets: () => [] }))
    const { memory = Number.NaN, load = Number.NaN } = await reader.read(() => performance.now())
    const kibi = (name: string) =>
      Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(readFileSync('/proc/meminfo', 'utf8'))?.[1])
    expect(Math.abs(memory - 100 * (1 - kibi('MemAvailable') / kibi('MemTotal')))).toBeLessThan(5)
    expect(load).toBeGreaterThanOrEqual(0)
  })
})
