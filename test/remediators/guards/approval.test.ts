import { expect, test } from 'vitest'
import { approval } from '../../../remediators/guards/approval.ts'
import type { Approval, GuardView } from '../../../remediators/guards/view.ts'
import type { Decision } from '../../../remediators/permits.ts'
import { ask, decisionOf, planOf, viewOf } from './views.ts'

const approvedBy = (person: string | undefined, parts: Partial<Decision> = {}): Approval => ({
  decision: decisionOf({ by: person ?? 'token', ...parts }),
  person,
})

/** A request in mode approve that goes back to decision-1. */
const asking = (approvals: readonly Approval[], risk: 'low' | 'medium' | 'dangerous' = 'low'): Partial<GuardView> => ({
  plan: planOf({ risk }),
  request: { ...viewOf().request, mode: 'approve', decisionId: 'decision-1' },
  approvals,
})

test('in mode auto nobody needs to have approved', () => {
  expect(ask(approval)).toEqual({ allowed: true, why: 'the rule is automatic: it waits for nobody' })
})

test('but nothing dangerous is automatic, whoever approved', () => {
  expect(
    ask(approval, { plan: planOf({ risk: 'dangerous' }), approvals: [approvedBy('ada'), approvedBy('grace')] }),
  ).toMatchObject({ allowed: false, why: 'a dangerous fix is never automatic' })
})

test('in mode approve one person is enough, known by name or not', () => {
  expect(ask(approval, asking([approvedBy('ada')]))).toEqual({ allowed: true, why: 'approved by ada' })
  expect(ask(approval, asking([approvedBy(undefined)], 'medium'))).toEqual({ allowed: true, why: 'approved by token' })
})

test('without one nothing is begun', () => {
  expect(ask(approval, asking([]))).toEqual({
    allowed: false,
    why: 'no approval of this very plan is known by the id decision-1',
    restMs: 60_000,
  })
  const { decisionId: _, ...request } = { ...viewOf().request, mode: 'approve' as const, decisionId: undefined }
  expect(ask(approval, { request, approvals: [approvedBy('ada')] })).toMatchObject({
    allowed: false,
    why: 'no approval of this very plan is known by the id that was left out',
  })
})

const other = 'b'.repeat(64)
test.each([
  ['another decision', { id: 'decision-2' }],
  ['another node', { node: 'node-2' }],
  ['another plan', { planId: 'fix-2' }],
  ['the plan as it was before', { planHash: other }],
  ['other evidence', { evidenceHash: other }],
  ['a rejection', { action: 'reject' as const }],
])('%s does not fit', (_, parts) => {
  expect(ask(approval, asking([approvedBy('ada', parts)]))).toMatchObject({ allowed: false })
})

test.each([
  ['one person', [approvedBy('ada')], 1],
  ['one person twice', [approvedBy('ada'), approvedBy('ada', { id: 'decision-2', via: 'cli' })], 1],
  ['one person and a token', [approvedBy('ada'), approvedBy(undefined, { id: 'decision-2' })], 1],
  ['two tokens', [approvedBy(undefined), approvedBy(undefined, { id: 'decision-2' })], 0],
  ['two people, one of whom saw another plan', [approvedBy('ada'), approvedBy('grace', { planHash: other })], 1],
])('a dangerous fix is not begun on the word of %s', (_, approvals, people) => {
  expect(ask(approval, asking(approvals, 'dangerous'))).toMatchObject({
    allowed: false,
    why: `a dangerous fix takes 2 people who are known by name: ${people} approved`,
  })
})

test('but on that of two people', () => {
  const approvals = [approvedBy('ada'), approvedBy('grace', { id: 'decision-2' })]
  expect(ask(approval, asking(approvals, 'dangerous'))).toEqual({
    allowed: true,
    why: 'approved by ada, by 2 people in all',
  })
})
