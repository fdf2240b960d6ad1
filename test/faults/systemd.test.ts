import { expect, it } from 'vitest'
import { describeReal } from '../real-part.ts'
import { needsSystemd, withSystemd } from './systemd.ts'

/** The bit of CAP_SYS_TIME in a mask of capabilities. */
const SYS_TIME = 1n << 25n

describeReal('the systemd for faults', needsSystemd(), () => {
  it('is process 1 of a world that is well, and has no right to set the clock of this machine', () =>
    withSystemd(async (systemd) => {
      expect(await systemd.run('systemctl', 'is-system-running')).toBe('running\n')
      for (const id of ['1', 'self']) {
        const status = await systemd.run('cat', `/proc/${id}/status`)
        expect(BigInt(`0x${/^CapBnd:\s*(\w+)/m.exec(status)?.[1]}`) & SYS_TIME).toBe(0n)
      }
      await expect(systemd.run('sh', '-c', 'echo 1 > /proc/sys/vm/overcommit_memory')).rejects.toThrow('Read-only')
    }))
})
