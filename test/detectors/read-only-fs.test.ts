import { describe, expect, it } from 'vitest'
import { type Host, NotApplicable } from '../../detectors/contract.ts'
import { readOnlyFs } from '../../detectors/read-only-fs.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

/** The host of the fixture with these files in place of its own; an Error: what reading fails with. */
function changed(name: string, files: Readonly<Record<string, string | Error>>): Host {
  const host = fixtureHost(name)
  const read = <T>(path: string, known: (text: string) => T, otherwise: (path: string) => Promise<T>) => {
    const text = files[path]
    if (text === undefined) return otherwise(path)
    return text instanceof Error ? Promise.reject(text) : Promise.resolve(known(text))
  }
  return {
    ...host,
    readText: (path) => read(path, (text) => text, host.readText),
    readInt: (path) => read(path, Number, host.readInt),
  }
}

const TABLE = '/proc/1/mountinfo'
const mounted = (line: string) => changed('read-only-fs/ok', { [TABLE]: line })

describe('read-only-fs', () => {
  it('says nothing of disks that are writable, or read-only on purpose', async () => {
    expect(await look(readOnlyFs, fixtureHost('read-only-fs/ok'))).toEqual([])
  })

  it('finds disks that are read-only, whichever way it shows, and counted errors', async () => {
    expect(summaries(await look(readOnlyFs, fixtureHost('read-only-fs/bad')))).toEqual([
      '1 filesystem, / (/dev/sda2), cannot be written to: the kernel has stopped writing to it (emergency_ro)',
      '/ (/dev/sda2) has counted 3 errors since its last check',
      '1 filesystem, /export (/dev/sdb1), cannot be written to: /etc/fstab does not say ro',
      '1 filesystem, /data (/dev/sdc1), cannot be written to: mounted rw, and its filesystem has made itself read-only',
    ])
  })

  it.each([
    ['28 1 8:65 / /x rw - ext4 /dev/sde1 rw', false],
    ['28 1 8:65 / /x rw - ext4 /dev/sde1 rw,shutdown', true],
    ['28 1 8:65 / /x rw - btrfs /dev/sde1 ro', true],
    ['28 1 8:65 / /x ro - ext4 /dev/sde1 ro', false],
    ['28 1 8:65 /part /x rw - ext4 /dev/sde1 ro', false],
    ['28 1 8:65 / /x rw - squashfs /dev/sde1 ro', undefined],
  ])('judges a disk that nothing is known of by its line: %s', async (line, isFault) => {
    const looking = look(readOnlyFs, mounted(line))
    if (isFault === undefined) await expect(looking).rejects.toThrow(NotApplicable)
    else expect(reasons(await looking)).toEqual(isFault ? ['ReadOnlyFilesystem'] : [])
  })

  it('remembers what was writable, for as long as it is mounted', async () => {
    const files = { [TABLE]: '28 1 8:65 / /x rw - xfs /dev/sde1 rw' }
    const host = changed('read-only-fs/ok', files)
    const lookAt = async (line: string) => {
      files[TABLE] = line
      return reasons(await look(readOnlyFs, host))
    }
    expect(await lookAt('28 1 8:65 / /x rw - xfs /dev/sde1 rw')).toEqual([])
    for (let looks = 0; looks < 12; looks++) {
      expect(await lookAt('28 1 8:65 / /x ro - xfs /dev/sde1 ro')).toEqual(['ReadOnlyFilesystem'])
    }
    expect(await lookAt('28 1 8:81 / /y rw - xfs /dev/sdf1 rw')).toEqual([])
    expect(await lookAt('28 1 8:65 / /x ro - xfs /dev/sde1 ro')).toEqual([])
  })

  it.each([
    [0, [0], []],
    [2, [], ['FilesystemErrors']],
    [2, [2, 2], ['FilesystemErrors']],
    [3, [2, 2], ['FilesystemErrors', 'FilesystemErrorsGrow']],
    [3, [3, 3, 1], ['FilesystemErrors', 'FilesystemErrorsGrow']],
    [1, [5], ['FilesystemErrors']],
    [1, [undefined], ['FilesystemErrors']],
  ])('judges %d errors after %j', (errors, before, expected) => {
    const sample = (count: number | undefined) => [
      { mountPoint: '/', source: '/dev/sda2', readOnly: undefined, errors: count },
    ]
    expect(reasons(readOnlyFs.judge(sample(errors), { ignore: [] }, before.map(sample)))).toEqual(expected)
  })

  it('leaves out what it is told to', async () => {
    expect(await look(readOnlyFs, fixtureHost('read-only-fs/bad'), { ignore: ['/', '/export', '/data'] })).toEqual([])
    expect(readOnlyFs.options.safeParse({ ignore: ['export'] }).success).toBe(false)
  })

  it('goes by what it sees itself where fstab or the table of process 1 is not there', async () => {
    const host = changed('read-only-fs/bad', { '/etc/fstab': new NotApplicable('not here') })
    expect(summaries(await look(readOnlyFs, host)).join()).not.toContain('/export')
    const hidden = changed('read-only-fs/bad', {
      [TABLE]: new Error('EACCES'),
      '/proc/self/mountinfo': '28 1 8:65 / /x rw - ext4 /dev/sde1 ro',
    })
    expect(reasons(await look(readOnlyFs, hidden))).toEqual(['ReadOnlyFilesystem'])
  })

  it('does not know what it cannot read, and bounds what it reads', async () => {
    for (const path of ['/etc/fstab', '/sys/fs/ext4/sda2/errors_count']) {
      const forbidden = changed('read-only-fs/ok', { [path]: new Error(`${path}: EACCES`) })
      await expect(look(readOnlyFs, forbidden)).rejects.toThrow('EACCES')
    }
    await expect(look(readOnlyFs, mounted('28 1 8:65 / /x rw'))).rejects.toThrow('does not name any mount')
    const lines = Array.from({ length: 5_000 }, (_, at) => `28 1 8:${at} / /x${at} rw - xfs /dev/s${at} ro`)
    expect(await look(readOnlyFs, mounted(lines.join('\n')))).toHaveLength(64)
  })
})
