import { describe, expect, it } from 'vitest'
import type { Plan } from '../../remediators/contract.ts'
import { hashEvidence, hashPlan, makePlan } from '../../remediators/plan.ts'
import { sysctl } from '../../remediators/sysctl.ts'
import { at, differs } from './parts.ts'

const change = { what: 'vm.swappiness', before: '60', after: '10', undo: 'sysctl -w vm.swappiness=60' }
const plan = makePlan(sysctl, differs(), [change], at(0).wall)

describe('a plan', () => {
  it('has an id that can name a Kubernetes object', () => {
    expect(plan.id).toMatch(/^fix-[0-9a-f]{20}$/)
    expect(plan.planHash).toMatch(/^[0-9a-f]{64}$/)
    expect(plan.evidenceHash).toMatch(/^[0-9a-f]{64}$/)
  })

  it('is the same when it is made again later, of a finding with another id', () => {
    const again = makePlan(sysctl, differs('vm.swappiness', '60', '10', { id: 'other' }), [{ ...change }], at(9).wall)
    expect(again).toEqual({ ...plan, findingId: 'other', createdAt: at(9).wall })
  })

  it.each<[string, Partial<Plan>]>([
    ['node', { node: 'node-8' }],
    ['remediator', { remediator: 'other' }],
    ['detector', { detector: 'other' }],
    ['reason', { reason: 'Other' }],
    ['cause', { cause: 'other' }],
    ['reach', { reach: 'machine' }],
    ['risk', { risk: 'dangerous' }],
    ['before', { changes: [{ ...change, before: '61' }] }],
    ['after', { changes: [{ ...change, after: '11' }] }],
    ['undo', { changes: [{ ...change, undo: 'reboot' }] }],
    ['number of changes', { changes: [change, change] }],
  ])('has another hash with another %s', (_, parts) => {
    expect(hashPlan(plan)).toBe(plan.planHash)
    expect(hashPlan({ ...plan, ...parts })).not.toBe(plan.planHash)
  })

  it('has another id on another node and with other changes', () => {
    const ids = [
      makePlan(sysctl, differs('vm.swappiness', '60', '10', { node: 'node-8' }), [change], '').id,
      makePlan(sysctl, differs(), [{ ...change, after: '11' }], '').id,
      makePlan({ ...sysctl, name: 'other' }, differs(), [change], '').id,
      plan.id,
    ]
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('carries nothing that is not hashed', () => {
    const extra = { ...change, note: 'not in the contract' }
    expect(makePlan(sysctl, differs(), [extra], at(0).wall)).toEqual(plan)
  })

  it('hashes evidence by its content and order, not by the order of its fields', () => {
    expect(hashEvidence([{ unit: '', limit: 1, value: 2, name: 'a' }])).toBe(
      hashEvidence([{ name: 'a', value: 2, limit: 1, unit: '' }]),
    )
    expect(hashEvidence([{ name: 'a', value: 2, unit: '' }])).not.toBe(
      hashEvidence([{ name: 'a', value: '2', unit: '' }]),
    )
  })

  it('keeps its hashes over versions, since decisions and histories refer to them', () => {
    expect(plan.id).toMatchInlineSnapshot(`"fix-a8e8ed4902b6ceb42f2e"`)
    expect(plan.planHash).toMatchInlineSnapshot(`"ffbdd2543619e6e5147bbf6378f40f444bea5e92629d1fb8aac7488d90895c5e"`)
  })
})
