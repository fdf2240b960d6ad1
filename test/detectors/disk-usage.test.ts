import { describe, expect, it } from 'vitest'
import { NotApplicable } from '../../detectors/contract.ts'
import { diskUsage } from '../../detectors/disk-usage.ts'
import { guardedHost } from '../../detectors/host/guarded.ts'
import { distinctMounts, parseMounts } from '../../detectors/reading/mounts.ts'
import type { HostRecord } from '../../detectors/testing/fixture-host.ts'
import { filesystem, fixtureHost, look, summaries } from './fixture-host.ts'

const DISKS = ['/', '/boot/efi', '/var/lib/containerd', '/data/old logs']
const allAt = (used: number) => Object.fromEntries(DISKS.map((point) => [point, filesystem(used)]))
const sampled = async (options: unknown = {}) => {
  const parsed = diskUsage.options.parse(options)
  const host = { ...fixtureHost('disk-usage/ok'), filesystem: async () => filesystem(50) }
  return (await diskUsage.sample(host, parsed, new AbortController().signal)).uses.map(({ mountPoint }) => mountPoint)
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

  it('leaves volumes of pods to whoever runs them, unless it is told otherwise', async () => {
    const mounts = ['/', '/var/lib/kubelet', '/var/lib/kubelet/pods/7d1/volumes/kubernetes.io~csi/pvc-1/mount']
    const plugin = '/var/lib/kubelet/plugins/kubernetes.io/csi/ebs.csi.aws.com/8f2/globalmount'
    const table = [...mounts, plugin].map((point, n) => `/dev/sd${n} ${point} ext4 rw 0 0`).join('\n')
    const host = {
      ...fixtureHost('disk-usage/ok'),
      readText: async () => table,
      filesystem: async () => filesystem(95),
    }
    const causes = async (options: unknown) => [
      ...new Set((await look(diskUsage, host, options)).map(({ cause }) => cause)),
    ]
    expect(await causes({})).toEqual(['/', '/var/lib/kubelet'])
    expect(await causes({ ignore: [] })).toEqual([...mounts, plugin])
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
    expect(diskUsage.judge({ uses, missing: [] }, diskUsage.options.parse({}), []).map(({ reason }) => reason)).toEqual(
      expected,
    )
  })

  it('does not judge what a filesystem does not count', () => {
    const use = { bytes: 0, bytesUsed: 0, bytesAvailable: 0, inodes: 0, inodesFree: 0 }
    expect(diskUsage.judge({ uses: [{ mountPoint: '/', use }], missing: [] }, diskUsage.options.parse({}), [])).toEqual(
      [],
    )
  })

  it('uses the ratios of its options, and refuses them the wrong way round', async () => {
    const host = fixtureHost('disk-usage/ok', { filesystems: { '/': filesystem(50) } })
    const bytes = { warnRatio: 0.4, alarmRatio: 0.6 }
    expect(summaries(await look(diskUsage, host, { bytes }))).toEqual(['/ is 50 % full, 51200 MiB are left'])
    expect(diskUsage.options.safeParse({ bytes: { warnRatio: 0.95 } }).success).toBe(false)
    expect(diskUsage.options.safeParse({ include: ['var'] }).success).toBe(false)
  })

  it('has thresholds of single mount points', async () => {
    const host = fixtureHost('disk-usage/ok', { filesystems: allAt(91) })
    const mounts = {
      '/': { bytes: { warnRatio: 0.95, alarmRatio: 0.98 } },
      '/boot/efi': { inodes: { warnRatio: 0.05 } },
    }
    const causes = (await look(diskUsage, host, { mounts })).map(({ reason, cause }) => `${reason} ${cause}`)
    expect(causes.filter((text) => text.endsWith(' /'))).toEqual([])
    expect(causes).toContain('DiskAlmostFull /boot/efi')
    expect(causes).toContain('InodesLow /boot/efi')
    expect(diskUsage.options.safeParse({ mounts: { '/': { bytes: { warnRatio: 0.95 } } } }).success).toBe(false)
    expect(diskUsage.options.safeParse({ mounts: { export: {} } }).success).toBe(false)
  })

  describe('of mounts that are named', () => {
    const table = '/dev/sda1 / ext4 rw 0 0\nnas:/v /export nfs4 rw 0 0\ntmpfs /run tmpfs rw 0 0'
    const stat = '/usr/bin/stat -f -c %S %b %f %a %c %d /export'
    const host = (commands: HostRecord['commands'], readable = '/proc/1/mounts') => ({
      ...fixtureHost('disk-usage/ok', { filesystems: { '/': filesystem(50), '/run': filesystem(92) }, commands }),
      readText: async (path: string) => {
        if (path !== readable) throw new Error(`${path} cannot be read: EACCES`)
        return table
      },
    })
    const nearlyFull = { [stat]: { stdout: '4096 1000 30 30 0 0\n' } }

    it('looks at whatever is mounted there, a server only by a program', async () => {
      expect(await look(diskUsage, host(nearlyFull))).toEqual([])
      expect(
        summaries(await look(diskUsage, host(nearlyFull), { wanted: ['/run'], mounts: { '/export': {} } })),
      ).toEqual([
        '/export is 97 % full, 0 MiB are left',
        '/export is 97 % full, 0 MiB are left',
        '/run is 92 % full, 8192 MiB are left',
        '/run is 92 % full, 8192 MiB are left',
      ])
    })

    it('leaves one that fails to the detector of mounts', async () => {
      expect(
        await look(diskUsage, host({ [stat]: { code: 1, stderr: 'Stale file handle' } }), { wanted: ['/export'] }),
      ).toEqual([])
    })

    it('finds nothing where something must be, but not by the mounts of an agent in a container', async () => {
      expect(await look(diskUsage, host({}), { wanted: ['/', '/data'] })).toEqual([
        expect.objectContaining({ reason: 'WantedMountMissing', cause: '/data' }),
      ])
      await expect(look(diskUsage, host({}, '/proc/self/mounts'), { wanted: ['/data'] })).rejects.toThrow(
        'the mounts of the host cannot be seen',
      )
    })
  })

  it('falls back to its own mounts where those of process 1 are hidden', async () => {
    const host = fixtureHost('disk-usage/hidepid', { filesystems: { '/': filesystem(95) } })
    expect(summaries(await look(diskUsage, host))).toHaveLength(2)
  })

  it('does not apply without a mount table, or when nothing in it is mounted here', async () => {
    await expect(look(diskUsage, fixtureHost('empty'))).rejects.toThrow(NotApplicable)
    await expect(look(diskUsage, fixtureHost('disk-usage/ok', { filesystems: {} }))).rejects.toThrow(NotApplicable)
  })

  it('may ask how full any filesystem is, and read nothing but mount tables', async () => {
    const host = guardedHost(fixtureHost('disk-usage/ok', { filesystems: allAt(50) }), diskUsage.touches)
    expect((await host.filesystem('/data/old logs')).bytesUsed).toBeGreaterThan(0)
    await expect(host.readText('/etc/shadow')).rejects.toThrow('is not among what it says')
  })

  it('passes over what lies in folders of others, unless it was named or is all there is', async () => {
    const shut = new Error('it cannot be read: EACCES', { cause: { code: 'EACCES' } })
    const recorded = fixtureHost('disk-usage/ok', { filesystems: allAt(91), missing: ['CAP_DAC_READ_SEARCH'] })
    const unless = (open: string) => ({
      ...recorded,
      filesystem: async (path: string) => (path === open ? filesystem(91) : Promise.reject(shut)),
    })
    expect((await look(diskUsage, unless('/'))).map(({ cause }) => cause)).toEqual(['/', '/'])
    const needs = 'needs CAP_DAC_READ_SEARCH to look at '
    for (const options of [{ wanted: ['/boot/efi'] }, { mounts: { '/boot/efi': {} } }, { include: ['/', '/boot/efi'] }])
      await expect(look(diskUsage, unless('/'), options)).rejects.toThrow(`${needs}/boot/efi`)
    await expect(look(diskUsage, unless('none'))).rejects.toThrow(NotApplicable)
    await expect(look(diskUsage, unless('none'))).rejects.toThrow(`${needs}/`)
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
