import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createControl } from '../../remediators/control.ts'

describe('the hands of remediators', () => {
  let root: string
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'starling-control-'))
    await mkdir(join(root, 'proc/sys/vm'), { recursive: true })
    await writeFile(join(root, 'proc/sys/vm/swappiness'), '60\n')
    await writeFile(join(root, 'proc/sys/vm/long'), 'x'.repeat(4_097))
    await writeFile(join(root, 'proc/outside'), 'x')
  })
  afterAll(() => rm(root, { recursive: true }))

  it('read and replace a kernel parameter below the root', async () => {
    const control = createControl(root)
    expect(await control.readText('/proc/sys/vm/swappiness')).toBe('60\n')
    await control.writeText('/proc/sys/vm/swappiness', '7\n')
    expect(await readFile(join(root, 'proc/sys/vm/swappiness'), 'utf8')).toBe('7\n')
  })

  it.each([
    '/etc/passwd',
    '/proc/outside',
    '/proc/sys',
    '/proc/sys/../outside',
    '/proc/sys/vm/../../outside',
    '/proc/sys//vm/swappiness',
    'proc/sys/vm/swappiness',
    '/proc/sysx/vm',
  ])('do not reach for %s', async (path) => {
    await expect(createControl(root).readText(path)).rejects.toThrow('is not below /proc/sys/')
    await expect(createControl(root).writeText(path, '1')).rejects.toThrow('is not below /proc/sys/')
    expect(await readFile(join(root, 'proc/outside'), 'utf8')).toBe('x')
  })

  it('never create a file, and name the one that is missing', async () => {
    await expect(createControl(root).writeText('/proc/sys/vm/absent', '1')).rejects.toThrow(
      '/proc/sys/vm/absent cannot be written: ENOENT',
    )
    await expect(access(join(root, 'proc/sys/vm/absent'))).rejects.toThrow()
    await expect(createControl(root).readText('/proc/sys/vm/absent')).rejects.toThrow('cannot be read: ENOENT')
  })

  it('neither read nor write more than a page', async () => {
    await expect(createControl(root).readText('/proc/sys/vm/long')).rejects.toThrow('over 4096 bytes')
    await expect(createControl(root).writeText('/proc/sys/vm/swappiness', 'x'.repeat(4_097))).rejects.toThrow(
      '4096 bytes',
    )
  })
})
