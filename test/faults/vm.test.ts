import { expect, it } from 'vitest'
import { describeReal } from '../real-part.ts'
import { found } from './inside.ts'
import { needsVm, withVm } from './vm.ts'

describeReal('the virtual machine for faults', needsVm(), () => {
  it('has a kernel and a clock of its own, in which detectors look, and tells what it said when it ends early', async () => {
    const ended = withVm(async (vm) => {
      await vm.sh('date -s "2001-02-03 04:05:06"')
      expect(await vm.sh('date +%Y')).toBe('2001\n')
      expect(new Date().getFullYear()).toBeGreaterThan(2001)
      expect(found(await vm.look('kernel-params'))).toEqual([])
      await vm.sh('echo 2 > /proc/sys/vm/overcommit_memory')
      expect(found(await vm.look('kernel-params'))).toEqual(['KernelParamDiffers vm.overcommit_memory'])
      await vm.sh('echo last words > /dev/ttyS0; poweroff -f')
    })
    await expect(ended).rejects.toThrow('last words')
  })
})
