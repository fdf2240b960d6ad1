import { expect, it } from 'vitest'
import type { PeerOffset } from '../../detectors/contract.ts'
import { describeReal } from '../real-part.ts'
import { found } from './inside.ts'
import { needsVm, type Vm, withVm } from './vm.ts'

const UNIT = '/etc/systemd/system/multi-user.target.wants/chrony.service'
const SERVER = ['local stratum 8', 'port 11123', 'allow', 'cmdport 0', 'bindcmdaddress /', 'pidfile /run/server.pid']
/** It polls four times a second, so that eight questions without an answer take no longer than two. */
const CLIENT = (more: string) => `server 127.0.0.1 port 11123 iburst minpoll -2 maxpoll -2 ${more}\nport 0\ncmdport 0\n`

/** This machine's clock against that of the virtual one, with half of the round trip as its error, as peers measure it. */
async function measured(vm: Vm, node: string): Promise<PeerOffset> {
  const startedMs = Date.now()
  const theirMs = Number(await vm.sh('date +%s')) * 1_000
  const endedMs = Date.now()
  // A second is all that its `date` tells apart.
  return { node, offsetMs: (startedMs + endedMs) / 2 - theirMs - 500, errorMs: (endedMs - startedMs) / 2 + 500 }
}

async function measuredBy(vm: Vm, ...nodes: readonly string[]): Promise<readonly PeerOffset[]> {
  const offsets: PeerOffset[] = []
  for (const node of nodes) offsets.push(await measured(vm, node))
  return offsets
}

describeReal('a clock in a virtual machine', needsVm(), () => {
  it(
    'is found wrong against peers, against its servers, and without anything that keeps it right',
    () =>
      withVm(
        async (vm) => {
          // It took its clock from one that counts whole seconds, as any machine does at its start.
          const coarse = { warn: '2s', alarm: '5s' }
          expect(found(await vm.look('clock-skew', coarse, await measuredBy(vm, 'a', 'b', 'c')))).toEqual([])
          expect(found(await vm.look('time-daemon'))).toEqual(['TimeDaemonDown'])
          await vm.sh('date -s @$(($(date +%s) - 60))')
          const offsets = await measuredBy(vm, 'a', 'b', 'c')
          expect(found(await vm.look('clock-skew', {}, offsets))).toEqual([
            'ClockSkewed',
            'ClockFarOff',
            'ClockUnusable',
          ])
          expect(found(await vm.look('clock-skew'))[0]).toMatch(/^not-applicable: 0 peers have been measured/)

          await vm.sh('mkdir -m 750 /run/chrony && chronyd -x -u root -f /etc/server.conf')
          await vm.sh('chronyd -x -u root -f /etc/client.conf')
          await expect.poll(async () => found(await vm.look('clock-skew')), { timeout: 20_000 }).toEqual([])
          await expect.poll(async () => found(await vm.look('time-daemon')), { timeout: 20_000 }).toEqual([])
          await vm.sh('kill $(cat /run/server.pid)')
          await expect
            .poll(async () => found(await vm.look('time-daemon')), { timeout: 20_000 })
            .toEqual(['TimeNotSynchronised'])
          await vm.sh('kill -9 $(pidof chronyd)')
          expect(found(await vm.look('time-daemon'))).toEqual(['TimeDaemonDown'])

          await vm.sh(
            'chronyd -x -u root -f /etc/server.conf; rm -f /run/chrony/*; chronyd -x -u root -f /etc/off.conf',
          )
          await expect
            .poll(async () => found(await vm.look('clock-skew')), { timeout: 20_000 })
            .toEqual(['ClockSkewed', 'ClockFarOff'])

          await vm.sh('kill -9 $(pidof chronyd); rm -f /run/chrony/* /run/server.pid')
          await vm.sh('chronyd -x -u root -f /etc/server.conf; rm -f /run/chrony/*; chronyd -u root -f /etc/step.conf')
          await expect
            .poll(async () => found(await vm.look('clock-skew')), { timeout: 20_000 })
            .toEqual(['ClockSkewed', 'ClockFarOff', 'ClockUnusable'])
          const step = await vm.plan('clock-step', 'clock-skew')
          expect(step.changes[0]?.before).toBe('behind 127.0.0.1 by 10 s or more')
          const before = await measured(vm, 'a')
          await vm.apply(step)
          expect(found(await vm.look('clock-skew'))).toEqual([])
          const after = await measured(vm, 'a')
          const [stepMs, errorMs] = [after.offsetMs - before.offsetMs, after.errorMs + before.errorMs]
          expect(Math.abs(stepMs + 30_000)).toBeLessThan(errorMs + 3_000)

          expect(found(await vm.look('clocksource'))).toEqual([])
          await vm.sh('echo hpet > /sys/devices/system/clocksource/clocksource0/current_clocksource')
          expect(found(await vm.look('clocksource'))).toEqual(['ClocksourceSlow'])
        },
        {
          // On a busy machine the emulated counter may be late for the kernel, which then falls back to hpet by itself.
          kernel: 'tsc=reliable',
          programs: ['/usr/sbin/chronyd', '/usr/bin/chronyc'],
          files: {
            [UNIT]: '',
            '/etc/server.conf': `${SERVER.join('\n')}\n`,
            '/etc/client.conf': CLIENT(''),
            // What this server says is taken to be three seconds later than it is.
            '/etc/off.conf': CLIENT('offset 3'),
            // Polled once more only after the step has been looked at.
            '/etc/step.conf': 'server 127.0.0.1 port 11123 iburst minpoll 10 offset 30\nport 0\ncmdport 0\n',
          },
        },
      ),
    90_000,
  )
})
