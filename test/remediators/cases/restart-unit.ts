import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Case } from '../../../remediators/testing/conformance.ts'
import type { StandIn } from '../../../remediators/testing/scratch-host.ts'
import { finding, fixture } from '../parts.ts'

const host = fixture('restart-unit')

/** Units are files of the host, as systemctl shows them. */
const unitFile = (root: string, unit: string) => join(root, 'run/units', unit)

/** Changes properties of a unit, as `ActiveState=failed`. */
export async function setUnit(root: string, unit: string, ...properties: readonly string[]): Promise<void> {
  let text = await readFile(unitFile(root, unit), 'utf8')
  for (const property of properties) {
    const [name = ''] = property.split('=')
    text = text.replace(new RegExp(`^${name}=.*$`, 'm'), property)
  }
  await writeFile(unitFile(root, unit), text)
}

const systemctl: StandIn = async ([, verb, ...rest], root) => {
  const units = rest.slice(rest.indexOf('--') + 1)
  if (verb === 'show') {
    const blocks = units.map((unit) =>
      readFile(unitFile(root, unit), 'utf8').catch(() => `Id=${unit}\nLoadState=not-found\n`),
    )
    return { stdout: (await Promise.all(blocks)).join('\n') }
  }
  if (verb === 'restart') {
    const anew = ['ActiveState=active', 'SubState=running', `InvocationID=${'f'.repeat(32)}`]
    for (const unit of units) await setUnit(root, unit, ...anew)
  }
  return {}
}
export const SYSTEMD = { '/usr/bin/systemctl': systemctl }

export const KUBELET_DOWN = finding('kubelet-process', 'KubeletDown', '', [])
export const runtimeDown = (socket: string) => finding('runtime-health', 'RuntimeDown', socket, [])

const failedSince =
  (unit: string): Case['disturb'] =>
  ({ root }) =>
    setUnit(root, unit, 'ActiveState=failed', 'SubState=failed', `InvocationID=${'e'.repeat(32)}`)

export const restartUnitCases: readonly Case[] = [
  {
    name: 'a kubelet that failed',
    host,
    finding: KUBELET_DOWN,
    programs: SYSTEMD,
    disturb: failedSince('kubelet.service'),
  },
  {
    name: 'a dockerd that does not answer',
    host,
    finding: runtimeDown('/run/cri-dockerd.sock'),
    programs: SYSTEMD,
    disturb: failedSince('docker.service'),
  },
  {
    name: 'a unit that is named',
    host,
    finding: finding('systemd-units', 'UnitFailed', 'containerd.service', []),
    programs: SYSTEMD,
    disturb: failedSince('containerd.service'),
  },
]
