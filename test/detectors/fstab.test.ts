import { describe, expect, it, vi } from 'vitest'
import { type Host, NotApplicable } from '../../detectors/contract.ts'
import { fstab } from '../../detectors/fstab.ts'
import { askMount } from '../../detectors/reading/answers.ts'
import { devicePath, parseFstab } from '../../detectors/reading/fstab.ts'
import { mountDifferences } from '../../detectors/reading/mount-differences.ts'
import { parseMountInfo, visibleMounts } from '../../detectors/reading/mountinfo.ts'
import { fixtureHost, look, summaries } from './fixture-host.ts'

const causes = async (host: Host, options: unknown = {}) =>
  (await look(fstab, host, options)).map(({ reason, cause }) => `${reason} ${cause}`)

function withFile(name: string, path: string, text: string | Error): Host {
  const host = fixtureHost(name)
  return {
    ...host,
    readText: async (asked) => {
      if (asked !== path) return host.readText(asked)
      if (text instanceof Error) throw text
      return text
    },
  }
}

describe('fstab', () => {
  it('says nothing where everything is mounted as it is written', async () => {
    expect(await look(fstab, fixtureHost('fstab/ok'))).toEqual([])
  })

  it('finds what is missing, what is otherwise, and what fails', async () => {
    const judgements = await look(fstab, fixtureHost('fstab/bad'))
    expect(judgements.map(({ reason, cause }) => `${reason} ${cause}`)).toEqual([
      'OptionalMountMissing /boot/efi',
      'MountDiffers /export',
      'MountDiffers /home',
      'MountMissing /tmp',
      'MountFails /scratch',
      'SwapInactive /dev/vg0/swap_1',
    ])
    expect(summaries(judgements)).toContain(
      '/tmp is not mounted; /etc/fstab has 1 entry for it: tmpfs tmpfs defaults,nosuid,size=2g',
    )
    expect(judgements.find(({ cause }) => cause === '/export')?.evidence.map(({ value }) => value)).toEqual([
      'the type is xfs, not ext4',
      'the device is /dev/sda3 (8:3), not LABEL=old logs (253:1)',
      'it is mounted ro, not rw',
      'noexec is written, and it is mounted without it',
      'noatime is written, and it is mounted without it',
    ])
    expect(summaries(judgements)).toContain('1 mount, /scratch (nfs4), fails: Stale file handle')
  })

  it('leaves out what it is told to, mount points and swap', async () => {
    const ignore = ['/boot/efi', '/export', '/home', '/tmp', '/dev/vg0/swap_1']
    expect(await causes(fixtureHost('fstab/bad'), { ignore })).toEqual(['MountFails /scratch'])
  })

  it('does not take swap for unused in a container that sees no devices, unless no swap is in use', async () => {
    const swaps = (lines: string): Host => {
      const recorded = fixtureHost('fstab/ok')
      const files: Record<string, string> = {
        '/etc/fstab': 'UUID=5b1f none swap sw 0 0\n/swapfile none swap sw 0 0\n',
        '/proc/swaps': `Filename Type Size Used Priority\n${lines}`,
      }
      return {
        ...recorded,
        readText: async (path) => files[path] ?? recorded.readText(path),
        readLink: async () => Promise.reject(new NotApplicable('no such link')),
        exists: async (path) => !path.startsWith('/dev/') && recorded.exists(path),
      }
    }
    expect(await causes(swaps('/dev/sda2 partition 8 0 -2\n/swapfile file 8 0 -3\n'))).toEqual([])
    expect(await causes(swaps('/dev/sda2 partition 8 0 -2\n'))).toEqual(['SwapInactive /swapfile'])
    expect(await causes(swaps(''))).toEqual(['SwapInactive UUID=5b1f', 'SwapInactive /swapfile'])
  })

  it('compares further options where it is told to', async () => {
    const soft = withFile('fstab/ok', '/etc/fstab', 'nas1.example:/vol/scratch /scratch nfs soft,vers=4.1 0 0')
    expect(await causes(soft)).toEqual([])
    expect(await causes(soft, { compare: ['soft', 'vers=4.1'] })).toEqual(['MountDiffers /scratch'])
    expect(await causes(fixtureHost('fstab/ok'), { compare: ['hard'] })).toEqual([])
  })

  it('finds a mount that does not answer, with one program however often it looks, and sees it answer again', async () => {
    const host = fixtureHost('fstab/ok')
    const reply = Promise.withResolvers<Awaited<ReturnType<Host['run']>>>()
    const run = vi.spyOn(host, 'run').mockReturnValueOnce(reply.promise)
    const signal = new AbortController().signal
    expect(await askMount(host, '/scratch', 1, signal)).toEqual({ kind: 'hung' })
    expect(await askMount(host, '/scratch', 1, signal)).toEqual({ kind: 'hung' })
    expect(run).toHaveBeenCalledTimes(1)
    reply.resolve({ code: 0, signal: null, stdout: '4096 1000 500 400 10 7\n', stderr: '', truncated: false })
    expect(await askMount(host, '/scratch', 60_000, signal)).toMatchObject({
      kind: 'fine',
      use: { bytes: 4_096_000, inodesFree: 7 },
    })
    expect(await askMount(host, '/scratch', 60_000, signal)).toMatchObject({ kind: 'fine' })
    expect(run).toHaveBeenCalledTimes(2)
    const sample = {
      wanted: [],
      swapsOff: [],
      answers: [{ mountPoint: '/s', type: 'nfs', answer: { kind: 'hung' as const } }],
    }
    expect(summaries(fstab.judge(sample, fstab.options.parse({}), []))).toEqual(['/s (nfs) does not answer within 3 s'])
  })

  it.each([
    ["stat: cannot read file system information for '/scratch': Permission denied", []],
    ["stat: cannot read file system information for '/scratch': No such file or directory", []],
    [
      "stat: cannot read file system information for '/scratch': Transport endpoint is not connected",
      ['MountFails /scratch'],
    ],
    ['', []],
  ])('judges a mount of which stat says "%s"', async (stderr, expected) => {
    const commands = { '/usr/bin/stat -f -c %S %b %f %a %c %d /scratch': { code: 1, stderr } }
    expect(await causes(fixtureHost('fstab/ok', { commands }))).toEqual(expected)
  })

  it('does not ask mounts where no program of the host can be run', async () => {
    expect(await causes(fixtureHost('fstab/ok', { commands: {} }))).toEqual([])
  })

  it('does not know what to make of a stat that says something else', async () => {
    const commands = { '/usr/bin/stat -f -c %S %b %f %a %c %d /scratch': { stdout: 'nfs' } }
    await expect(look(fstab, fixtureHost('fstab/ok', { commands }))).rejects.toThrow('/usr/bin/stat says "nfs"')
  })

  it('does not compare devices that cannot be seen from where it runs', async () => {
    const host = { ...fixtureHost('fstab/bad'), readLink: () => Promise.reject(new NotApplicable('no /dev here')) }
    const judgements = await look(fstab, host, { ignore: ['/home', '/tmp', '/boot/efi'] })
    expect(judgements[0]?.summary).not.toContain('the device is')
  })

  it('does not apply without entries, and asks servers also where there is no fstab', async () => {
    await expect(look(fstab, fixtureHost('empty'))).rejects.toThrow(NotApplicable)
    await expect(look(fstab, fixtureHost('fstab/not-applicable'))).rejects.toThrow('/etc/fstab has no entry')
    const none = withFile('fstab/bad', '/etc/fstab', new NotApplicable('/etc/fstab does not exist'))
    expect(await causes(none)).toEqual(['MountFails /scratch'])
  })

  it('does not know what it cannot read', async () => {
    for (const path of ['/etc/fstab', '/proc/swaps', '/sys/class/block/sda2/dev']) {
      const forbidden = withFile('fstab/ok', path, new Error(`${path} cannot be read: EACCES`))
      await expect(look(fstab, forbidden)).rejects.toThrow(`${path} cannot be read: EACCES`)
    }
    await expect(look(fstab, fixtureHost('fstab/unreadable'))).rejects.toThrow('NUL')
    const hidden = withFile('fstab/ok', '/proc/1/mountinfo', new NotApplicable('hidden'))
    await expect(look(fstab, { ...hidden, exists: async () => true })).rejects.toThrow(
      'mounts of the host cannot be seen',
    )
    const rubbish = withFile('fstab/ok', '/proc/1/mountinfo', '36 35 98:0 /mnt1 /mnt')
    await expect(look(fstab, rubbish)).rejects.toThrow('does not name any mount')
  })

  it('looks at a bounded number of entries and mounts', async () => {
    const many = Array.from({ length: 5_000 }, (_, at) => `tmpfs /t${at} tmpfs rw 0 0`).join('\n')
    expect(await causes(withFile('fstab/ok', '/etc/fstab', many))).toHaveLength(128)
    const line = (at: number) => `${at} 28 0:46 / /s${at} rw - nfs4 nas1.example:/v rw`
    const host = withFile(
      'fstab/ok',
      '/proc/1/mountinfo',
      Array.from({ length: 5_000 }, (_, at) => line(at)).join('\n'),
    )
    const run = vi.spyOn(host, 'run')
    await look(fstab, host)
    expect(run).toHaveBeenCalledTimes(16)
  })

  it('refuses options that it cannot mean', () => {
    for (const options of [{ ignore: '' }, { ignore: [''] }, { compare: [1] }]) {
      expect(fstab.options.safeParse(options).success).toBe(false)
    }
  })
})

describe('an entry against its mount', () => {
  const differences = (line: string, mount: string, { device = undefined as string | undefined, others = '' } = {}) => {
    const [entry] = parseFstab(line)
    const mounts = parseMountInfo(`${others}\n${mount}`)
    const of = mounts.at(-1)
    if (entry === undefined || of === undefined) throw new Error('not of the format')
    return mountDifferences(entry, of, { device, visible: visibleMounts(mounts), compare: [] })
  }

  it.each([
    ['/dev/sda1 /x ext4 defaults', '1 0 8:1 / /x rw - ext4 /dev/sda1 rw', []],
    ['/dev/sda1 /x ext4 noatime', '1 0 8:1 / /x rw,noatime - ext4 /dev/sda1 ro', 1],
    ['/dev/sda1 /x ext4 ro', '1 0 8:1 / /x rw - ext4 /dev/sda1 rw', 1],
    ['/dev/sda1 /x ext4 ro', '1 0 8:1 / /x ro - ext4 /dev/sda1 rw', []],
    ['/dev/sda1 /x ext4 noexec,exec', '1 0 8:1 / /x rw - ext4 /dev/sda1 rw', []],
    ['/dev/sda1 /x ext4 exec', '1 0 8:1 / /x rw,noexec - ext4 /dev/sda1 rw', 1],
    ['/dev/sda1 /x ext4 user,exec', '1 0 8:1 / /x rw,nosuid,nodev - ext4 /dev/sda1 rw', []],
    ['/dev/sda1 /x ext4 user', '1 0 8:1 / /x rw,nosuid,nodev - ext4 /dev/sda1 rw', 1],
    ['/dev/sda1 /x ext4 sync', '1 0 8:1 / /x rw - ext4 /dev/sda1 rw,sync', []],
    ['/dev/sda1 /x auto rw', '1 0 8:1 / /x rw - xfs /dev/sda1 rw', []],
    ['/dev/sda1 /x ext4,xfs rw', '1 0 8:1 / /x rw - xfs /dev/sda1 rw', []],
    ['/dev/sda1 /x ntfs-3g rw', '1 0 8:1 / /x rw - fuseblk /dev/sda1 rw', []],
    ['/s /x fuse.bindfs rw', '1 0 0:50 / /x rw - fuse /s rw', []],
    ['h:/v /x glusterfs rw', '1 0 0:50 / /x rw - fuse.glusterfs h:/v rw', []],
    ['h:/v/ /x nfs rw', '1 0 0:50 / /x rw - nfs4 h:/v rw', []],
    ['h:/v /x nfs rw', '1 0 0:50 / /x rw - nfs4 h:/w rw', 1],
  ])('%s, mounted as %s', (line, mount, expected) => {
    expect(differences(line, mount)).toHaveLength(expected === 1 ? 1 : 0)
  })

  it('compares devices by their numbers, but for filesystems with a number of their own', () => {
    const mount = (number: string, type: string) => `1 0 ${number} / /x rw - ${type} /dev/root rw`
    expect(differences('/dev/sda1 /x auto', mount('8:1', 'ext4'), { device: '8:1' })).toEqual([])
    expect(differences('/dev/sda1 /x auto', mount('8:2', 'ext4'), { device: '8:1' })).toHaveLength(1)
    expect(differences('/dev/sda1 /x auto', mount('0:31', 'btrfs'), { device: '8:1' })).toEqual([])
  })

  it('knows of what a bind mount is a part', () => {
    const others = '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:2 /vol /data rw - ext4 /dev/sda2 ro'
    const bind = (mount: string) => differences('/data/home /home none bind', mount, { others })
    expect(bind('3 1 8:2 /vol/home /home ro - ext4 /dev/sda2 ro')).toEqual([])
    expect(bind('3 1 8:2 /vol/homes /home ro - ext4 /dev/sda2 ro')).toHaveLength(1)
    expect(bind('3 1 8:1 /data/home /home rw - ext4 /dev/sda1 rw')).toHaveLength(1)
  })

  it.each([
    ['UUID=abc', '/dev/disk/by-uuid/abc'],
    ['LABEL="my disk"', '/dev/disk/by-label/my\\x20disk'],
    ['PARTLABEL=a/b', '/dev/disk/by-partlabel/a\\x2fb'],
    ['LABEL=Übung', '/dev/disk/by-label/Übung'],
    ['/dev/mapper/vg-a', '/dev/mapper/vg-a'],
    ['nas:/vol', undefined],
    ['tmpfs', undefined],
  ])('%s is the device %s', (spec, path) => {
    expect(devicePath(spec)).toBe(path)
  })
})
