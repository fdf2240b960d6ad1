/** A node asks in a mode, and the leader's own settings say whether it may. */
import { describe, expect, test } from 'vitest'
import { checkMode } from '../../../aggregator/permits/mode.ts'
import { builtinRemediators } from '../../../remediators/index.ts'
import type { PermitRequest } from '../../../remediators/permits.ts'
import { makePlan } from '../../../remediators/plan.ts'
import { sysctl } from '../../../remediators/sysctl.ts'
import type { SettingsDocument } from '../../../settings/document.ts'
import { rulesOf } from '../../../settings/rules.ts'
import { sampleMember } from '../../mesh/sample-mesh.ts'
import { at, differs } from '../../remediators/parts.ts'

const MEMBER = sampleMember('node-7', 'zone-1', { pool: 'gpu', roles: ['worker'] })
const change = { what: 'vm.swappiness', before: '60', after: '10', undo: 'set 60' }
const PLAN = makePlan(sysctl, differs(), [change], at(0).wall)
const document = (parts: object, version = 12) => ({ version, mesh: 'm', detectors: {}, ...parts }) as SettingsDocument

const settled = (one: SettingsDocument) => ({ version: one.version, rules: rulesOf(one, MEMBER, builtinRemediators) })

const policy = (mode: string, parts: object = {}) => ({
  name: 'params',
  selector: { all: true },
  match: [{ reason: 'KernelParamDiffers' }],
  mode,
  ladder: [{ remediator: 'sysctl' }],
  ...parts,
})

function asked(mode: PermitRequest['mode'], ...documents: readonly SettingsDocument[]) {
  const { id: planId, planHash, evidenceHash, node } = PLAN
  const request = { node, planId, planHash, evidenceHash, nonce: '0'.repeat(32), mode }
  return checkMode(request, PLAN, documents.map(settled))
}

describe('a request is in a mode that the settings allow', () => {
  test.each([
    { what: 'a policy that is auto', parts: { policies: [policy('auto')] } },
    { what: 'a policy for its severity', parts: { policies: [policy('auto', { match: [{ severity: 'error' }] })] } },
    { what: 'the mode of its remediator', parts: { remediators: { sysctl: { mode: 'auto' } } } },
    {
      what: 'what its pool is told otherwise',
      parts: { overrides: [{ selector: { pools: ['gpu'] }, remediators: { sysctl: { mode: 'auto' } } }] },
    },
  ])('by $what', ({ parts }) => {
    expect(asked('auto', document(parts)).allowed).toBe(true)
    expect(asked('approve', document(parts)).allowed).toBe(true)
  })

  test('by one of the two versions that it may be running', () => {
    const versions = [document({ policies: [policy('approve')] }), document({ policies: [policy('auto')] }, 13)]
    expect(asked('auto', ...versions)).toEqual({
      guard: 'mode',
      allowed: true,
      why: 'it asks in mode auto, and params of settings version 13 is auto for KernelParamDiffers there',
    })
  })
})

describe('a node that raises itself is refused, and told both modes', () => {
  test.each([
    { lets: 'approve', parts: { policies: [policy('approve')] }, by: 'params of settings version 12 is approve' },
    {
      lets: 'approve, by the policy that is asked first',
      parts: { policies: [policy('approve', { name: 'first' }), policy('auto')] },
      by: 'first of settings version 12 is approve',
    },
    {
      lets: 'observe',
      parts: { policies: [policy('auto', { selector: { pools: ['cpu'] } })] },
      by: 'remediators.sysctl of settings version 12 is observe',
    },
    {
      lets: 'observe, since the policy has nothing for the reason',
      parts: {
        policies: [policy('auto', { ladder: [{ remediator: 'clock-step' }], match: [{ severity: 'warn' }] })],
        remediators: {},
      },
      by: 'remediators.sysctl of settings version 12 is observe',
    },
  ])('where they let $lets', ({ parts, by }) => {
    expect(asked('auto', document(parts))).toEqual({
      guard: 'mode',
      allowed: false,
      why: `it asks in mode auto, but ${by} for KernelParamDiffers there`,
      restMs: 60_000,
    })
  })

  test('where they let suggest, also when a person approved', () => {
    expect(asked('approve', document({ policies: [policy('suggest')] })).allowed).toBe(false)
    expect(asked('approve', document({ policies: [policy('approve')] })).allowed).toBe(true)
  })

  test('where nothing in its ladder mends the reason, or it is no member', () => {
    const other = { ...PLAN, remediator: 'somebody-else' }
    const request = { ...PLAN, planId: PLAN.id, nonce: '', mode: 'auto' } as const
    expect(checkMode(request, other, [settled(document({}))]).why).toBe(
      'it asks in mode auto, but settings version 12 has no rule with somebody-else for KernelParamDiffers there',
    )
    expect(checkMode(request, PLAN, []).why).toBe('it asks in mode auto, but no settings are known for node-7')
  })
})
