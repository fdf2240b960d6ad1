import { expect, it } from 'vitest'
import { describeReal } from '../real-part.ts'
import { found } from './inside.ts'
import { needsSystemd, withSystemd } from './systemd.ts'

const unit = (service: string, more = '') => `[Unit]\nDefaultDependencies=no\n${more}\n[Service]\n${service}\n`

describeReal('units of a real systemd', needsSystemd(), () => {
  it('are found failed, restarting, and stopped', () =>
    withSystemd(async (systemd) => {
      const wanted = { wanted: ['wanted.service'] }
      await systemd.unit('wanted.service', unit('ExecStart=/bin/sleep 1000'))
      await systemd.run('systemctl', 'start', 'wanted.service')
      expect(found(await systemd.look('systemd-units', wanted))).toEqual([])
      await systemd.run('systemctl', 'stop', 'wanted.service')
      expect(found(await systemd.look('systemd-units', wanted))).toEqual(['UnitNotActive wanted.service'])

      await systemd.unit('fails.service', unit('Type=oneshot\nExecStart=/bin/false'))
      await systemd.run('sh', '-c', 'systemctl start fails.service || true')
      expect(found(await systemd.look('systemd-units'))).toEqual(['UnitFailed fails.service'])
      await systemd.run('systemctl', 'reset-failed', 'fails.service')
      expect(found(await systemd.look('systemd-units'))).toEqual([])

      const forEver = 'StartLimitIntervalSec=0'
      await systemd.unit('loops.service', unit('ExecStart=/bin/false\nRestart=always\nRestartSec=100ms', forEver))
      await systemd.run('systemctl', 'start', 'loops.service')
      await expect
        .poll(async () => found(await systemd.look('systemd-units')), { timeout: 20_000, interval: 200 })
        .toEqual(['UnitRestarting loops.service'])
    }))
})
