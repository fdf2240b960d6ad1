import { describe, expect, test } from 'vitest'
import { Ballots } from '../../mesh/core/ballots.ts'
import { Conditions } from '../../mesh/core/conditions.ts'
import { Membership } from '../../mesh/core/membership.ts'
import { DrivenLeader } from './driven-leader.ts'
import { FIRST_LIFE, nodeName, sampleRoster } from './sample-mesh.ts'

const SUBJECT = nodeName(4)
const AGENT_DOWN = { opinion: 'AgentDown', channel: 'userland' } as const
const ALIVE = { opinion: 'Alive', channel: 'unknown', silentMs: 0 } as const

function meshOfTwenty(): DrivenLeader {
  return new DrivenLeader({ roster: sampleRoster({ nodes: 20 }) })
}

describe('a dead agent on a living host', () => {
  test('is reported when six of ten say so, without any roll-call', () => {
    const leader = meshOfTwenty()
    const observers = leader.observersOf(SUBJECT)
    expect(leader.accuse(SUBJECT, observers.slice(0, 5), AGENT_DOWN).tick(0).notices).toEqual([])
    leader.accuse(SUBJECT, observers.slice(5, 6), AGENT_DOWN).tick(1)
    expect(leader.notices).toEqual([{ kind: 'agentDown', subject: SUBJECT, voters: observers.slice(0, 6) }])
    expect(leader.leader.conditions.agentDown.has(SUBJECT)).toBe(true)
    expect([leader.calls, leader.certificates]).toEqual([[], []])
  })

  test('is not reported while three hear the agent', () => {
    const leader = meshOfTwenty()
    const observers = leader.observersOf(SUBJECT)
    leader.accuse(SUBJECT, observers.slice(0, 3), ALIVE).accuse(SUBJECT, observers.slice(3), AGENT_DOWN).tick(0)
    expect(leader.notices).toEqual([])
  })

  test('is told to be back when the observers hear it, even if an accuser died with its accusation standing', () => {
    const leader = meshOfTwenty()
    const observers = leader.observersOf(SUBJECT)
    leader.accuse(SUBJECT, observers, AGENT_DOWN).tick(0)
    leader.accuse(SUBJECT, observers.slice(4), ALIVE).tick(100)
    expect(leader.notices.map(({ kind }) => kind)).toEqual(['agentDown', 'agentUp'])
  })

  test('is forgotten when the host dies too', () => {
    const leader = meshOfTwenty()
    leader.accuse(SUBJECT, leader.observersOf(SUBJECT), AGENT_DOWN).tick(0)
    leader.convict(SUBJECT, 5_000)
    expect(leader.certificates).toHaveLength(1)
    expect(leader.leader.conditions.agentDown.has(SUBJECT)).toBe(false)
  })
})

test('a verdict about who is no member is nobody’s to end, and does not stand', () => {
  const incarnation = FIRST_LIFE
  const standing = ['stranger', SUBJECT].map(
    (subject) => ({ verdictId: 'v', kind: 'NodeDown', subject, incarnation }) as const,
  )
  const membership = new Membership(sampleRoster({ nodes: 20 }))
  const conditions = new Conditions(membership, new Ballots(60_000), standing)
  expect([...conditions.standing.keys()]).toEqual([SUBJECT])
})

describe('recovery', () => {
  const convicted = () => meshOfTwenty().convict(SUBJECT, 0)

  test('a verdict that could not be acted on ends without being held against anybody, and can come again', () => {
    const leader = convicted()
    for (const at of [10_000, 20_000]) {
      leader.leader.conditions.reopen(SUBJECT)
      leader.tick(at)
      expect(leader.leader.conditions.standing.has(SUBJECT)).toBe(false)
      leader.convict(SUBJECT, at + 1_000)
    }
    expect(leader.noticed('recovered')).toHaveLength(2)
    expect(leader.noticed('linkFault')).toEqual([])
    expect(leader.certificates).toHaveLength(3)
    leader.leader.conditions.reopen('nobody')
    leader.tick(30_000)
    expect(leader.noticed('recovered')).toHaveLength(2)
  })

  test('needs six of ten that hear the subject, and fewer than three that do not', () => {
    const leader = convicted()
    const observers = leader.observersOf(SUBJECT)
    expect(leader.leader.conditions.standing.has(SUBJECT)).toBe(true)
    // Seven hear it, but three accusations still stand.
    leader.accuse(SUBJECT, observers.slice(0, 7), ALIVE).tick(1_000)
    expect(leader.noticed('recovered')).toEqual([])
    leader.accuse(SUBJECT, observers.slice(7, 8), ALIVE).tick(1_001)
    expect(leader.noticed('recovered')).toMatchObject([{ verdict: { subject: SUBJECT, incarnation: FIRST_LIFE } }])
    expect(leader.leader.conditions.standing.has(SUBJECT)).toBe(false)
  })

  test('is announced by the first that hear it, once, so that the others look at once', () => {
    const leader = meshOfTwenty().convict(SUBJECT, 0)
    const observers = leader.observersOf(SUBJECT)
    leader.accuse(SUBJECT, observers.slice(0, 1), ALIVE).tick(100)
    leader.accuse(SUBJECT, observers.slice(1, 3), ALIVE).tick(200)
    expect(leader.noticed('heardAgain')).toHaveLength(1)
    expect(leader.noticed('recovered')).toEqual([])
    leader.accuse(SUBJECT, observers, ALIVE).tick(300).convict(SUBJECT, 5_000)
    leader.accuse(SUBJECT, observers.slice(0, 1), ALIVE).tick(9_000)
    expect(leader.noticed('heardAgain')).toHaveLength(2)
  })

  test('does not come of accusations that have merely expired', () => {
    const leader = convicted().tick(600_000)
    expect(leader.noticed('recovered')).toEqual([])
    const observers = leader.observersOf(SUBJECT)
    leader.accuse(SUBJECT, observers.slice(0, 5), ALIVE).tick(600_001)
    expect(leader.noticed('recovered')).toEqual([])
  })

  test('also comes of a host that answers without its agent', () => {
    const leader = convicted()
    leader.accuse(SUBJECT, leader.observersOf(SUBJECT), AGENT_DOWN).tick(1_000)
    expect(leader.noticed('recovered')[0]?.why).toContain('host answers')
  })

  test('is possible for a verdict that the leader found on record', () => {
    const standing = { verdictId: 'old', kind: 'NodeDown', subject: SUBJECT, incarnation: FIRST_LIFE } as const
    const leader = new DrivenLeader({ roster: sampleRoster({ nodes: 20 }), standing: [standing] })
    leader.accuse(SUBJECT, leader.observersOf(SUBJECT), ALIVE).tick(0)
    expect(leader.noticed('recovered')).toMatchObject([{ verdict: standing }])
  })

  test('makes a later silence a new case with a verdict of its own', () => {
    const leader = convicted()
    leader.accuse(SUBJECT, leader.observersOf(SUBJECT), ALIVE).tick(10_000)
    leader.convict(SUBJECT, 20_000)
    expect(new Set(leader.certificates.map(({ verdictId }) => verdictId)).size).toBe(2)
  })

  test('does not ask again about a subject whose verdict stands', () => {
    const leader = convicted()
    const calls = leader.calls.length
    for (let ms = 1_000; ms < 20_000; ms += 1_000) leader.accuse(SUBJECT, leader.observersOf(SUBJECT)).tick(ms)
    expect(leader.calls).toHaveLength(calls)
  })
})
