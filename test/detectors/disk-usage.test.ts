import { describe, expect, it } from 'vitest'
import { NotApplicable } from '../../detectors/contract.ts'
import { diskUsage } from '../../detectors/disk-usage.ts'
import { distinctMounts, parseMounts } from '../../detectors/reading/mounts.ts'
import { filesystem, fixtureHost, look, summaries } from './fixture-host.ts'

const DISKS = ['/', '/boot/efi', '/var/lib/containerd', '/data/old logs']
const allAt = (used: number) => Object.fromEntries(DISKS.map((point) => [point, filesystem(used)]))
const sampled = async (options: unknown = {}) => {
  const parsed = diskUsage.options.parse(options)
  const host = { ...fixtureHost('disk-usage/ok'), filesystem: async () => filesystem(50) }
  return (await diskUsage.sample(host, parsed, new AbortController().signal)).map(({ mountPoint }) => mountPoint)
}

describe('disk-usage', () => {
  it('says nothing of filesystems with room', async () => {
    expect(await look(diskUsage, fixtureHost('disk-usage/ok', { filesystems: allAt(50) }))).toEqual([])
  })

  it('looks at each local disk once, and at nothing else that is mounted', async () => {
    expect(await sampled()).toEqual(DISKS)
  })

  it('includes and ignores mount points', async () => {
    expect(await sampled({ ignore: ['/', '/data/*'] })).toEqual(['/boot/efi', '/var/lib/containerd'])
    expect(await sampled({ include: ['/var/lib/containerd', '/run'] })).toEqual(['/var/lib/containerd'])
  })

  it('reports bytes and inodes per mount point', async () => {
    const filesystems = {
      '/': filesystem(91),
      '/var/lib/containerd': filesystem(50, 92),
      '/data/old logs': filesystem(86),
    }
    const judgements = await look(diskUsage, fixtureHost('disk-usage/bad', { filesystems }))
    expect(judgements.map(({ reason, cause }) => `${reason} ${cause}`)).toEqual([
      'DiskSpaceLow /',
      'DiskAlmostFull /',
      'InodesLow /var/lib/containerd',
      'DiskSpaceLow /data/old logs',
    ])
    expect(summaries(judgements)).toContain('/ is 91 % full, 9216 MiB are left')
    expect(summaries(judgements)).toContain('/var/lib/containerd has used 92 % of its inodes, 80000 are left')
  })

  it.each([
    [84.9, 89.9, []],
    [85, 10, ['DiskSpaceLow']],
    [89.9, 10, ['DiskSpaceLow']],
    [90, 10, ['DiskSpaceLow', 'DiskAlmostFull']],
    [10, 90, ['InodesLow']],
    [10, 95, ['InodesLow', 'InodesAlmostGone']],
  ])('judges %d %% of bytes and %d %% of inodes as %j', (bytes, inodes, expected) => {
    const uses = [{ mountPoint: '/', use: filesystem(bytes, inodes) }]
    expect(diskUsage.judge(uses, diskUsage.options.parse({}), []).map(({ reason }) => reason)).toEqual(expected)
  })

  it('does not judge what a filesystem does not count', () => {
    const use = { bytes: 0, bytesUsed: 0, bytesAvailable: 0, inodes: 0, inodesFree: 0 }
    expect(diskUsage.judge([{ mountPoint: '/', use }], diskUsage.options.parse({}), [])).toEqual([])
  })

  it('uses the ratios of its options, and refuses them the wrong way round', async () => {
    const host = fixtureHost('disk-usage/ok', { filesystems: { '/': filesystem(50) } })
    const bytes = { warnRatio: 0.4, alarmRatio: 0.6 }
    expect(summaries(await look(diskUsage, host, { bytes }))).toEqual(['/ is 50 % full, 51200 MiB are left'])
    expect(diskUsage.options.safeParse({ bytes: { warnRatio: 0.95 } }).success).toBe(false)
    expect(diskUsage.options.safeParse({ include: ['var'] }).success).toBe(false)
  })

  it('falls back to its own mounts where those of process 1 are hidden', async () => {
    const host = fixtureHost('disk-usage/hidepid', { filesystems: { '/': filesystem(95) } })
    expect(summaries(await look(diskUsage, host))).toHaveLength(2)
  })

  it('does not apply without a mount table, or when nothing in it is mounted here', async () => {
    await expect(look(diskUsage, fixtureHost('empty'))).rejects.toThrow(NotApplicable)
    await expect(look(diskUsage, fixtureHost('disk-usage/ok', { filesystems: {} }))).rejects.toThrow(NotApplicable)
  })

  it('passes on what a filesystem fails with', async () => {
    const host = {
      ...fixtureHost('disk-usage/ok'),
      filesystem: () => Promise.reject(new Error('/ cannot be read: EIO')),
    }
    await expect(look(diskUsage, host)).rejects.toThrow('EIO')
  })
})

describe('mount table', () => {
  it('undoes octal escapes once', () => {
    expect(parseMounts('/dev/sda1 /a\\040b\\011c\\134040 ext4 rw 0 0')[0]?.mountPoint).toBe('/a b\tc\\040')
  })

  it('passes over lines that are none of its format', () => {
    expect(parseMounts('\nrubbish\n/dev/sda1 relative ext4 rw 0 0\n/dev/sda1 / ext4 rw 0 0')).toHaveLength(1)
  })

  it('sees only the last of several mounts on one point', () => {
    const mounts = parseMounts('/dev/sda1 /mnt ext4 rw 0 0\n/dev/sdb1 /mnt xfs rw 0 0\n/dev/sdb1 /mnt/x xfs rw 0 0')
    expect(distinctMounts(mounts).map(({ device, mountPoint }) => [device, mountPoint])).toEqual([
      ['/dev/sdb1', '/mnt'],
    ])
  })
})
