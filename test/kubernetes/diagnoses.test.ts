/** What the mesh finds about nodes that live, and how long it is held against them. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ApiError } from '../../aggregator/kubernetes/api-error.ts'
import { Diagnoses, type LeaderView } from '../../aggregator/kubernetes/diagnoses.ts'
import { diagnose, refusesAll } from '../../aggregator/kubernetes/marking/diagnosis.ts'
import { silentLog } from '../../common/log.ts'
import { Ballots } from '../../mesh/core/ballots.ts'
import type { ChannelResult } from '../../mesh/core/model.ts'

const LIFE = { serial: 1, boot: 1, refutations: 0 }
const NEEDED = 3

function ballotsOf(...channels: readonly ChannelResult[]): Ballots {
  const ballots = new Ballots(60_000)
  channels.forEach((channel, index) => {
    const about = { subject: 'a', incarnation: LIFE, epoch: 1, term: 1, silentMs: 4_000 }
    ballots.cast(0, `o${index}`, { kind: 'accusation', ...about, opinion: 'AgentDown', channel })
  })
  return ballots
}

const agentDown = (...channels: readonly ChannelResult[]) => ({
  ballots: ballotsOf(...channels).about('a'),
  needed: NEEDED,
})
const REFUSED = ['refused', 'refused', 'refused'] as const

describe('the rule', () => {
  test.each([
    [REFUSED, true],
    [[...REFUSED, 'unknown'] as const, true],
    [['refused', 'refused'] as const, false],
    [['refused', 'refused', 'unknown'] as const, false],
    [[...REFUSED, 'userland'] as const, false],
    [['userland', 'userland', 'userland'] as const, false],
    [[] as const, false],
  ])('a host that says %j to its observers refuses all: %s', (channels, expected) => {
    expect(refusesAll(agentDown(...channels))).toBe(expected)
  })

  test.each([
    ['AgentDown, refused, no renewal', { agentDown: agentDown(...REFUSED), hasLapsed: true }, ['KubeletDown']],
    ['a kubelet that renews behind a firewall', { agentDown: agentDown(...REFUSED), hasLapsed: false }, []],
    ['a Lease that is not known', { agentDown: agentDown(...REFUSED), hasLapsed: undefined }, []],
    ['an agent alone', { agentDown: agentDown('userland', 'userland', 'userland'), hasLapsed: true }, []],
    ['a Lease alone', { agentDown: undefined, hasLapsed: true }, []],
    ['links at fault', { agentDown: undefined, hasLapsed: undefined, hasLinkFault: true }, ['LinkFault']],
  ])('%s', (_, seen, expected) => {
    expect(Object.keys(diagnose({ hasLinkFault: false, ...seen }))).toEqual(expected)
  })
})

describe('what is kept of it', () => {
  let view: { -readonly [K in keyof LeaderView]: LeaderView[K] } | undefined
  let down: Set<string>
  let linkFaults: string[]
  let hasLapsed: () => Promise<boolean | undefined>
  let asked: number
  let changes: string[]
  let diagnoses: Diagnoses

  beforeEach(() => {
    vi.useFakeTimers()
    down = new Set()
    linkFaults = []
    asked = 0
    changes = []
    hasLapsed = async () => true
    view = {
      ballots: ballotsOf(...REFUSED),
      conditions: { agentDown: down, neededFor: () => NEEDED },
      disputes: {
        get linkFaults() {
          return linkFaults
        },
        hasLinkFault: (node) => linkFaults.includes(node),
      },
      frozen: undefined,
    }
    diagnoses = new Diagnoses({
      leader: () => view,
      witness: {
        hasLapsed: () => {
          asked++
          return hasLapsed()
        },
      },
      log: silentLog,
      changed: (node) => void changes.push(`${node}: ${reasonsOf(node)}`),
      now: () => 0,
      wall: () => new Date().toISOString(),
    })
    diagnoses.start()
  })
  afterEach(async () => {
    await diagnoses.stop()
    vi.useRealTimers()
  })

  const reasonsOf = (node: string) =>
    diagnoses
      .of(node)
      .map(({ reason }) => reason)
      .join()
  const soon = () => vi.advanceTimersByTimeAsync(5_000)

  test('is found when the mesh tells of it, once, and over when it is', async () => {
    linkFaults = ['a']
    diagnoses.look('a')
    await vi.advanceTimersByTimeAsync(0)
    expect(changes).toEqual(['a: LinkFault'])
    const [first] = diagnoses.of('a')
    expect(first).toMatchObject({ node: 'a', detector: 'mesh', status: 'alarm' })
    await soon()
    expect(diagnoses.of('a')).toEqual([first])
    linkFaults = []
    await soon()
    expect(changes).toEqual(['a: LinkFault', 'a: '])
  })

  test('a second time is another finding', async () => {
    linkFaults = ['a']
    await soon()
    const [first] = diagnoses.of('a')
    linkFaults = []
    await soon()
    linkFaults = ['a']
    await soon()
    expect(diagnoses.of('a')[0]?.id).not.toBe(first?.id)
  })

  test('the Lease is read only for hosts that refuse, and again and again', async () => {
    await soon()
    expect(asked).toBe(0)
    down.add('a')
    hasLapsed = async () => undefined
    await soon()
    expect([asked, reasonsOf('a')]).toEqual([1, ''])
    hasLapsed = async () => true
    await soon()
    expect([asked, reasonsOf('a')]).toEqual([2, 'KubeletDown'])
    hasLapsed = async () => false
    await soon()
    expect([asked, reasonsOf('a')]).toEqual([3, ''])
  })

  test('what cannot be read changes nothing', async () => {
    down.add('a')
    await soon()
    hasLapsed = async () => {
      throw new ApiError('unreachable', 0, 'gone')
    }
    await soon()
    expect([asked, reasonsOf('a')]).toEqual([2, 'KubeletDown'])
  })

  test('while the mesh is frozen nothing begins, is read for it, or is forgotten', async () => {
    linkFaults = ['a', 'b']
    diagnoses.look('a')
    await vi.advanceTimersByTimeAsync(0)
    if (view !== undefined) view.frozen = 'a cut'
    down.add('a')
    await soon()
    expect([reasonsOf('a'), reasonsOf('b'), asked]).toEqual(['LinkFault', '', 0])
    if (view !== undefined) view.frozen = undefined
    await soon()
    expect([reasonsOf('a'), reasonsOf('b'), asked]).toEqual(['KubeletDown,LinkFault', 'LinkFault', 1])
  })

  test('one that leads no more keeps what it has, and looks at nothing', async () => {
    linkFaults = ['a']
    await soon()
    view = undefined
    diagnoses.look('a')
    await soon()
    expect(reasonsOf('a')).toBe('LinkFault')
  })
})
