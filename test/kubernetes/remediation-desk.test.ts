/** The desk that shows remediations as objects and hears what people decide by them, on time that a test moves. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ApiError } from '../../aggregator/kubernetes/api-error.ts'
import { RemediationDesk } from '../../aggregator/kubernetes/remediations/desk.ts'
import type { RemediationObject } from '../../aggregator/kubernetes/remediations/rules/object.ts'
import { decisionIdOf, proposalOf } from '../../aggregator/kubernetes/remediations/rules/tokens.ts'
import type { DecisionRequest } from '../../aggregator/remediation-model.ts'
import { StarlingError } from '../../common/errors.ts'
import { silentLog } from '../../common/log.ts'
import type { Remediation } from '../../remediators/contract.ts'
import { AT, FakeObjects, remediation } from './sample-remediation.ts'

let store: FakeObjects
let all: Remediation[]
let decided: DecisionRequest[]
let by: string[]
let leads: boolean
let isSettled: boolean
/** What a decision is refused with. */
let refusal: Error | undefined
let desks: RemediationDesk[]

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse(AT) })
  store = new FakeObjects()
  all = []
  decided = []
  by = []
  leads = true
  isSettled = true
  refusal = undefined
  desks = []
})
afterEach(() => {
  for (const desk of desks) desk.stop()
  vi.useRealTimers()
})

function desk(mayLead: () => boolean = () => leads): RemediationDesk {
  const init = { store, log: silentLog, now: () => performance.now(), wallNow: Date.now }
  const made = new RemediationDesk(init, {
    leads: mayLead,
    isSettled: () => isSettled,
    isOn: () => true,
    all: () => all,
    decide: (request, who) => {
      if (refusal !== undefined) throw refusal
      decided.push(request)
      by.push(who)
    },
  })
  desks.push(made)
  return made
}

const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1_000)
const kinds = () => store.writes.map(({ kind }) => kind)
const answerOf = ({ status }: RemediationObject) => status?.conditions?.find(({ type }) => type === 'DecisionTaken')
const decisionOn = ({ plan }: Remediation, action = 'Approve') => ({
  spec: { decision: { action, proposal: proposalOf(plan), reason: 'seen' } },
})

it('writes each phase once, and nothing while nothing happens', async () => {
  const waiting = remediation()
  const { id } = waiting.plan
  all = [waiting]
  const looked = desk()
  await seconds(3)
  expect(kinds()).toEqual(['create', 'patchStatus'])
  await seconds(3_600)
  expect(kinds()).toHaveLength(2)
  all = [{ ...waiting, phase: 'verified', ended: true }]
  looked.look()
  await seconds(1)
  expect(store.get(id).status).toMatchObject({ phase: 'verified', conditions: [{ type: 'Ended', status: 'True' }] })
  expect(kinds()).toHaveLength(3)
  await seconds(8 * 86_400)
  expect(kinds().slice(3)).toEqual(['remove'])
})

it('writes five times a second at most, what waits for a person first', async () => {
  const running = Array.from({ length: 20 }, (_, index) => remediation({ node: `node-${index}`, phase: 'applying' }))
  all = [...running, remediation({ node: 'waiting' })]
  desk()
  await seconds(2)
  expect(store.writes.length).toBeLessThanOrEqual(10)
  expect(store.writes[0]?.name).toBe(all.at(-1)?.plan.id)
  await seconds(10)
  expect(store.writes).toHaveLength(42)
})

it('takes a decision once, says so, and takes it off; a second one is another', async () => {
  const waiting = remediation()
  const { id } = waiting.plan
  all = [waiting]
  desk()
  await seconds(1)
  store.patch(id, decisionOn(waiting))
  const decisionId = decisionIdOf(store.get(id))
  await seconds(2)
  expect(decided).toEqual([{ id: decisionId, planId: id, action: 'approve', reason: 'seen', via: 'kubernetes' }])
  expect(by).toEqual([`kubernetes:remediation/${id}`])
  expect(store.get(id).spec).not.toHaveProperty('decision')
  expect(answerOf(store.get(id))).toMatchObject({ status: 'True', reason: 'Approved', message: 'seen' })
  await seconds(600)
  expect(decided).toHaveLength(1)

  // It came to nothing in time, as one by the page can: the person decides once more.
  store.patch(id, decisionOn(waiting))
  await seconds(2)
  expect(decided).toHaveLength(2)
  expect(decided[1]?.id).not.toBe(decisionId)
})

it('takes nothing twice when it cannot be taken off at once, nor after another has led', async () => {
  const waiting = remediation()
  const { id } = waiting.plan
  all = [waiting]
  let first = true
  const before = desk(() => first)
  await seconds(1)
  store.before = ({ kind }) => {
    if (kind === 'patch') throw new ApiError('conflict', 409, 'somebody wrote first')
  }
  store.patch(id, decisionOn(waiting))
  await seconds(10)
  store.patch(id, { metadata: { labels: { team: 'storage' } } })
  await seconds(10)
  expect(decided).toHaveLength(1)

  first = false
  before.look()
  await seconds(1)
  store.before = () => {}
  // By now its node says that it has it.
  all = [{ ...waiting, phase: 'permitted', decisionId: decided[0]?.id ?? '' }]
  desk()
  await seconds(2)
  expect(decided).toHaveLength(1)
  expect(answerOf(store.get(id))).toMatchObject({ status: 'True', reason: 'Approved' })
})

it('says the same decision under the same id where two leaders hear it, so that its node takes one', async () => {
  const waiting = remediation()
  all = [waiting]
  desk()
  await seconds(1)
  store.before = () => {
    throw new ApiError('timeout', 0, 'no answer')
  }
  store.patch(waiting.plan.id, decisionOn(waiting))
  await seconds(1)
  desk()
  await seconds(5)
  expect(decided.length).toBe(2)
  expect(new Set(decided.map(({ id }) => id)).size).toBe(1)
})

it('says what was refused, and tries again what could not be put on record', async () => {
  const waiting = remediation()
  const { id } = waiting.plan
  all = [waiting]
  desk()
  await seconds(1)
  refusal = new Error('the disk is full')
  store.patch(id, decisionOn(waiting))
  await seconds(5)
  expect(store.get(id).spec).toHaveProperty('decision')
  refusal = new StarlingError('it waits for no decision: it is rejected')
  await seconds(61)
  expect(answerOf(store.get(id))).toMatchObject({ status: 'False', reason: 'NotTaken', message: refusal.message })
  expect(decided).toEqual([])
})

it('does nothing while it does not lead, and where there is no such kind of object', async () => {
  all = [remediation()]
  leads = false
  const looked = desk()
  await seconds(120)
  expect(store.writes).toEqual([])
  leads = true
  store.isInstalled = false
  looked.look()
  await seconds(120)
  expect(store.writes).toEqual([])
  store.isInstalled = true
  await seconds(61)
  expect(kinds()).toEqual(['create', 'patchStatus'])
})

it('puts back what was deleted or altered, and leaves what it does not know alone until it has heard everybody', async () => {
  const waiting = remediation()
  const { id } = waiting.plan
  all = [waiting]
  isSettled = false
  const looked = desk()
  await seconds(1)
  store.delete(id)
  await seconds(1)
  store.patch(id, { spec: { reason: 'Harmless' } })
  await seconds(1)
  expect(store.get(id).spec?.reason).toBe(waiting.plan.reason)
  const writes = store.writes.length
  store.create('fix-forged', { decision: { action: 'Approve', proposal: '0'.repeat(32) } })
  await seconds(5)
  expect(store.writes).toHaveLength(writes)
  isSettled = true
  looked.look()
  await seconds(2)
  expect(store.get('fix-forged').spec).not.toHaveProperty('decision')
  expect(store.get('fix-forged').status).toMatchObject({ phase: 'unknown', conditions: [{ reason: 'NoSuchPlan' }] })
  expect(decided).toEqual([])
})

it('removes what is only observed from now on', async () => {
  const waiting = remediation()
  all = [waiting]
  const looked = desk()
  await seconds(1)
  all = [{ ...waiting, mode: 'observe', phase: 'proposed' }]
  looked.look()
  await seconds(1)
  expect(store.objects?.size).toBe(0)
})

it.each([
  ['refused', 422, 1, 1],
  ['forbidden', 403, 1, 0],
] as const)('does not storm a server that answers %s', async (kind, code, attempts, others) => {
  all = [remediation({ node: 'node-1' }), remediation({ node: 'node-2' })]
  const [bad] = all.map(({ plan }) => plan.id)
  let tries = 0
  store.before = ({ name }) => {
    if (name !== bad) return
    tries++
    throw new ApiError(kind, code, 'no')
  }
  desk()
  await seconds(50)
  expect(tries).toBe(attempts)
  expect(store.objects?.size).toBe(others)
})

it('does not write again and again what the server does not keep', async () => {
  const waiting = remediation()
  all = [waiting]
  // A definition of an earlier version, without one of the fields.
  const keep = store.write.bind(store)
  store.write = async (write) => {
    if (write.kind !== 'patchStatus') return await keep(write)
    const { mode: _, ...status } = (write.body as { status: { mode?: string } }).status
    await keep({ ...write, body: { status } })
  }
  const looked = desk()
  await seconds(1)
  all = [{ ...waiting, phase: 'permitted' }]
  for (let times = 0; times < 50; times++) {
    looked.look()
    await seconds(1)
  }
  expect(kinds().filter((kind) => kind === 'patchStatus')).toHaveLength(2)
})
