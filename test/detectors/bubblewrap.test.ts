import { describe, expect, it } from 'vitest'
import { seesAll, unenforced, viewArguments } from '../../detectors/host/bubblewrap.ts'
import type { ProgramView } from '../../detectors/host/program-view.ts'

const NOTHING: ProgramView = { shown: [], writable: [], links: new Map(), hasOwnProc: false }
const KIB = 1024

/** Without the option that says how much goes into /tmp, which has a test of its own. */
const of = (view: Partial<ProgramView>) => viewArguments({ ...NOTHING, ...view }, 0).join(' ')

describe('the arguments of bubblewrap', () => {
  it('are a view with nothing in it, which cannot be written', () => {
    expect(viewArguments(NOTHING, 0)).toEqual([
      ...['--unshare-pid', '--unshare-ipc', '--die-with-parent', '--chdir', '/'],
      ...['--dev', '/dev', '--perms', '1777', '--size', `${16 * KIB * KIB}`, '--tmpfs', '/tmp'],
      ...['--remount-ro', '/', '--remount-ro', '/dev', '--'],
    ])
  })

  it('make the folders above what is shown open to every user, before it', () => {
    expect(of({ shown: ['/opt/a/b', '/usr/lib'] })).toContain(
      [
        '--tmpfs /tmp --perms 0755 --dir /opt --perms 0755 --dir /opt/a --perms 0755 --dir /usr',
        '--ro-bind-try /opt/a/b /opt/a/b --ro-bind-try /usr/lib /usr/lib --remount-ro',
      ].join(' '),
    )
  })

  it('show nothing twice: no file, link or folder of a folder that is shown', () => {
    const links = new Map([
      ['/lib', 'usr/lib'],
      ['/usr/lib/x.so', 'x.so.1'],
    ])
    const words = of({ shown: ['/usr/lib', '/usr/lib/x.so.1', '/usr/lib', '/usr/libexec'], links })
    expect(words.match(/--ro-bind-try \S+/g)).toEqual(['--ro-bind-try /usr/lib', '--ro-bind-try /usr/libexec'])
    expect(words.match(/--symlink \S+ \S+/g)).toEqual(['--symlink usr/lib /lib'])
  })

  it('show below /tmp, /dev and a /proc of its own what is named there, and nothing else of the host', () => {
    const words = of({ shown: ['/', '/tmp/a/b', '/dev/kmsg', '/var/x'], hasOwnProc: true })
    expect(words).toContain('--ro-bind / / --dev /dev --proc /proc --perms')
    expect(words).toContain('--tmpfs /tmp --perms 0755 --dir /tmp/a --ro-bind-try /tmp/a/b /tmp/a/b')
    expect(words).toContain('--dev-bind-try /dev/kmsg /dev/kmsg')
    expect(words).not.toContain('/var/x')
  })

  it('let be written, last, what may be, also in a folder that may be read', () => {
    const words = of({ shown: ['/var/lib'], writable: ['/var/lib/x', '/dev/watchdog'] })
    expect(words).toMatch(
      / --ro-bind-try \/var\/lib \/var\/lib --bind-try \/var\/lib\/x \/var\/lib\/x --dev-bind-try \/dev\/watchdog \/dev\/watchdog --remount-ro /,
    )
  })

  it('give /tmp room for the largest file that may be written', () => {
    expect(viewArguments(NOTHING, 64 * KIB * KIB)).toContain(`${64 * KIB * KIB}`)
  })
})

describe('whether it is to be used', () => {
  it('is not where a program may change everything, or is none of a manifest', async () => {
    expect(seesAll({ writes: ['/var/**', '/**'] })).toBe(true)
    expect(seesAll({ writes: ['/var/**'] })).toBe(false)
    expect(await unenforced({ paths: ['/**'], commands: ['/**'], writes: ['/**'] })).toBeUndefined()
    expect(await unenforced({ paths: ['/etc/one'] })).toBeUndefined()
  })
})
