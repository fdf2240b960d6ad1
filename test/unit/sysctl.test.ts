import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normaliseSysctl, sysctlPath } from '../../common/sysctl.ts'

describe('sysctl', () => {
  it('turns dots into slashes, and a slash into a dot', () => {
    expect(sysctlPath('vm.min_free_kbytes')).toBe('/proc/sys/vm/min_free_kbytes')
    expect(sysctlPath('net.ipv4.conf.eth0/100.rp_filter')).toBe('/proc/sys/net/ipv4/conf/eth0.100/rp_filter')
  })

  it.each(['', '.', '..', 'a.', '.a', 'a..b', 'a.//.b', '/etc/passwd', 'a b', 'a\0b', 'a\nb', 'vm.é'])(
    'refuses %j as a key',
    (key) => {
      expect(() => sysctlPath(key)).toThrow(RangeError)
    },
  )

  it('never names a file outside /proc/sys', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a./]{1,12}$/), (key) => {
        let path: string
        try {
          path = sysctlPath(key)
        } catch {
          return
        }
        expect(new URL(`file://${path}`).pathname).toBe(path)
        expect(path.startsWith('/proc/sys/')).toBe(true)
      }),
    )
  })

  it('reads tabs and spaces alike', () => {
    expect(normaliseSysctl('4096\t131072\t 6291456\n')).toBe('4096 131072 6291456')
  })
})
