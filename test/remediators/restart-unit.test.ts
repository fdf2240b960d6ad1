import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Finding, type HttpReply, NotApplicable } from '../../detectors/contract.ts'
import { makePlan } from '../../remediators/plan.ts'
import { restartUnit } from '../../remediators/restart-unit.ts'
import { type ScratchHost, scratchHost } from '../../remediators/testing/scratch-host.ts'
import { KUBELET_DOWN, runtimeDown, SYSTEMD, setUnit } from './cases/restart-unit.ts'
import { at, finding, fixture } from './parts.ts'

const signal = new AbortController().signal
const CONTAINERD = runtimeDown('/run/containerd/containerd.sock')
const DOCKER = runtimeDown('/run/cri-dockerd.sock')

let scratch: ScratchHost
beforeEach(async () => {
  scratch = await scratchHost(fixture('restart-unit'), SYSTEMD)
})
afterEach(() => scratch.remove())

async function planned(fault: Finding, host = scratch.host, given: unknown = {}) {
  const options = restartUnit.options.parse(given)
  const seen = await restartUnit.inspect?.(host, fault, options, signal)
  if (seen === undefined) throw new Error('it looks at the host')
  return makePlan(restartUnit, fault, restartUnit.plan(fault, options, seen) ?? [], at(0).wall)
}
const apply = (plan: Awaited<ReturnType<typeof planned>>) =>
  restartUnit.apply(plan, scratch.control(restartUnit.touches), signal)

describe('the unit that is restarted', () => {
  it.each([
    [KUBELET_DOWN, 'kubelet.service: containers go on; no pod is started, stopped or probed until it is up'],
    [
      CONTAINERD,
      'containerd.service: containers go on under their shims; none is started or stopped until it is up; kubelet.service is restarted with it',
    ],
    [
      DOCKER,
      'docker.service: containers go on by live-restore; none is started or stopped until it is up; docker.socket is restarted with it',
    ],
    [
      finding('time-daemon', 'TimeNotSynchronised', '', []),
      'chrony.service: containers go on; nothing keeps the clock right until it is up',
    ],
  ])('is that which $reason $cause means, and the plan says what becomes of containers', async (fault, what) => {
    await setUnit(scratch.root, 'kubelet.service', 'ActiveState=active', 'SubState=running')
    const { changes } = await planned(fault)
    expect(changes.map((change) => change.what)).toEqual([what])
  })

  it('has its state, and which run of it is meant, in the plan', async () => {
    expect((await planned(KUBELET_DOWN)).changes[0]?.before).toBe(
      'failed (failed) since Sun 2026-01-04 03:02:01 UTC, invocation 1d0a4c54c2ab4ad5aa6e1f2d6f1c9b01',
    )
  })

  it.each([
    runtimeDown('/run/other.sock'),
    finding('systemd-units', 'UnitFailed', 'nginx.service', []),
    finding('cadvisor-process', 'CadvisorProcessDown', '', []),
  ])('is none for $reason $cause', async (fault) => {
    await expect(planned(fault)).rejects.toThrow(NotApplicable)
  })

  it('is none that settings leave out', async () => {
    await expect(planned(CONTAINERD, scratch.host, { units: ['kubelet.service'] })).rejects.toThrow(NotApplicable)
    expect(restartUnit.options.safeParse({ units: ['sshd.service'] }).success).toBe(false)
  })

  it('is left alone when it has been started since, and stale when it is down in another way', async () => {
    const plan = await planned(CONTAINERD)
    await setUnit(scratch.root, 'containerd.service', `InvocationID=${'a'.repeat(32)}`)
    const before = await scratch.snapshot()
    await apply(plan)
    expect(await scratch.snapshot()).toEqual(before)
    await setUnit(scratch.root, 'containerd.service', 'ActiveState=failed')
    await expect(apply(plan)).rejects.toThrow('and the plan was made for active (running)')
  })
})

describe('a restart that is refused', () => {
  it.each([
    ['kubelet.service', 'UnitFileState=disabled', KUBELET_DOWN, 'is disabled: somebody does not want it to run'],
    ['kubelet.service', 'LoadState=masked', KUBELET_DOWN, 'kubelet.service is masked'],
    ['kubelet.service', 'SubState=auto-restart', KUBELET_DOWN, 'systemd is about to start kubelet.service again'],
    ['containerd.service', 'KillMode=control-group', CONTAINERD, 'KillMode=control-group: a restart would stop'],
    ['containerd.service', 'KillMode=mixed', CONTAINERD, 'KillMode=mixed: a restart would stop'],
    ['docker.service', 'KillMode=mixed', DOCKER, 'KillMode=mixed: a restart would stop'],
    ['containerd.service', 'BoundBy=docker.service', CONTAINERD, 'docker.service would be restarted with'],
    ['kubelet.service', 'PropagatesStopTo=chrony.service', KUBELET_DOWN, 'chrony.service would be restarted with'],
  ])('since %s has %s', async (unit, property, fault, why) => {
    const plan = await planned(fault)
    await setUnit(scratch.root, unit, property)
    await expect(planned(fault)).rejects.toThrow(why)
    // Also when it came to be so after the plan was approved.
    const before = await scratch.snapshot()
    await expect(apply(plan)).rejects.toThrow(why)
    expect(await scratch.snapshot()).toEqual(before)
  })

  it.each(['{}', '{"live-restore": false}', '{"live-restore": "true"}'])('since daemon.json says %s', async (text) => {
    await writeFile(join(scratch.root, 'etc/docker/daemon.json'), text)
    await expect(planned(DOCKER)).rejects.toThrow('a restart of dockerd stops all containers')
  })

  it('since there is no daemon.json', async () => {
    await rm(join(scratch.root, 'etc/docker/daemon.json'))
    await expect(planned(DOCKER)).rejects.toThrow('a restart of dockerd stops all containers')
  })

  it.each([
    [true, undefined],
    [false, 'does not have live-restore on'],
  ])('by what the dockerd that runs says: live-restore %s', async (isOn, why) => {
    const body = JSON.stringify({ LiveRestoreEnabled: isOn })
    const get = async (): Promise<HttpReply> => ({ status: 200, headers: {}, body, tookMs: 1 })
    const plan = planned(DOCKER, { ...scratch.host, get })
    if (why === undefined) await plan
    else await expect(plan).rejects.toThrow(why)
  })

  it('fails when the unit is not active afterwards', async () => {
    const plan = await planned(KUBELET_DOWN)
    const control = scratch.control(restartUnit.touches)
    const run: typeof control.host.run = async (command, options) =>
      command.includes('restart')
        ? { code: 0, signal: null, stdout: '', stderr: '', truncated: false }
        : control.host.run(command, options)
    await expect(restartUnit.apply(plan, { ...control, host: { ...control.host, run } }, signal)).rejects.toThrow(
      'after its restart',
    )
  })
})
