import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeReal, needsLinux, needsRoot } from '../real-part.ts'
import { found, type Inside, OWN_MOUNTS, startInside } from './inside.ts'

describeReal('what is installed on a real host', needsLinux() ?? needsRoot(), () => {
  let inside: Inside
  beforeEach(async () => {
    inside = await startInside(OWN_MOUNTS)
  })
  afterEach(() => inside.end())

  it('is found to be newer than the kernel that runs', async () => {
    const release = (await inside.run('uname', '-r')).trim()
    await inside.run('mount', '-t', 'tmpfs', 'boot', '/boot')
    await inside.run('touch', `/boot/vmlinuz-${release}`)
    const options = { expectedTaints: [] }
    const before = found(await inside.look('kernel-version', options))
    expect(before).not.toContain('KernelUpdatePending')
    await inside.run('touch', `/boot/vmlinuz-${release.replace(/^\d+/, (major) => String(Number(major) + 1))}`)
    expect(found(await inside.look('kernel-version', options))).toEqual(['KernelUpdatePending', ...before])
    expect(found(await inside.look('kernel-version', { ...options, min: '99.0' }))).toContain('KernelUnwanted')
  })
})
