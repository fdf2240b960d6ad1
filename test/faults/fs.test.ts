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
})
