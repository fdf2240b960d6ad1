import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeReal, needsLinux, needsRoot } from '../real-part.ts'
import { found, type Inside, OWN_MOUNTS, startInside } from './inside.ts'

/** Bounds what the filesystem of a test can take of this machine. */
const IMAGE = 'size=48m'

describeReal('a real filesystem of its own', needsLinux() ?? needsRoot(), () => {
  let inside: Inside
  beforeEach(async () => {
    inside = await startInside(OWN_MOUNTS)
    await inside.run('mount', '-t', 'tmpfs', '-o', IMAGE, 'images', '/mnt')
    await inside.run('truncate', '-s', '32M', '/mnt/image')
    await inside.run('mkfs.ext4', '-q', '-N', '256', '/mnt/image')
    await inside.run('mkdir', '/mnt/export')
    await inside.run('mount', '-o', 'loop', '/mnt/image', '/mnt/export')
  })
  afterEach(() => inside.end())

  it('is found full, in bytes and then in inodes', async () => {
    const onlyThat = { include: ['/mnt/export'] }
    expect(found(await inside.look('disk-usage', onlyThat))).toEqual([])
    await inside.run('sh', '-c', 'dd if=/dev/zero of=/mnt/export/big bs=1M 2>/dev/null; true')
    expect(found(await inside.look('disk-usage', onlyThat))).toEqual([
      'DiskSpaceLow /mnt/export',
      'DiskAlmostFull /mnt/export',
    ])
    await inside.run('rm', '/mnt/export/big')
    await inside.run('sh', '-c', 'cd /mnt/export && touch $(seq 300) 2>/dev/null; true')
    expect(found(await inside.look('disk-usage', onlyThat))).toEqual([
      'InodesLow /mnt/export',
      'InodesAlmostGone /mnt/export',
    ])
  })

  const options = () => inside.run('findmnt', '-no', 'OPTIONS', '/mnt/export')
  const look = async () => found(await inside.look('read-only-fs')).filter((text) => text.includes('/mnt/export'))

  it('is found read-only when somebody has made it so, and well when it is writable again', async () => {
    expect(await look()).toEqual([])
    await inside.run('mount', '-o', 'remount,ro', '/mnt/export')
    expect(await look()).toEqual(['ReadOnlyFilesystem /mnt/export'])
    await inside.run('mount', '-o', 'remount,rw', '/mnt/export')
    expect(await look()).toEqual([])
  })

  it('is found read-only when the kernel has stopped writing to it after an error, and its errors are found to grow', async () => {
    await inside.run('mount', '-o', 'remount,errors=remount-ro', '/mnt/export')
    const device = (await inside.run('findmnt', '-no', 'SOURCE', '/mnt/export')).trim().replace('/dev/', '')
    expect(await look()).toEqual([])
    await inside.run('sh', '-c', `echo a test > /sys/fs/ext4/${device}/trigger_fs_error`)
    expect(await options()).toMatch(/\bro\b|emergency_ro/)
    expect(await look()).toEqual([
      'ReadOnlyFilesystem /mnt/export',
      'FilesystemErrors /mnt/export',
      'FilesystemErrorsGrow /mnt/export',
    ])
  })
})
