/** Faults of a disk and a filesystem that are real to this machine's kernel, on a file of our own. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { describeReal, needsLinux, needsRoot } from '../real-part.ts'
import { type Inside, OWN_MOUNTS, startInside } from './inside.ts'

describeReal("the kernel's complaints", needsLinux() ?? needsRoot(), () => {
  let inside: Inside
  let device: string
  beforeEach(async () => {
    inside = await startInside(OWN_MOUNTS)
    await inside.run('mount', '-t', 'tmpfs', '-o', 'size=24m', 'images', '/mnt')
    await inside.run('truncate', '-s', '16M', '/mnt/image')
    await inside.run('mkfs.ext4', '-q', '/mnt/image')
    device = (await inside.run('losetup', '--find', '--show', '/mnt/image')).trim()
  })
  afterEach(async () => {
    await inside.run('sh', '-c', `umount /mnt/export 2>/dev/null; losetup --detach ${device}`)
    await inside.end()
  })

  /** Said since `startedMs`: an earlier run may have left the same line. */
  const untilFound = (reason: string, startedMs: number) =>
    vi.waitFor(
      async () => {
        const result = await inside.look('kernel-log')
        const judgements = result.kind === 'judged' ? result.judgements : []
        const cause = device.replace('/dev/', '')
        const said = judgements.find((judgement) => judgement.reason === reason && judgement.cause === cause)
        const seconds = said?.evidence.find(({ name }) => name === 'since the last')?.value
        expect(seconds, JSON.stringify(result)).toBeLessThanOrEqual((performance.now() - startedMs) / 1_000 + 0.5)
      },
      { timeout: 15_000, interval: 200 },
    )

  it('are found: a disk that does not answer a read', async () => {
    const startedMs = performance.now()
    await inside.run('truncate', '-s', '0', '/mnt/image')
    await inside.run('sh', '-c', `! dd if=${device} of=/dev/null bs=4096 count=1 iflag=direct 2>/dev/null`)
    await untilFound('DiskErrors', startedMs)
  })

  it('are found: a filesystem that sees itself damaged', async () => {
    const startedMs = performance.now()
    await inside.run('mkdir', '/mnt/export')
    await inside.run('mount', '-o', 'errors=continue', device, '/mnt/export')
    const name = device.replace('/dev/', '')
    await inside.run('sh', '-c', `echo test > /sys/fs/ext4/${name}/trigger_fs_error`)
    await untilFound('FilesystemCorrupt', startedMs)
  })
})
