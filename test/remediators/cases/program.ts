import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readRemediatorManifest } from '../../../plugins/remediator-manifest.ts'
import type { Case } from '../../../remediators/testing/conformance.ts'
import type { StandIn } from '../../../remediators/testing/scratch-host.ts'
import { finding, fixture } from '../parts.ts'

export const FAN_MANIFEST = `kind: remediator
name: start-fan
version: 1.0.0
summary: Starts a fan that stands still.
handles: [FanStopped]
reach: none
risk: low
reversible: true
state: { command: [/opt/fixes/fan, state], wanted: turning }
apply: [/opt/fixes/fan, set, turning]
revert: [/opt/fixes/fan, set, stopped]
timeout: 10s
`
export const readManifest = (text = FAN_MANIFEST) => readRemediatorManifest(text, '/etc/starling/plugins.d/x.yaml')

export const FAN_STOPPED = finding('fans', 'FanStopped', '', [{ name: 'speed', value: 0, limit: 300, unit: 'rpm' }])

/** The fan is a file of the host. */
const fan: StandIn = async ([verb, to = ''], root) => {
  const file = join(root, 'run/fan')
  if (verb === 'state') return { stdout: await readFile(file, 'utf8') }
  await writeFile(file, `${to}\n`)
  return {}
}
export const PROGRAMS = { '/opt/fixes/fan': fan }

export const programCases: readonly Case[] = [
  {
    name: 'a fan that stands still',
    host: fixture('program'),
    finding: FAN_STOPPED,
    programs: PROGRAMS,
    disturb: ({ root }) => writeFile(join(root, 'run/fan'), 'on fire\n'),
  },
]
