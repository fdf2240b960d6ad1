/** A host that hangs, or one whose links lose packets: both are silent for long, and both take connects. */
import { expect, test } from 'vitest'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { DrivenLeader } from './driven-leader.ts'
import { nodeName, sampleRoster } from './sample-mesh.ts'

const SUBJECT = nodeName(4)
const { hostHungMs } = DEFAULT_TIMING
const HUNG = { opinion: 'HostHung', channel: 'mute', silentMs: hostHungMs, forMs: hostHungMs } as const
const UNREACHED = { opinion: 'NodeDown', channel: 'nothing', forMs: hostHungMs } as const

test.each([
  { links: 'at fault', missed: 1, verdicts: 0 },
  { links: 'at fault', missed: 0, verdicts: 1 },
  { links: 'well', missed: 1, verdicts: 1 },
])('links $links, $missed of ten connects lost: $verdicts verdicts of HostHung', ({ links, missed, verdicts }) => {
  const leader = new DrivenLeader({ roster: sampleRoster({ nodes: 20 }) })
  // It came back as it was, twice: then its links are held to be at fault.
  if (links === 'at fault') for (const ms of [0, 1]) leader.leader.disputes.cameBackAsItWas(ms, SUBJECT)
  const observers = leader.observersOf(SUBJECT)
  leader.accuse(SUBJECT, observers, HUNG).tick(2)
  const answers = observers.map((voter, index) => leader.answer(SUBJECT, voter, index < missed ? UNREACHED : HUNG))
  leader.hears(answers).tick(20)
  expect(leader.certificates.map(({ kind }) => kind)).toEqual(Array(verdicts).fill('HostHung'))
  if (verdicts === 0) expect(leader.noticed('withheld')[0]?.why).toContain('links are at fault')
})
