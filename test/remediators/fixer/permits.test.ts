/** Over the real socket: nothing but a permit of an aggregator's, for this plan, this node and this moment, changes the host. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../common/log.ts'
import { FixerDesk } from '../../../fixer/desk.ts'
import type { FixerHands } from '../../../fixer/hands.ts'
import { openRecords } from '../../../fixer/records.ts'
import { createTrust } from '../../../fixer/trust.ts'
import { signRoster } from '../../../mesh/identity/signed-roster.ts'
import { encodeValue } from '../../../mesh/wire/codec.ts'
import type { Plan, Remediator } from '../../../remediators/contract.ts'
import { encodeNote, refusalTopic } from '../../../remediators/notes.ts'
import { BEGIN_WITHIN_MS, type Permit } from '../../../remediators/permits.ts'
import { LEADER } from '../../mesh/sample-mesh.ts'
import { at, permitFor } from '../parts.ts'
import { ELSEWHERE, FixerStage, HERE, LIMIT_MS, type Signing } from './stage.ts'

describe('a fixer', () => {
  let stage: FixerStage
  beforeEach(async () => {
    stage = await FixerStage.found()
  })
  afterEach(() => stage.tearDown())

  const refused = async (deed: Promise<void>, why: string | RegExp) => {
    await expect(deed).rejects.toMatchObject({ name: 'StalePlan', message: expect.stringMatching(why) })
    expect(stage.swappiness).toBe('60')
  }
  /** Applies by a permit that is as it should be but for what `parts` say. */
  const by = async (hands: FixerHands, parts: Partial<Permit>, plan: Plan = stage.plan()) =>
    hands.apply(plan, await stage.permit(hands, plan, parts), LIMIT_MS)
  /** Applies by a good permit that is signed in another way. */
  const signedBy = async (hands: FixerHands, how: Signing) => {
    const plan = stage.plan()
    const permit = permitFor(plan, { nonce: await hands.challenge() })
    hands.keep(permit.id, stage.sign(permit, how))
    await hands.apply(plan, permit, LIMIT_MS)
  }

  it.each<[string, Partial<Permit>, RegExp]>([
    ['for another node', { node: ELSEWHERE }, /the permit is for node-0002/],
    ['for a plan of another name', { planId: 'fix-other' }, /for another plan/],
    ['for a plan of other content', { planHash: 'f'.repeat(64) }, /for another plan/],
    ['on other evidence', { evidenceHash: 'f'.repeat(64) }, /on other evidence/],
    ['to a nonce that it never gave', { nonce: 'f'.repeat(32) }, /no nonce that is open/],
  ])('refuses a permit %s', async (_, parts, why) => {
    await refused(by(await stage.start(), parts), why)
  })

  it('refuses a permit that is signed by a member, by nobody known, or with the wrong key', async () => {
    const hands = await stage.start()
    await refused(signedBy(hands, { signer: ELSEWHERE }), /node-0002 is no aggregator/)
    await refused(signedBy(hands, { forger: ELSEWHERE }), /not signed by aggregator-1/)
    await refused(signedBy(hands, { parts: { signer: 'stranger' } }), /stranger is no aggregator/)
    await refused(signedBy(hands, { parts: { serial: 99 } }), /is no aggregator/)
  })

  it('refuses a permit that was altered after it was signed', async () => {
    const hands = await stage.start()
    const plan = stage.plan()
    const good = permitFor(plan, { node: ELSEWHERE, nonce: await hands.challenge() })
    const { statement, signature } = stage.sign(good)
    const permit = { ...good, node: HERE }
    const body = { ...statement.body, bytes: encodeNote(permit) } as typeof statement.body
    hands.keep(permit.id, { statement: { ...statement, body }, signature })
    await refused(hands.apply(plan, permit, LIMIT_MS), /not signed by aggregator-1/)
  })

  it('refuses another statement of an aggregator’s, and what is no statement', async () => {
    const hands = await stage.start()
    const plan = stage.plan()
    const permit = permitFor(plan, { nonce: await hands.challenge() })
    const body = { kind: 'note', topic: refusalTopic(plan.id), bytes: encodeNote(permit) } as const
    await refused(signedBy(hands, { parts: { body } }), /no permit/)
    hands.keep(permit.id, { nonsense: true } as never)
    await refused(hands.apply(plan, permit, LIMIT_MS), /no signed statement/)
  })

  it('takes a permit once, and none of before it was restarted', async () => {
    const hands = await stage.start()
    const plan = stage.plan()
    const [used, kept] = [await stage.permit(hands, plan), await stage.permit(hands, plan)]
    await hands.apply(plan, used, LIMIT_MS)
    await hands.revert(plan, LIMIT_MS)
    await refused(hands.apply(plan, used, LIMIT_MS), /no nonce that is open/)
    await stage.stop()
    await stage.start()
    await refused(hands.apply(plan, kept, LIMIT_MS), /no nonce that is open/)
  })

  it('refuses a plan for another node, and one whose content is not what its hash says', async () => {
    const hands = await stage.start()
    await refused(by(hands, {}, stage.plan({ node: ELSEWHERE })), /the plan is for node-0002/)
    const plan = stage.plan()
    const [change] = plan.changes
    const altered = { ...plan, changes: change === undefined ? [] : [{ ...change, after: '99' }] }
    await expect(by(hands, {}, altered)).rejects.toThrow('no answer')
    expect(stage.swappiness).toBe('60')
  })

  it('carries out nothing by default, and nothing that is not on its list', async () => {
    const hands = await stage.start({ remediators: [] })
    expect(await hands.hello()).toEqual([])
    await refused(by(hands, {}), /sysctl is not among the remediators of the fixer/)
    await expect(stage.start({ remediators: ['unheard-of'] })).rejects.toThrow('there is no remediator unheard-of')
  })

  it('does nothing without a permit unless it is told that it may', async () => {
    const hands = await stage.start()
    await refused(hands.apply(stage.plan(), null, LIMIT_MS), /nothing is done here without a permit/)
    await stage.stop()
    await stage.start({ withoutPermit: true })
    await hands.apply(stage.plan(), null, LIMIT_MS)
    expect(stage.swappiness).toBe('10')
  })

  it('puts back only what it did, and by its own record also after a restart', async () => {
    const hands = await stage.start()
    const plan = stage.plan()
    await expect(hands.revert(plan, LIMIT_MS)).rejects.toThrow('has begun no such plan')
    await by(hands, {}, plan)
    await stage.stop()
    await stage.start()
    await hands.revert(plan, LIMIT_MS)
    expect(stage.swappiness).toBe('60')
  })

  it('believes no roster that is older than one it has seen', async () => {
    const hands = await stage.start()
    const { keys, certificate } = stage.mesh.enrolled(LEADER)
    const rosterFile = join(stage.folder, 'agent/roster')
    writeFileSync(rosterFile, signRoster(keys, certificate, { ...stage.mesh.roster, epoch: 5 }))
    await by(hands, {})
    await hands.revert(stage.plan(), LIMIT_MS)
    writeFileSync(rosterFile, stage.mesh.signedRoster())
    await refused(by(hands, {}), /older than one that was seen before/)
    const { keys: own, certificate: ours } = stage.mesh.enrolled(ELSEWHERE)
    writeFileSync(rosterFile, signRoster(own, ours, { ...stage.mesh.roster, epoch: 9 }))
    await refused(by(hands, {}), /not signed by one of its aggregators/)
  })

  it('refuses when it cannot record what it is about to do', async () => {
    const hands = await stage.start({ stateDir: join(stage.folder, 'gone') })
    rmSync(join(stage.folder, 'gone'), { recursive: true })
    await refused(by(hands, {}), /cannot be recorded/)
  })

  /** The decisions alone, at the time of `now`; `applied` takes the plans that would be. */
  async function deskWith(remediator: object, now: () => number, applied: string[]): Promise<FixerDesk> {
    const done = async (plan: Plan) => void applied.push(plan.id)
    const { ca, agentStateDir, mesh } = stage.config()
    return new FixerDesk({
      node: HERE,
      remediators: [{ name: 'sysctl', ...remediator } as Remediator],
      withoutPermit: true,
      trust: createTrust({ mesh, ca, agentStateDir }),
      records: await openRecords(join(stage.folder, 'fixer')),
      hands: { challenge: () => Promise.reject(new Error('not asked')), apply: done, revert: done },
      log: silentLog,
      now: () => at(now()),
    })
  }

  it.each([
    ['stops a process', { reach: 'process', reversible: true, risk: 'low' }, 'refused'],
    ['cannot be undone', { reach: 'none', reversible: false, risk: 'low' }, 'refused'],
    ['is dangerous', { reach: 'none', reversible: true, risk: 'dangerous' }, 'refused'],
    ['does none of that', { reach: 'none', reversible: true, risk: 'low' }, 'done'],
  ])(
    'without a permit looks at the remediator that it has, whatever the plan says: one that %s',
    async (_, what, kind) => {
      const desk = await deskWith(what, () => 0, [])
      const plan = stage.plan()
      expect(plan.reach).toBe('none')
      expect(await desk.answer({ kind: 'apply', plan, permit: null, limitMs: 1_000 })).toMatchObject({ kind })
    },
  )

  it('counts the time of a permit on its own clock, from when it gave the nonce', async () => {
    let ms = 0
    const applied: string[] = []
    const desk = await deskWith({}, () => ms, applied)
    const applyAfter = async (waitMs: number) => {
      const given = await desk.answer({ kind: 'challenge' })
      const plan = stage.plan()
      const permit = permitFor(plan, { nonce: given.kind === 'challenge' ? given.nonce : '' })
      ms += waitMs
      const proof = Uint8Array.from(encodeValue(stage.sign(permit)))
      return desk.answer({ kind: 'apply', plan, permit: proof, limitMs: 1_000 })
    }
    expect(await applyAfter(BEGIN_WITHIN_MS + 1)).toEqual({ kind: 'refused', why: 'the permit is too old' })
    expect(applied).toEqual([])
    expect(await applyAfter(BEGIN_WITHIN_MS)).toEqual({ kind: 'done' })
    expect(applied).toHaveLength(1)
  })
})
