/** Who comes back from a verdict in the very life in which it was convicted: its host never died, its links come and go. */
import { expect, test } from 'vitest'
import type { Incarnation } from '../../mesh/core/model.ts'
import { DrivenLeader } from './driven-leader.ts'
import { FIRST_LIFE, nodeName, sampleRoster } from './sample-mesh.ts'

const SUBJECT = nodeName(4)
const HEARS = { opinion: 'Alive', channel: 'userland' } as const
const HOST_ALONE = { opinion: 'AgentDown', channel: 'refused' } as const

/** Convicted twice within a minute, and back each time as `comesBack` has it. */
function twice(comesBack: (leader: DrivenLeader, observers: readonly string[], at: number) => void): DrivenLeader {
  const leader = new DrivenLeader({ roster: sampleRoster({ nodes: 20 }) })
  leader.leader.lives(SUBJECT, FIRST_LIFE)
  for (const at of [0, 30_000]) {
    leader.convict(SUBJECT, at, { incarnation: leader.leader.lifeOf(SUBJECT) })
    comesBack(leader, leader.observersOf(SUBJECT), at + 5_000)
  }
  expect(leader.noticed('recovered')).toHaveLength(2)
  return leader
}

/** Its ports answer, as those of a host do that has just started; its agent some seconds later. */
function startsAgain(leader: DrivenLeader, observers: readonly string[], at: number, isNewLife: boolean): void {
  const answers = { ...HOST_ALONE, incarnation: leader.leader.lifeOf(SUBJECT) }
  for (const ms of [at, at + 1_000]) {
    leader.now = ms
    leader.accuse(SUBJECT, observers, answers).tick(ms)
  }
  const life = leader.leader.lifeOf(SUBJECT)
  const incarnation: Incarnation = isNewLife ? { ...life, boot: life.boot + 1 } : life
  leader.leader.lives(SUBJECT, incarnation)
  leader.now = at + 5_000
  leader.accuse(SUBJECT, observers, { ...HEARS, incarnation }).tick(at + 5_000)
  expect(leader.noticed('agentUp').length).toBeGreaterThan(0)
}

test('twice heard again as it was: its links are at fault', () => {
  const leader = twice((mesh, observers, at) => {
    mesh.now = at
    mesh.accuse(SUBJECT, observers, HEARS).tick(at)
  })
  expect(leader.noticed('linkFault')).toMatchObject([{ subject: SUBJECT, open: true }])
})

test('twice its host alone answered first: that says nothing until its agent is heard, in which life it is', () => {
  const rebooted = twice((leader, observers, at) => startsAgain(leader, observers, at, true))
  expect(rebooted.noticed('linkFault')).toEqual([])
  const flapping = twice((leader, observers, at) => startsAgain(leader, observers, at, false))
  expect(flapping.noticed('linkFault')).toMatchObject([{ subject: SUBJECT, open: true }])
})
