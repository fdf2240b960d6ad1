/** What neighbours say to one another, and nobody else hears. */
import { describe, expect, test } from 'vitest'
import type { Core } from '../../mesh/core/core.ts'
import type { Effect } from '../../mesh/core/message.ts'
import { coreOf, gossip, ME, OTHER, opened, PEER, rollCall, SUBJECT, says, sent, tell } from './driven-core.ts'
import { FIRST_LIFE, LEADER, momentAt } from './sample-mesh.ts'

describe('what is said to neighbours only', () => {
  const near = { kind: 'note', topic: 'near/faults', bytes: Buffer.from('x') } as const
  const publish = (core: Core, ms: number) => core.step(momentAt(ms), { ...near, kind: 'publish', ttlMs: 60_000 })
  const recipients = (effects: readonly Effect[]) => sent(effects, 'gossip').map(({ to }) => to)

  test('goes to each of them, whoever opened the edge, and to no aggregator', () => {
    const core = opened(coreOf(ME), PEER, OTHER, LEADER)
    tell(core, 5, rollCall(), PEER)
    expect(recipients(publish(core, 10))).toEqual([PEER, OTHER])
  })

  test('is said anew to one whose edge opens while it holds, and to no new leader', () => {
    const core = opened(coreOf(ME), PEER)
    publish(core, 10)
    const open = (peer: string, ms: number) =>
      core.step(momentAt(ms), { kind: 'opened', peer, by: 'me', incarnation: FIRST_LIFE })
    expect(recipients(open(OTHER, 20))).toEqual([OTHER])
    expect(recipients(tell(core, 30, rollCall({ nonce: 'b3', term: 2 }), OTHER))).toEqual([])
    expect(recipients(open(SUBJECT, 70_000))).toEqual([])
  })

  test('is told to the owner of a neighbour, and passed to nobody', () => {
    const core = opened(coreOf(ME), PEER, OTHER, LEADER)
    tell(core, 5, rollCall(), OTHER)
    const said = says(PEER, near)
    expect(tell(core, 10, gossip(said), PEER)).toEqual([{ kind: 'heard', signed: said.signed }])
    expect(core.step(momentAt(20), { kind: 'closed', peer: OTHER, by: 'them' })).toEqual([])
  })

  test('by another than its signer is not heard, and does not hide the word of the signer', () => {
    const core = opened(coreOf(ME), PEER, OTHER)
    const said = says(PEER, near)
    expect(tell(core, 10, gossip(said), OTHER)).toEqual([])
    expect(tell(core, 20, gossip(said), PEER)).toEqual([{ kind: 'heard', signed: said.signed }])
  })
})

test('a peer is heard by whatever it sends, until its edge is gone', () => {
  const core = opened(coreOf(ME), PEER, OTHER)
  tell(core, 1_000, { kind: 'probe', seq: 1 }, PEER)
  tell(core, 2_000, { kind: 'probe', seq: 1 }, OTHER)
  expect(core.heardSince(1_000)).toEqual([PEER, OTHER])
  expect(core.heardSince(1_001)).toEqual([OTHER])
  core.step(momentAt(2_500), { kind: 'closed', peer: OTHER, by: 'them' })
  expect(core.heardSince(0)).toEqual([PEER])
})
