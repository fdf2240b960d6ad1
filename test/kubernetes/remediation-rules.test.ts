/** Which remediations have an object, what it shows, and which decisions by it count. */
import { describe, expect, it } from 'vitest'
import { chosen, outdated } from '../../aggregator/kubernetes/remediations/rules/choose.ts'
import { type JudgeInit, type Judgement, judge } from '../../aggregator/kubernetes/remediations/rules/decision.ts'
import { isSame } from '../../aggregator/kubernetes/remediations/rules/is-same.ts'
import type { RemediationObject } from '../../aggregator/kubernetes/remediations/rules/object.ts'
import { shownOf } from '../../aggregator/kubernetes/remediations/rules/shown.ts'
import { decisionIdOf, proposalOf } from '../../aggregator/kubernetes/remediations/rules/tokens.ts'
import { nextWrite, strangerWrite } from '../../aggregator/kubernetes/remediations/rules/writes.ts'
import type { Remediation } from '../../remediators/contract.ts'
import { AT, CHANGE, objectOf, planOf, remediation } from './sample-remediation.ts'

const DAY_BEFORE = '2026-01-30T12:00:00.000Z'

describe('what is shown', () => {
  it('is what waits, what runs, and what ended lately; never what is only observed', () => {
    const waits = remediation({ node: 'node-1' })
    const runs = remediation({ node: 'node-2', phase: 'applying' })
    const ended = remediation({ node: 'node-3', phase: 'verified', ended: true })
    const long = remediation({ node: 'node-4', phase: 'verified', ended: true, at: '2026-01-29T12:00:00.000Z' })
    const observed = remediation({ node: 'node-5', phase: 'proposed', mode: 'observe' })
    const suggested = remediation({ node: 'node-6', phase: 'proposed', mode: 'suggest' })
    const all = [ended, long, runs, observed, waits, suggested]
    const nodes = chosen(all, DAY_BEFORE).map(({ plan }) => plan.node)
    expect(nodes[0]).toBe('node-1')
    expect(nodes.toSorted()).toEqual(['node-1', 'node-2', 'node-3', 'node-6'])
  })

  it('is bounded, and what waits comes before what runs', () => {
    const many = (count: number, parts: Partial<Remediation>) =>
      Array.from({ length: count }, (_, index) => remediation({ node: `${parts.phase}-${index}`, ...parts }))
    const all = [
      ...many(450, { phase: 'applying' }),
      ...many(300, {}),
      ...many(150, { phase: 'verified', ended: true }),
    ]
    const phases = chosen(all, DAY_BEFORE).map(({ phase }) => phase)
    const count = (phase: string) => phases.filter((each) => each === phase).length
    expect([count('awaiting-approval'), count('applying'), count('verified')]).toEqual([300, 200, 100])
  })

  it('of objects without a plan is what is neither old nor one of many', () => {
    const named = (name: string, at: string): RemediationObject => ({
      metadata: { name, uid: name, resourceVersion: '1', generation: 1, creationTimestamp: at },
    })
    expect(outdated([named('old', '2026-01-29T00:00:00Z'), named('new', AT)], DAY_BEFORE)).toMatchObject([
      { metadata: { name: 'old' } },
    ])
    const flood = Array.from({ length: 130 }, (_, index) => named(`fix-${index}`, AT))
    expect(outdated(flood, DAY_BEFORE)).toHaveLength(30)
  })
})

describe('the text of an object', () => {
  it('shows what a terminal would obey, and hides nothing', () => {
    const changes = [{ ...CHANGE, before: '1\u001b[2K\r2', after: 'a\u202eb\ud800c\n\\' }]
    const { spec, status } = shownOf(remediation({ changes, cause: '\u009b31mred', why: 'x\u0000y' }))
    expect(status.plan[0]).toMatchObject({ before: '1\\u{1b}[2K\\u{d}2', after: 'a\\u{202e}b\ufffdc\\n\\\\' })
    expect([spec.cause, status.why]).toEqual(['\\u{9b}31mred', 'x\\u{0}y'])
  })

  it('is bounded, and says what it leaves out', () => {
    const changes = Array.from({ length: 64 }, (_, index) => ({
      ...CHANGE,
      what: `${index}`,
      before: 'x'.repeat(1_000),
    }))
    const { status } = shownOf(remediation({ changes }))
    expect(status.plan.length + status.leftOut).toBe(64)
    expect(status.leftOut).toBeGreaterThan(20)
    expect(JSON.stringify(status).length).toBeLessThan(65_536)
  })

  it('has labels for what can be one', () => {
    const labels = { 'starling.mesh/node': 'node-1', 'starling.mesh/policy': 'remediators.sysctl' }
    expect(shownOf(remediation()).labels).toEqual(labels)
    expect(shownOf(remediation({ node: `n${'o'.repeat(70)}`, policy: 'two words' })).labels).toEqual({})
  })
})

describe('a decision', () => {
  const waiting = remediation()
  const { proposal } = shownOf(waiting).spec
  const APPROVE = { action: 'Approve', proposal, reason: 'seen\u001b' }
  const judgedOf = async (decision: unknown, parts: Partial<JudgeInit> & { of?: Remediation; as?: object } = {}) => {
    const { of = waiting, as = {}, ...init } = parts
    const whole = await objectOf(of)
    const object = { ...whole, spec: { ...whole.spec, ...as, decision } } as RemediationObject
    return judge(object, { remediation: of, shown: shownOf(of), isOn: true, isSettled: true, ...init })
  }
  const reasonOf = async (...args: Parameters<typeof judgedOf>) => {
    const judged: Judgement = await judgedOf(...args)
    return judged.kind === 'void' ? judged.reason : judged.kind
  }

  it('counts for just what the object shows', async () => {
    expect(await judgedOf(APPROVE)).toMatchObject({ kind: 'take', action: 'approve', reason: 'seen\\u{1b}' })
    expect(await judgedOf({ action: 'Reject', proposal })).toMatchObject({ kind: 'take', action: 'reject', reason: '' })
    expect(await judgedOf(undefined)).toEqual({ kind: 'none' })
  })

  it.each([
    ['while settings do not let objects decide', 'SwitchedOff', APPROVE, { isOn: false }],
    ['that is none', 'Unreadable', { action: 'approve', proposal }, {}],
    ['that is no object', 'Unreadable', 'Approve', {}],
    ['with more in it', 'Unreadable', { ...APPROVE, by: 'root' }, {}],
    ['with a huge reason', 'Unreadable', { ...APPROVE, reason: 'x'.repeat(501) }, {}],
    ['on nothing that a node plans', 'NoSuchPlan', APPROVE, { remediation: undefined, shown: undefined }],
    ['on another proposal', 'AnotherProposal', { ...APPROVE, proposal: '0'.repeat(32) }, {}],
    ['in an object that was altered', 'Altered', APPROVE, { as: { cause: 'harmless' } }],
    ['in an object with another hash', 'Altered', APPROVE, { as: { planHash: '0'.repeat(64) } }],
    ['on what is gone while it waits to be heard', 'later', APPROVE, { remediation: undefined, isSettled: false }],
  ])('%s does not count: %s', async (_, reason, decision, parts) => {
    expect(await reasonOf(decision, parts as Parameters<typeof judgedOf>[1])).toBe(reason)
  })

  it('is not one before the plan was shown, also if the object was made by hand', async () => {
    const whole = await objectOf(waiting)
    const { status: _, ...made } = { ...whole, spec: { ...whole.spec, decision: APPROVE } }
    const init = { remediation: waiting, shown: shownOf(waiting), isOn: true, isSettled: true }
    expect(judge(made, init)).toMatchObject({ kind: 'void', reason: 'Altered' })
    const other = { ...made, status: { ...whole.status, plan: [{ ...CHANGE, after: '1' }] } } as RemediationObject
    expect(judge(other, init)).toMatchObject({ kind: 'void', reason: 'Altered' })
  })

  it('approves nothing dangerous, and nothing that is not shown whole; it can reject both', async () => {
    const dangerous = remediation({ risk: 'dangerous' })
    const long = remediation({ changes: Array.from({ length: 64 }, () => ({ ...CHANGE, before: 'x'.repeat(1_000) })) })
    const of = (plan: Remediation, action: string) => ({ action, proposal: proposalOf(plan.plan) })
    expect(await reasonOf(of(dangerous, 'Approve'), { of: dangerous })).toBe('TwoPeopleNeeded')
    expect(await reasonOf(of(dangerous, 'Reject'), { of: dangerous })).toBe('take')
    expect(await reasonOf(of(long, 'Approve'), { of: long })).toBe('NotShownWhole')
    expect(await reasonOf(of(long, 'Reject'), { of: long })).toBe('take')
  })

  it('on what is planned once more is not the one of before', () => {
    const later = planOf({ createdAt: '2026-02-01T12:00:00.000Z' })
    expect(later.id).toBe(waiting.plan.id)
    expect(proposalOf(later)).not.toBe(proposalOf(waiting.plan))
  })

  it('has one id, which its node names once it has it, and another when it is said anew', async () => {
    const object = await objectOf(waiting)
    const id = decisionIdOf(object)
    expect(await judgedOf(APPROVE, { of: { ...waiting, decisionId: id } })).toMatchObject({ kind: 'known' })
    const anew = { ...object, metadata: { ...object.metadata, generation: object.metadata.generation + 1 } }
    expect(decisionIdOf(anew)).not.toBe(id)
    const status = { ...object, metadata: { ...object.metadata, resourceVersion: '99' } }
    expect(decisionIdOf(status)).toBe(id)
  })
})

describe('what is written', () => {
  const waiting = remediation()
  const wanted = { shown: shownOf(waiting), answer: undefined, withTexts: false }

  it('is nothing when the object is as it should be, whoever else has labels on it', async () => {
    const object = await objectOf(waiting)
    const labels = { ...object.metadata.labels, team: 'storage' }
    expect(nextWrite({ ...object, metadata: { ...object.metadata, labels } }, wanted)).toBeUndefined()
  })

  it('is a phase at once, and a figure in a text only now and then', async () => {
    const guards = (why: string) => [{ guard: 'cool-down', allowed: false, why }]
    const refused = (why: string, at = AT) => remediation({ phase: 'refused', why, guards: guards(why), at })
    const object = await objectOf(refused('6m are left'))
    const next = { shown: shownOf(refused('4m are left', '2026-01-31T12:02:00.000Z')), answer: undefined }
    expect(nextWrite(object, { ...next, withTexts: false })).toBeUndefined()
    expect(nextWrite(object, { ...next, withTexts: true })).toMatchObject({ kind: 'patchStatus' })
    const verified = shownOf(remediation({ phase: 'verified', ended: true, at: '2026-01-31T13:00:00.000Z' }))
    expect(nextWrite(object, { ...wanted, shown: verified })).toMatchObject({
      kind: 'patchStatus',
      body: {
        status: {
          phase: 'verified',
          guards: [],
          conditions: [
            { type: 'Ended', status: 'True', reason: 'Verified', lastTransitionTime: '2026-01-31T13:00:00.000Z' },
          ],
        },
      },
    })
  })

  it('takes a decision off once it was answered, and tells what became of it until another proposal', async () => {
    const object = await objectOf(waiting)
    const decided = { ...object, spec: { ...object.spec, decision: { action: 'Approve' } } }
    expect(nextWrite(decided, wanted)).toBeUndefined()
    const answer = { status: 'True', reason: 'Approved', message: '', lastTransitionTime: AT } as const
    expect(nextWrite(decided, { ...wanted, answer })).toMatchObject({
      kind: 'patch',
      body: { spec: { decision: null } },
    })
    const said = { ...object, status: { ...object.status, conditions: [{ type: 'DecisionTaken', ...answer }] } }
    const conditionsFor = (of: Remediation) => {
      const write = nextWrite(said as RemediationObject, {
        ...wanted,
        shown: { ...shownOf(of), spec: wanted.shown.spec },
      })
      return (write as { body: { status: { conditions: { type: string }[] } } }).body.status.conditions
    }
    expect(conditionsFor(waiting).map(({ type }) => type)).toEqual(['Ended', 'DecisionTaken'])
    expect(conditionsFor(remediation({ createdAt: DAY_BEFORE })).map(({ type }) => type)).toEqual(['Ended'])
  })

  it('of an object that no node knows is that, once; the end of a fix stays to be read', async () => {
    const metadata = { name: 'fix-x', uid: 'x', resourceVersion: '1', generation: 1, creationTimestamp: AT }
    const write = strangerWrite({ metadata }, undefined)
    expect(write).toMatchObject({ kind: 'patchStatus', body: { status: { phase: 'unknown' } } })
    const status = (write as { body: { status: RemediationObject['status'] } }).body.status
    expect(strangerWrite({ metadata, status } as RemediationObject, undefined)).toBeUndefined()
    expect(strangerWrite(await objectOf(remediation({ phase: 'verified', ended: true })), undefined)).toBeUndefined()
  })
})

it.each([
  [{ a: [1, { b: null }], c: 'x' }, { c: 'x', a: [1, { b: null }] }, true],
  [{ a: 1 }, { a: 1, b: undefined }, false],
  [[1, 2], [2, 1], false],
  [{ 0: 1 }, [1], false],
  [undefined, null, false],
])('%j and %j are the same: %s', (a, b, same) => {
  expect(isSame(a, b)).toBe(same)
})
