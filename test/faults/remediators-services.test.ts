/** Remediators on a real systemd: a service is down, found by its detector, restarted, and what it had started goes on. */
import { expect, it } from 'vitest'
import { describeReal } from '../real-part.ts'
import { found } from './inside.ts'
import { needsSystemd, withSystemd } from './systemd.ts'

/** Leaves something running beside it, as containerd leaves the shims of containers. */
const CONTAINERD = (killMode: string) => `[Unit]
DefaultDependencies=no
[Service]
ExecStart=/bin/sh -c 'test -e /run/shim.pid || { sleep 1000 & echo $! > /run/shim.pid; }; exec sleep 1000'
KillMode=${killMode}
`

describeReal('a unit of a real systemd', needsSystemd(), () => {
  it('is restarted when it has failed, and what it left running goes on', () =>
    withSystemd(async (systemd) => {
      const invocation = () => systemd.run('systemctl', 'show', '--property=InvocationID', '--value', 'containerd')
      await systemd.unit('containerd.service', CONTAINERD('process'))
      await systemd.run('systemctl', 'start', 'containerd')
      await expect.poll(() => systemd.run('sh', '-c', 'kill -0 $(cat /run/shim.pid) && echo it runs')).toBe('it runs\n')
      expect(found(await systemd.look('systemd-units'))).toEqual([])
      await systemd.run('systemctl', 'kill', '--kill-who=main', '--signal=KILL', 'containerd')
      await expect
        .poll(async () => found(await systemd.look('systemd-units')), { timeout: 10_000 })
        .toEqual(['UnitFailed containerd.service'])

      const plan = await systemd.plan('restart-unit', 'systemd-units')
      expect(plan.changes[0]?.before).toContain(`invocation ${(await invocation()).trim()}`)
      await systemd.apply(plan)
      expect(found(await systemd.look('systemd-units'))).toEqual([])
      expect(await systemd.run('sh', '-c', 'kill -0 $(cat /run/shim.pid) && echo it runs')).toBe('it runs\n')
      const restarted = await invocation()
      await systemd.apply(plan)
      expect(await invocation()).toBe(restarted)

      await systemd.run('systemctl', 'kill', '--kill-who=main', '--signal=KILL', 'containerd')
      await expect
        .poll(async () => found(await systemd.look('systemd-units')), { timeout: 10_000 })
        .toEqual(['UnitFailed containerd.service'])
      await expect(systemd.apply(plan)).rejects.toThrow('and the plan was made for failed')
      await systemd.unit('containerd.service', CONTAINERD('mixed'))
      await expect(systemd.plan('restart-unit', 'systemd-units')).rejects.toThrow('KillMode=mixed')
    }))
})
