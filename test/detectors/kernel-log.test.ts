import { describe, expect, it } from 'vitest'
import { NotApplicable } from '../../detectors/contract.ts'
import { kernelLog } from '../../detectors/kernel-log.ts'
import { fixtureHost, look } from './fixture-host.ts'

const hostSaying = (...lines: readonly (readonly [ageMs: number, text: string])[]) =>
  fixtureHost('empty', { logs: { kmsg: lines.map(([ageMs, text]) => ({ ageMs, text })) } })

const found = async (...lines: readonly (readonly [ageMs: number, text: string])[]) =>
  (await look(kernelLog, hostSaying(...lines))).map(({ reason, cause }) => `${reason} ${cause}`.trim())

describe('kernel-log', () => {
  it('finds what a kernel complained of, with the line', async () => {
    expect(await look(kernelLog, fixtureHost('kernel-log/bad'))).toEqual([
      {
        reason: 'TaskHung',
        cause: 'kworker',
        summary: '1 line within 10m, the last 1m ago: INFO: task kworker/u8:2:301 blocked for more than 120 seconds.',
        evidence: expect.any(Array),
      },
      expect.objectContaining({ reason: 'FilesystemCorrupt', cause: 'sda1' }),
      expect.objectContaining({
        reason: 'DiskErrors',
        cause: 'sdb',
        evidence: [
          { name: 'lines', value: 2, limit: 1, unit: 'lines' },
          { name: 'since the last', value: 20, unit: 's' },
        ],
      }),
    ])
  })

  // As kernels of Debian 10 to 12 and of RHEL 8 and 9 write them.
  it.each([
    ['BUG: unable to handle page fault for address: ffffffffc0a7d000', 'KernelOops'],
    ['BUG: unable to handle kernel NULL pointer dereference at 0000000000000008', 'KernelOops'],
    ['kernel BUG at mm/slub.c:3951!', 'KernelOops'],
    [
      'Oops: general protection fault, probably for non-canonical address 0xdead000000000122: 0000 [#1] SMP NOPTI',
      'KernelOops',
    ],
    ['watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [kworker/3:1:99]', 'CpuLockedUp 3'],
    ['NMI watchdog: Watchdog detected hard LOCKUP on cpu 5', 'CpuLockedUp 5'],
    ['rcu: INFO: rcu_sched self-detected stall on CPU', 'RcuStalled'],
    ['rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:', 'RcuStalled'],
    ['INFO: task kworker/u256:17+flush-259:0:4711 blocked for more than 241 seconds.', 'TaskHung kworker'],
    ['INFO: task mc:worker/3:12:913 blocked for more than 120 seconds.', 'TaskHung mc:worker'],
    ['INFO: task kworker/3:1H:99 blocked for more than 120 seconds.', 'TaskHung kworker'],
    ['INFO: task jbd2/dm-0-8:412 blocked for more than 120 seconds.', 'TaskHung jbd2/dm-0-8'],
    [
      'EXT4-fs error (device dm-0): ext4_find_entry:1455: inode #13: comm sh: reading directory lblock 0',
      'FilesystemCorrupt dm-0',
    ],
    [
      'XFS (sdb1): Corruption of in-memory data (0x8) detected at xfs_defer_finish. Shutting down filesystem.',
      'FilesystemCorrupt sdb1',
    ],
    ['XFS (sdb1): Metadata corruption detected at xfs_agf_read_verify', 'FilesystemCorrupt sdb1'],
    ['XFS (dm-3): Filesystem has been shut down due to log error (0x2).', 'FilesystemCorrupt dm-3'],
    ['BTRFS critical (device sdc1: state EA): corrupt leaf: root=5 block=1 slot=2', 'FilesystemCorrupt sdc1'],
    [
      'blk_update_request: I/O error, dev sda, sector 2048 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0',
      'DiskErrors sda',
    ],
    ['critical medium error, dev nvme0n1, sector 7 op 0x0:(READ)', 'DiskErrors nvme0n1'],
    ['Buffer I/O error on dev dm-1, logical block 0, async page read', 'DiskErrors dm-1'],
    ['mce: [Hardware Error]: Machine check events logged', 'HardwareErrors'],
    ['{1}[Hardware Error]: event severity: corrected', 'HardwareErrors'],
    ['EDAC MC0: 1 CE memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0', 'HardwareErrors 0'],
    ['{1}[Hardware Error]: event severity: fatal', 'HardwareErrorFatal'],
    ['EDAC MC1: 1 UE memory read error on DIMM_A1', 'HardwareErrorFatal 1'],
    ['nf_conntrack: nf_conntrack: table full, dropping packet', 'ConntrackTableFull'],
    ['neighbour: arp_cache: neighbor table overflow!', 'NeighbourTableFull arp_cache'],
  ])('%s: %s', async (line, expected) => {
    expect(await found([1_000, line])).toEqual([expected])
  })

  it('passes over drives without a disk, unless it is told otherwise', async () => {
    const line = 'blk_update_request: I/O error, dev fd0, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0'
    expect(await found([1_000, line], [900, line.replace('fd0', 'sr0')])).toEqual([])
    const told = await look(kernelLog, hostSaying([1_000, line]), { ignoreCauses: [] })
    expect(told.map(({ reason, cause }) => `${reason} ${cause}`)).toEqual(['DiskErrors fd0'])
  })

  it.each([
    'EXT4-fs (sda1): re-mounted. Quota mode: none.',
    'traps: app[7] general protection fault ip:1 sp:2 error:0 in app[3+4]',
    'XFS (sdb1): Mounting V5 Filesystem',
    'EDAC MC0: Giving out device to module skx_edac',
    'device eth0 left promiscuous mode',
  ])('says nothing of: %s', async (line) => {
    expect(await found([1_000, line])).toEqual([])
  })

  it('holds each for its time', async () => {
    const oops = 'kernel BUG at mm/slub.c:3951!'
    expect(await found([6 * 86_400_000, oops])).toEqual(['KernelOops'])
    expect(await found([8 * 86_400_000, oops])).toEqual([])
    const hung = 'INFO: task sync:77 blocked for more than 120 seconds.'
    expect(await found([599_000, hung])).toEqual(['TaskHung sync'])
    expect(await found([601_000, hung])).toEqual([])
  })

  it.each([
    ['EXT4-fs error (device sda1): x', 'EXT4-fs (sda1): unmounting filesystem 7c1e.'],
    ['EXT4-fs error (device sda1): x', 'EXT4-fs (sda1): mounted filesystem 7c1e r/w with ordered data mode.'],
    ['XFS (sda1): Metadata corruption detected at x', 'XFS (sda1): Unmounting Filesystem 7c1e'],
    [
      'BTRFS critical (device sda1: state EA): corrupt leaf',
      'BTRFS info (device sda1): last unmount of filesystem 7c1e',
    ],
  ])('takes a filesystem that was unmounted for one that is being repaired: %s', async (fault, end) => {
    expect(await found([2_000, fault], [1_000, end])).toEqual([])
    expect(await found([2_000, end], [1_000, fault])).toEqual(['FilesystemCorrupt sda1'])
    expect(await found([2_000, fault], [1_000, end.replace('sda1', 'sdb1')])).toEqual(['FilesystemCorrupt sda1'])
  })

  it('takes three lines of an interface that waits', async () => {
    const line = (ageMs: number) =>
      [ageMs, 'unregister_netdevice: waiting for veth1 to become free. Usage count = 1'] as const
    expect(await found(line(30_000), line(20_000))).toEqual([])
    expect(await found(line(30_000), line(20_000), line(10_000))).toEqual(['NetdeviceStuck veth1'])
  })

  it('passes over causes that it is told to, and refuses what is no list of them', async () => {
    const host = hostSaying([1_000, 'I/O error, dev sr0, sector 0'], [1_000, 'I/O error, dev sda, sector 0'])
    const judgements = await look(kernelLog, host, { ignoreCauses: ['sr0'] })
    expect(judgements.map(({ cause }) => cause)).toEqual(['sda'])
    for (const ignoreCauses of ['sr0', [''], [7]]) {
      expect(kernelLog.options.safeParse({ ignoreCauses }).success).toBe(false)
    }
  })

  it('does not know when lines were lost, and does not apply without a log', async () => {
    await expect(look(kernelLog, fixtureHost('kernel-log/unreadable'))).rejects.toThrow('than its ring holds')
    await expect(look(kernelLog, fixtureHost('empty'))).rejects.toThrow(NotApplicable)
  })
})
