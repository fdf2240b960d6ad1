import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { covers, deltasOf } from '../../../inspection/deltas.ts'
import { COLUMNS } from '../../../inspection/model.ts'
import type { InspectionProfile } from '../../../inspection/profile-model.ts'
import type { RowStatus } from '../../../inspection/row.ts'
import { anyFleet, anyProfile, run, said, saidBy } from './fleet.ts'

const PROFILE: InspectionProfile = { name: 'p', roles: [{ role: 'worker', checks: [{ check: 'a' }, { check: 'b' }] }] }
const nodes = ['n1', 'n2'].map((node) => ({ node, roles: ['worker'] }))
const FINE = { a: 'ok', b: 'ok' } as const

const at = (id: string, n1: Record<string, RowStatus>, n2: Record<string, RowStatus> | 'silent' = FINE) =>
  run({
    id,
    profile: PROFILE,
    nodes,
    said: saidBy([said('n1', n1), ...(n2 === 'silent' ? [] : [said('n2', n2)])]),
    silent: new Map(n2 === 'silent' ? [['n2', 'AgentDown' as const]] : []),
  })

const places = (troubles: readonly { node: string; check: string; column: string }[]) =>
  troubles.map(({ node, check, column }) => `${node} ${check} ${column}`)

describe('troubles', () => {
  it('that were not there before are new, and those that are no more are gone', () => {
    const deltas = deltasOf(at('1', { a: 'warn', b: 'ok' }), at('2', { a: 'ok', b: 'error' }))
    expect(places(deltas.appeared)).toEqual(['n1 b error'])
    expect(places(deltas.gone)).toEqual(['n1 a warn'])
    expect(deltas.counts).toMatchObject({ warn: -1, error: 1, info: 0 })
  })

  it('that grew worse are new; those that grew milder are neither', () => {
    const [mild, grave] = [at('1', { ...FINE, a: 'warn' }), at('2', { ...FINE, a: 'alarm' })]
    expect(places(deltasOf(mild, grave).appeared)).toEqual(['n1 a alarm'])
    expect(deltasOf(grave, mild)).toMatchObject({ appeared: [], gone: [] })
  })

  it('of a node that fell silent are not gone: nobody knows', () => {
    const [before, after] = [at('1', FINE, { ...FINE, a: 'alarm' }), at('2', FINE, 'silent')]
    const deltas = deltasOf(before, after)
    expect(deltas).toMatchObject({ gone: [], fellSilent: [{ node: 'n2', why: 'AgentDown' }], spokeAgain: [] })
    expect(deltasOf(after, before).spokeAgain).toMatchObject([{ node: 'n2' }])
  })

  it('of a check that one of the two did not look at are neither new nor gone', () => {
    const whole = at('1', { a: 'alarm', b: 'alarm' })
    const part = run({
      id: '2',
      profile: PROFILE,
      nodes,
      said: saidBy([said('n1', FINE), said('n2', FINE)]),
      selection: { checks: ['a'] },
    })
    expect(places(deltasOf(whole, part).gone)).toEqual(['n1 a alarm'])
    expect(places(deltasOf(part, whole).appeared)).toEqual(['n1 a alarm'])
    expect([covers(whole, part), covers(part, whole)]).toEqual([true, false])
  })
})

test('there and back cancel each other out, for any two fleets', () => {
  fc.assert(
    fc.property(anyProfile, anyFleet, anyFleet, (profile, one, other) => {
      const [before, after] = [run({ id: '1', profile, ...one }), run({ id: '2', profile, ...other })]
      const [there, back] = [deltasOf(before, after), deltasOf(after, before)]
      for (const column of COLUMNS) expect(there.counts[column] + back.counts[column]).toBe(0)
      expect(deltasOf(after, after)).toMatchObject({ appeared: [], gone: [], fellSilent: [], spokeAgain: [], nodes: 0 })
    }),
  )
})
