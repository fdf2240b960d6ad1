import { access, chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHost } from '../../detectors/host/host.ts'
import { createControl } from '../../remediators/control.ts'

describe('the hands of remediators', () => {
  let root: string
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'starling-control-'))
    await mkdir(join(root, 'proc/sys/vm'), { recursive: true })
    await mkdir(join(root, 'etc/sysctl.d'), { recursive: true })
    await writeFile(join(root, 'proc/sys/vm/swappiness'), '60\n')
    await writeFile(join(root, 'proc/outside'), 'x')
    await writeFile(join(root, 'etc/daemon.json'), '{}')
    await chmod(join(root, 'etc/daemon.json'), 0o600)
    await symlink(tmpdir(), join(root, 'etc/away'))
    await symlink('daemon.json', join(root, 'etc/link.json'))
  })
  afterAll(() => rm(root, { recursive: true }))

  const inRoot = (path: string) => join(root, path)
  const control = () =>
    createControl({
      host: createHost({ node: 'node-7', root, peerOffsets: () => [] }),
      root,
      touches: { paths: ['/proc/sys/**'], writes: ['/proc/sys/**', '/etc/**'] },
    })

  it('see what they said that they touch, and nothing else', async () => {
    expect(await control().host.readText('/proc/sys/vm/swappiness')).toBe('60\n')
    await expect(control().host.readText('/proc/outside')).rejects.toThrow('not among what it says that it touches')
  })

  it('replace a value of the kernel below the root', async () => {
    await control().writeText('/proc/sys/vm/swappiness', '7\n')
    expect(await readFile(inRoot('proc/sys/vm/swappiness'), 'utf8')).toBe('7\n')
  })

  it.each([
    '/srv/other',
    '/proc/outside',
    '/proc/sys',
    '/proc/sys/../outside',
    '/proc/sys/vm/../../outside',
    '/proc/sys//vm/swappiness',
    'proc/sys/vm/swappiness',
    '/proc/sysx/vm',
    '/etc/../proc/outside',
  ])('do not reach for %s', async (path) => {
    const refused = 'is not among what this remediator says that it writes'
    await expect(control().writeText(path, '1')).rejects.toThrow(refused)
    await expect(control().replaceFile(path, '1')).rejects.toThrow(refused)
    await expect(control().truncate(path)).rejects.toThrow(refused)
    expect(await readFile(inRoot('proc/outside'), 'utf8')).toBe('x')
  })

  it('never create a value of the kernel, and name the one that is missing', async () => {
    await expect(control().writeText('/proc/sys/vm/absent', '1')).rejects.toThrow(
      '/proc/sys/vm/absent cannot be written: ENOENT',
    )
    await expect(access(inRoot('proc/sys/vm/absent'))).rejects.toThrow()
  })

  it('write no more than a page as a value, and no value as a file', async () => {
    await expect(control().writeText('/proc/sys/vm/swappiness', 'x'.repeat(4_097))).rejects.toThrow('4096 bytes')
    await expect(control().writeText('/etc/daemon.json', '1')).rejects.toThrow("is no value of the kernel's")
    await expect(control().replaceFile('/proc/sys/vm/swappiness', '1')).rejects.toThrow("is a value of the kernel's")
  })

  it('replace a file and keep its mode, make one, and remove one', async () => {
    await control().replaceFile('/etc/daemon.json', '{"a":1}')
    expect(await readFile(inRoot('etc/daemon.json'), 'utf8')).toBe('{"a":1}')
    expect((await stat(inRoot('etc/daemon.json'))).mode & 0o777).toBe(0o600)
    await control().replaceFile('/etc/sysctl.d/90-new.conf', 'vm.swappiness = 7\n')
    expect((await stat(inRoot('etc/sysctl.d/90-new.conf'))).mode & 0o777).toBe(0o644)
    await control().replaceFile('/etc/sysctl.d/90-new.conf', null)
    await control().replaceFile('/etc/sysctl.d/90-new.conf', null)
    await expect(access(inRoot('etc/sysctl.d/90-new.conf'))).rejects.toThrow()
  })

  it('follow no link out of the host, and replace none', async () => {
    await expect(control().replaceFile('/etc/away/x', '1')).rejects.toThrow('a link leads out of the host')
    await expect(control().truncate('/etc/away/x')).rejects.toThrow('a link leads out of the host')
    await expect(control().replaceFile('/etc/link.json', '1')).rejects.toThrow('it is no regular file')
    await expect(control().truncate('/etc/link.json')).rejects.toThrow('ELOOP')
  })

  it('empty a file in place, and make none', async () => {
    const before = await stat(inRoot('etc/daemon.json'))
    await control().truncate('/etc/daemon.json')
    expect(await stat(inRoot('etc/daemon.json'))).toMatchObject({ size: 0, ino: before.ino })
    await expect(control().truncate('/etc/absent')).rejects.toThrow('ENOENT')
  })
})
