import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { describeReal, needsLinux, needsProgram, needsRoot } from '../real-part.ts'
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

const noRsyslog = needsLinux() ?? needsRoot() ?? needsProgram('rsyslogd')

describeReal('a real rsyslog with its own files', noRsyslog, () => {
  let inside: Inside
  beforeEach(async () => {
    inside = await startInside(OWN_MOUNTS)
    await inside.run('mount', '-t', 'tmpfs', '-o', 'size=4m', 'files', '/mnt')
  })
  afterEach(() => inside.end())
  const write = async (...lines: readonly string[]) => {
    await inside.run('sh', '-c', 'printf "%s\\n" "$@" > /mnt/rsyslog.conf', 'sh', ...lines)
    await inside.run('mount', '--bind', '/mnt/rsyslog.conf', '/etc/rsyslog.conf')
  }
  // What this machine's kernel and journal are set to is not the test's to say.
  const look = async (options: unknown = {}) =>
    found(await inside.look('syslog-level', options)).filter((text) => text.startsWith('Syslog'))

  it('is found down, then running, then dead', async () => {
    await write('module(load="imuxsock" SysSock.Use="off")', '*.info /mnt/all.log')
    expect(await look()).toEqual(['SyslogDown rsyslogd'])
    await inside.run('rsyslogd', '-N1', '-f', '/etc/rsyslog.conf')
    await inside.run('rsyslogd', '-f', '/etc/rsyslog.conf', '-i', '/mnt/rsyslogd.pid')
    await vi.waitFor(async () => expect(await look()).toEqual([]), { timeout: 15_000 })
    await inside.run('sh', '-c', 'kill -KILL $(cat /mnt/rsyslogd.pid)')
    await vi.waitFor(async () => expect(await look()).toEqual(['SyslogDown rsyslogd']), { timeout: 15_000 })
  })

  it('is found to take too much, by a file that it accepts itself', async () => {
    await write(
      'module(load="imuxsock" SysSock.Use="off")',
      '*.*;auth,authpriv.none -/mnt/all.log',
      '*.info /mnt/info.log',
    )
    await inside.run('rsyslogd', '-N1', '-f', '/etc/rsyslog.conf')
    expect(await look({ daemons: false, catchAllMax: 'info' })).toEqual([
      'SyslogTooVerbose *.*;auth,authpriv.none -/mnt/all.log',
    ])
  })
})
