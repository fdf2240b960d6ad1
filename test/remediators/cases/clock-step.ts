import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Case } from '../../../remediators/testing/conformance.ts'
import type { StandIn } from '../../../remediators/testing/scratch-host.ts'
import { finding, fixture } from '../parts.ts'

export const FAR_OFF = finding('clock-skew', 'ClockFarOff', '', [
  { name: 'offset', value: 3_000, limit: 1_000, unit: 'ms' },
])

export const offsetFile = (root: string) => join(root, 'run/offset')

/** How far the clock is behind stands in a file of the host, in seconds. */
const chronyc: StandIn = async (args, root) => {
  if (args[0] === 'makestep') {
    await writeFile(offsetFile(root), '0.000002')
    return { stdout: '200 OK\n' }
  }
  if (args[2] === 'sources') return { stdout: '^,*,192.0.2.1,2,6,377,12,0.000002,0.000002,0.000123\n' }
  const offset = await readFile(offsetFile(root), 'utf8')
  if (offset === 'none') return { stdout: '7F7F0101,,0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised\n' }
  const [seconds, reference = '192.0.2.1'] = offset.split(' ')
  return {
    stdout: `C0000201,${reference},3,1767495721.5,${seconds},0.000001,0.000002,-12.3,0.001,0.02,0.0004,0.0002,64.2,Normal\n`,
  }
}
export const CHRONY = { '/usr/bin/chronyc': chronyc }

export const clockStepCases: readonly Case[] = [
  {
    name: 'a clock that is 3 s behind',
    host: fixture('clock-step'),
    finding: FAR_OFF,
    programs: CHRONY,
    disturb: ({ root }) => writeFile(offsetFile(root), '-3.000000'),
  },
]
