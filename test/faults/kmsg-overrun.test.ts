/** A real ring of a real kernel that is overrun: in a virtual machine, since this machine's is not for tests to fill. */
import { expect, it } from 'vitest'
import { describeReal } from '../real-part.ts'
import { found } from './inside.ts'
import { needsVm, withVm } from './vm.ts'

describeReal("a kernel's log that is written faster than it can be read", needsVm(), () => {
  it(
    'makes the detector unknown, and loses nothing that it found before',
    () =>
      withVm(
        async (vm) => {
          await vm.sh('echo "I/O error, dev sdz, sector 7" > /dev/kmsg')
          expect(found(await vm.look('kernel-log'))).toEqual(['DiskErrors sdz'])
          // Each write is a record: a MiB at once, through a ring of 128 KiB.
          await vm.sh('dd if=/dev/zero bs=500 count=2000 2>/dev/null | tr "\\0" x > /tmp/flood')
          await vm.sh('dd if=/tmp/flood of=/dev/kmsg bs=500 2>/dev/null')
          expect(found(await vm.look('kernel-log'))).toEqual([
            expect.stringContaining('not all lines could be looked at'),
          ])
          expect(found(await vm.look('kernel-log'))).toEqual(['DiskErrors sdz'])
        },
        { kernel: 'printk.devkmsg=on' },
      ),
    120_000,
  )
})
