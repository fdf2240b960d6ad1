/** The checkers of the simulator, each seen to fail on a verdict that must not be. */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { readScenario } from '../../cli/sim/scenario-file.ts'
import type { Certificate } from '../../mesh/core/model.ts'
import { ringOf } from '../../mesh/core/ring.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { between } from '../../mesh/sim/network.ts'
import { Invariants } from '../../mesh/sim/scenario/invariants.ts'
import { Staging } from '../../mesh/sim/scenario/staging.ts'
import { LEADER, World } from '../../mesh/sim/world.ts'

const VICTIM = 'node-3'

let world: World
let invariants: Invariants
let certificate: Certificate

/** A host has died and is marked, as it should be. */
beforeEach(() => {
  world = new World({ nodes: 16, zones: 3, seed: 1 })
  world.stage.agenda.runUntil(12_000)
  const staging = new Staging({
    scenario: { ...readScenario('host-silent'), faults: [] },
    stage: world.stage,
    seed: 1,
    roll: world.roster.members,
    leader: LEADER,
    observersOf: (subject) => ringOf(world.roster).observersOf(subject),
  })
  invariants = new Invariants(world, staging, DEFAULT_TIMING)
  world.stage.setHost(VICTIM, 'down')
  world.stage.agenda.runUntil(16_000)
  const [commit] = world.commits()
  if (commit === undefined) throw new Error('there is no commit')
  certificate = commit.certificate
})

/** The rule that this verdict breaks; undefined: none. */
function broken(altered: Partial<Certificate> = {}): unknown {
  try {
    invariants.recorded({ kind: 'commit', at: world.stage.agenda.now, certificate: { ...certificate, ...altered } })
  } catch (error) {
    return (error as { rule?: string }).rule
  }
  return undefined
}

describe('a verdict', () => {
  it('that is right passes', () => expect(broken()).toBeUndefined())

  it('with a certificate that was altered does not', () => expect(broken({ present: 16 })).toBe('certificate'))

  it('about a host that has been back for a while does not', () => {
    world.stage.setHost(VICTIM, 'up')
    expect(broken()).toBeUndefined()
    world.stage.agenda.runUntil(18_000)
    expect(broken()).toBe('truth')
  })

  it('by a leader with a third of the members does not', () => {
    const names = world.roster.members.map(({ node }) => node)
    const side = new Set([LEADER, ...names.slice(0, 5)])
    world.stage.network.impair(between(side, new Set(names.slice(5)), 1, false))
    expect(broken()).toBe('minority')
  })

  it('that does not come is missed', () => {
    const episode = {
      node: 'node-5',
      fault: 'host',
      group: 'some',
      state: 'down',
      from: 16_000,
      until: 60_000,
    } as const
    invariants.mustBeMarked(episode, 4_000)
    world.stage.agenda.runUntil(19_000)
    invariants.look()
    world.stage.agenda.runUntil(20_000)
    expect(() => invariants.look()).toThrow('node-5: its host has been silent for 4.0 s')
  })
})

describe('what is kept', () => {
  it('is within its bounds in a mesh that is well', () => {
    expect(() => invariants.look()).not.toThrow()
  })

  it('of inputs that a member does not come to handle is bounded', () => {
    vi.spyOn(world, 'waitingAt').mockImplementation((node) => (node === 'node-7' ? 20_001 : 0))
    expect(() => invariants.look()).toThrow('9, queues and what is kept are bounded: node-7: 20001 inputs wait')
  })

  it('of timers and messages under way is bounded', () => {
    const { agenda } = world.stage
    for (let count = 0; count <= 16 * 10_000; count++) agenda.at(agenda.now + 60_000, () => {})
    expect(() => invariants.look()).toThrow('timers and messages are under way')
  })

  it('of votes is no more than there are observers', () => {
    const { leader } = world.leader
    const { now } = world.stage.agenda
    for (let voter = 0; voter < 40; voter++) {
      leader?.ballots.cast(now, `made-up-${voter}`, {
        kind: 'accusation',
        subject: 'node-5',
        incarnation: { serial: 1, boot: 1, refutations: 0 },
        epoch: 1,
        term: 1,
        opinion: 'NodeDown',
        channel: 'nothing',
        silentMs: 0,
      })
    }
    expect(() => invariants.look()).toThrow('40 ballots about node-5')
  })
})
