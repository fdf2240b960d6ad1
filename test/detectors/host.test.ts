import { spawnSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NotApplicable } from '../../detectors/contract.ts'
import { createHost, FILE_BYTES_MAX, TABLE_BYTES_MAX } from '../../detectors/host/host.ts'
import { describeReal, NOBODY, needsAnotherUser, needsLinux } from '../real-part.ts'
import { fixtureRoot } from './fixture-host.ts'

const hostAt = (root?: string) =>
  createHost({ node: 'node-7', ...(root === undefined ? {} : { root }), peerOffsets: () => [] })

describe('the host', () => {
  let root: string
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'starling-host-'))
    await mkdir(join(root, 'proc'))
    const put = (name: string, content: string | Uint8Array) => writeFile(join(root, 'proc', name), content)
    await put('number', ' 42\n')
    await put('negative', '-1\n')
    await put('word', 'many\n')
    await put('fraction', '1.5\n')
    await put('huge', '99999999999999999999\n')
    await put('none', '\n')
    await put('nul', 'a\0b')
    await put('words', '/bin/program\0--flag\0\0last\0')
    await put('unended', 'one\0two')
    await put('no-words', '')
    await put('long', `${'word\0'.repeat(2_000)}`)
    await put('latin1', Uint8Array.of(0x66, 0xfc, 0x72))
    await put('largest', 'x'.repeat(TABLE_BYTES_MAX))
    await put('too-large', 'x'.repeat(TABLE_BYTES_MAX + 1))
    await mkdir(join(root, 'etc'))
    await writeFile(join(root, 'etc', 'largest'), 'x'.repeat(FILE_BYTES_MAX))
    await writeFile(join(root, 'etc', 'too-large'), 'x'.repeat(FILE_BYTES_MAX + 1))
    await symlink('number', join(root, 'proc', 'link'))
  })
  afterAll(() => rm(root, { recursive: true }))

  it('reads files below its root by their path on the host', async () => {
    expect(await hostAt(root).readText('/proc/number')).toBe(' 42\n')
    expect(await hostAt(root).readText('/proc/link')).toBe(' 42\n')
    expect(await hostAt(fixtureRoot('kernel-params/ok')).readInt('/proc/sys/kernel/pid_max')).toBe(4_194_304)
  })

  it('reads whole numbers, and names the file that holds none', async () => {
    expect(await hostAt(root).readInt('/proc/number')).toBe(42)
    expect(await hostAt(root).readInt('/proc/negative')).toBe(-1)
    for (const name of ['word', 'fraction', 'huge', 'none']) {
      await expect(hostAt(root).readInt(`/proc/${name}`)).rejects.toThrow(`/proc/${name} holds`)
    }
  })

  it('reads the first words of a file of words', async () => {
    expect(await hostAt(root).readWords('/proc/words')).toEqual(['/bin/program', '--flag', '', 'last'])
    expect(await hostAt(root).readWords('/proc/unended')).toEqual(['one', 'two'])
    expect(await hostAt(root).readWords('/proc/no-words')).toEqual([])
    expect(await hostAt(root).readWords('/proc/latin1')).toEqual(['f\uFFFDr'])
    expect(await hostAt(root).readWords('/proc/long')).toHaveLength(820)
  })

  it('lists the names in a folder', async () => {
    expect((await hostAt(root).list('/')).toSorted()).toEqual(['etc', 'proc'])
    expect(await hostAt(root).list('/proc')).toContain('number')
  })

  it('calls a missing file not applicable', async () => {
    await expect(hostAt(root).readText('/proc/absent')).rejects.toThrow(NotApplicable)
    await expect(hostAt(root).readText('/proc/number/below')).rejects.toThrow(NotApplicable)
    await expect(hostAt(root).readWords('/proc/absent')).rejects.toThrow(NotApplicable)
    await expect(hostAt(root).list('/proc/absent')).rejects.toThrow(NotApplicable)
    await expect(hostAt(root).filesystem('/absent')).rejects.toThrow(NotApplicable)
    expect(await hostAt(root).exists('/proc/absent')).toBe(false)
    expect(await hostAt(root).exists('/proc/number')).toBe(true)
  })

  it.each([
    ['nul', 'NUL bytes'],
    ['latin1', 'not UTF-8'],
    ['too-large', 'over 8 MiB'],
    ['', 'EISDIR'],
  ])('fails on "%s" with the path and why, and does not call it not applicable', async (name, why) => {
    const error = await hostAt(root)
      .readText(`/proc/${name}`)
      .catch((thrown: unknown) => thrown)
    expect(error).not.toBeInstanceOf(NotApplicable)
    expect((error as Error).message).toContain(`/proc/${name}`)
    expect((error as Error).message).toContain(why)
  })

  it('reads up to the limit, which is wider for the tables of the kernel', async () => {
    expect(await hostAt(root).readText('/proc/largest')).toHaveLength(TABLE_BYTES_MAX)
    expect(await hostAt(root).readText('/etc/largest')).toHaveLength(FILE_BYTES_MAX)
    await expect(hostAt(root).readText('/etc/too-large')).rejects.toThrow('/etc/too-large is over 1 MiB')
    await expect(hostAt(root).readText('/proc/../etc/too-large')).rejects.toThrow('over 1 MiB')
  })

  it('cannot be led out of its root', async () => {
    await expect(hostAt(root).readText('/../../../../etc/hostname')).rejects.toThrow(NotApplicable)
    await expect(hostAt(root).readText('proc/number')).rejects.toThrow('not an absolute path')
  })

  it('does not pass its own filesystem for one of a host that is mounted elsewhere', async () => {
    // As in a pod that mounts /host/proc only: the root folder exists, on the filesystem of the agent's own root.
    const error = await hostAt('/etc')
      .filesystem('/')
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(NotApplicable)
    expect((error as Error).message).toBe('/ of the host is not mounted under /etc')
  })

  it('measures the filesystem of a path', async () => {
    const use = await hostAt().filesystem('/')
    expect(use.bytes).toBeGreaterThan(0)
    expect(use.bytesUsed).toBeLessThanOrEqual(use.bytes)
    expect(use.bytesAvailable).toBeLessThanOrEqual(use.bytes)
    expect(use.inodesFree).toBeLessThanOrEqual(use.inodes)
  })
})

describeReal('the host of this machine', needsLinux(), () => {
  it('does not wait for somebody to write into a FIFO', async () => {
    const root = await mkdtemp(join(tmpdir(), 'starling-fifo-'))
    try {
      expect(spawnSync('mkfifo', [join(root, 'fifo')]).status).toBe(0)
      expect(await hostAt(root).readText('/fifo')).toBe('')
    } finally {
      await rm(root, { recursive: true })
    }
  })

  it('reads files of the kernel, which have no size', async () => {
    expect(await hostAt().readInt('/proc/sys/kernel/pid_max')).toBeGreaterThan(0)
    expect(await hostAt().readText('/proc/self/mounts')).toContain(' / ')
  })
})

const script = fileURLToPath(new URL('./read-secret.ts', import.meta.url))

describeReal('the host as seen by an agent without rights', needsAnotherUser(script), () => {
  it('names the path that may not be read', async () => {
    const root = await mkdtemp(join(tmpdir(), 'starling-secret-'))
    try {
      await chmod(root, 0o755)
      await writeFile(join(root, 'secret'), 'x', { mode: 0o600 })
      const child = spawnSync(process.execPath, [script, root], { uid: NOBODY, encoding: 'utf8' })
      expect(child.stdout).toBe('Error: /secret cannot be read: EACCES')
    } finally {
      await rm(root, { recursive: true })
    }
  })
})
