import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { describeReal, needsLinux, needsProgram, needsRoot } from '../real-part.ts'
import { found, type Inside, OWN_MOUNTS, startInside } from './inside.ts'

const missing = needsLinux() ?? needsRoot() ?? needsProgram('bindfs', '/dev/fuse')

describeReal('a real /etc/fstab and real mounts', missing, () => {
  let inside: Inside
  let device: string
  beforeEach(async () => {
    inside = await startInside(OWN_MOUNTS)
    await inside.run('mount', '-t', 'tmpfs', '-o', 'size=24m', 'images', '/mnt')
    await inside.run('mkdir', '/mnt/export', '/mnt/home', '/mnt/source', '/mnt/shown')
    await inside.run('truncate', '-s', '16M', '/mnt/image')
    await inside.run('mkfs.ext4', '-q', '/mnt/image')
    await inside.run('mount', '-o', 'loop,noexec,noatime', '/mnt/image', '/mnt/export')
    device = (await inside.run('findmnt', '-no', 'SOURCE', '/mnt/export')).trim()
  })
  afterEach(() => inside.end())

  const write = async (...lines: readonly string[]) => {
    await inside.run('sh', '-c', 'printf "%s\\n" "$@" > /mnt/fstab', 'sh', ...lines)
    await inside.run('mount', '--bind', '/mnt/fstab', '/etc/fstab')
  }
  const look = async (options: unknown = {}) => found(await inside.look('fstab', options))

  it('finds a mount that is gone, and one with other options or of another device', async () => {
    await write(
      `${device} /mnt/export ext4 noexec,noatime 0 2`,
      '/mnt/export /mnt/home none bind 0 0',
      'server.invalid:/later /mnt/later nfs noauto 0 0',
    )
    expect(await look()).toEqual(['MountMissing /mnt/home'])
    await inside.run('mount', '/mnt/home')
    expect(await look()).toEqual([])
    await inside.run('mount', '-o', 'remount,ro,exec', '/mnt/export')
    expect(await look()).toEqual(['MountDiffers /mnt/export'])
    await inside.run('mount', '-o', 'remount,rw,noexec', '/mnt/export')
    expect(await look()).toEqual([])
    await inside.run('umount', '/mnt/home')
    await inside.run('umount', '/mnt/export')
    await inside.run('mount', '-t', 'tmpfs', '-o', 'noexec,noatime', 'other', '/mnt/export')
    expect(await look()).toEqual(['MountDiffers /mnt/export', 'MountMissing /mnt/home'])
  })

  it('finds swap that is not in use', async () => {
    await write('/mnt/swapfile none swap sw 0 0')
    expect(await look()).toEqual(['SwapInactive /mnt/swapfile'])
  })

  it('finds a mount hung whose server stands still, sees it go on, and finds it broken when the server is dead', async () => {
    await inside.run('bindfs', '/mnt/source', '/mnt/shown')
    await write('/mnt/source /mnt/shown fuse.bindfs defaults 0 0')
    const server = (await inside.run('pgrep', '-x', 'bindfs')).trim()
    expect(await look()).toEqual([])
    await inside.run('kill', '-STOP', server)
    expect(await look()).toEqual(['MountHung /mnt/shown'])
    await inside.run('kill', '-CONT', server)
    await vi.waitFor(async () => expect(await look()).toEqual([]), { timeout: 15_000 })
    await inside.run('kill', '-KILL', server)
    await vi.waitFor(async () => expect(await look()).toEqual(['MountFails /mnt/shown']), { timeout: 15_000 })
  })
})
