import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import type { Finding } from '../../../detectors/contract.ts'
import { DEFAULT_PROFILE } from '../../../inspection/default-profile.ts'
import { TROUBLES_MAX, totalOf } from '../../../inspection/matrix.ts'
import { COLUMNS } from '../../../inspection/model.ts'
import { onlyRole, partAt } from '../../../inspection/narrow.ts'
import { detectorsOf, type InspectionProfile, type ProfileCheck } from '../../../inspection/profile-model.ts'
import { saidByFindings } from '../../../inspection/said.ts'
import { anyFleet, anyProfile, run, said, saidBy } from './fleet.ts'

const PROFILE: InspectionProfile = {
  name: 'p',
  roles: [
    { role: 'etcd', checks: [{ check: 'disk' }, { check: 'time', detectors: ['skew', 'daemon'] }] },
    { role: 'compute', of: ['worker'], withoutRole: true, checks: [{ check: 'disk' }] },
    { role: 'rest', of: 'others', checks: [{ check: 'disk' }, { check: 'others', detectors: 'others' }] },
  ],
}

const counts = (result: ReturnType<typeof run>, role: string, check: string) => {
  const found = result.sections.find((one) => one.role === role)?.checks.find((one) => one.check === check)
  return Object.fromEntries(Object.entries(found?.counts ?? {}).filter(([, count]) => count > 0))
}

describe('for any fleet and profile', () => {
  test('each row sums to the nodes of its role, and no silent or unheard node is fine', () => {
    fc.assert(
      fc.property(anyProfile, anyFleet, (profile, fleet) => {
        const result = run({ profile, ...fleet })
        for (const section of result.sections) {
          for (const { check, counts } of section.checks) {
            expect(COLUMNS.reduce((sum, column) => sum + counts[column], 0)).toBe(section.nodes)
            const silent = result.silent.filter(({ roles }) => roles.includes(section.role))
            expect(counts.silent).toBe(silent.length)
            const ofCheck = profile.roles.find(({ role }) => role === section.role)?.checks
            const asked = ofCheck?.find((one) => one.check === check)
            if (asked === undefined || asked.detectors === 'others') continue
            // Fine is only who said so of all that the check asks for.
            const speak = [...fleet.said].filter(([node, one]) => {
              return !fleet.silent.has(node) && detectorsOf(asked).every((detector) => one.has(detector))
            })
            expect(counts.info + counts.notApplicable).toBeLessThanOrEqual(speak.length)
          }
        }
        const names = new Set(fleet.nodes.map(({ node }) => node))
        expect(result.nodes).toBeLessThanOrEqual(names.size)
        const places = result.troubles.map(({ node, check }) => `${node} ${check}`)
        expect(new Set(places).size).toBe(places.length)
      }),
    )
  })

  test('one role alone is what it was among all', () => {
    fc.assert(
      fc.property(anyProfile, anyFleet, (profile, fleet) => {
        const whole = run({ profile, ...fleet })
        for (const { role } of profile.roles) {
          const part = onlyRole(whole, role)
          const asked = run({ profile, ...fleet, selection: { roles: [role] } })
          expect(part.sections).toEqual(asked.sections)
          expect(part.nodes).toBe(asked.nodes)
          expect(part.silent.map(({ node }) => node)).toEqual(asked.silent.map(({ node }) => node))
        }
      }),
    )
  })

  test('behind each number that is told by name stand as many nodes', () => {
    const group: ProfileCheck = { check: 'group', detectors: ['c', 'd'] }
    const profile: InspectionProfile = {
      name: 'p',
      roles: [
        { role: 'etcd', checks: [{ check: 'a' }, group] },
        { role: 'worker', withoutRole: true, checks: [group, { check: 'b' }] },
      ],
    }
    fc.assert(
      fc.property(anyFleet, (fleet) => {
        const result = run({ profile, ...fleet })
        expect(partAt(result, {})).toEqual({ troubles: result.troubles, silent: result.silent })
        for (const { role, checks } of result.sections) {
          for (const { check, counts } of checks) {
            for (const column of COLUMNS) {
              const { troubles, silent } = partAt(result, { role, check, column })
              const isNamed = column !== 'info' && column !== 'notApplicable'
              expect(troubles.length + silent.length).toBe(isNamed ? counts[column] : 0)
              const [node] = [...troubles, ...silent].map((one) => one.node)
              if (node === undefined) continue
              const one = partAt(result, { role, check, column, node })
              expect(one.troubles.length + one.silent.length).toBe(1)
            }
          }
        }
      }),
    )
  })
})

describe('a node', () => {
  it('is counted in each of its roles, and in the rest when it has none of them', () => {
    const nodes = [
      { node: 'a', roles: ['etcd', 'worker'] },
      { node: 'b', roles: [] },
      { node: 'c', roles: ['ingress'] },
    ]
    const result = run({
      profile: PROFILE,
      nodes,
      said: saidBy([said('a', { disk: 'alarm', skew: 'ok', daemon: 'ok' })]),
    })
    expect(result.sections.map(({ role, nodes }) => [role, nodes])).toEqual([
      ['etcd', 1],
      ['compute', 2],
      ['rest', 1],
    ])
    expect(result.nodes).toBe(3)
    expect(result.troubles.filter(({ column }) => column === 'alarm')).toEqual([
      {
        node: 'a',
        roles: ['etcd', 'compute'],
        check: 'disk',
        column: 'alarm',
        reason: 'Reasondisk',
        summary: 'disk is alarm',
      },
    ])
  })

  it('that lives and never said it is unknown; one that is silent is not, and what it said does not count', () => {
    const nodes = [
      { node: 'quiet', roles: ['etcd'] },
      { node: 'dead', roles: ['etcd'] },
      { node: 'half', roles: ['etcd'] },
    ]
    const said_ = saidBy([said('dead', { disk: 'ok', skew: 'ok', daemon: 'ok' }), said('half', { skew: 'info' })])
    const result = run({ profile: PROFILE, nodes, said: said_, silent: new Map([['dead', 'NodeDown']]) })
    expect(counts(result, 'etcd', 'disk')).toEqual({ unknown: 2, silent: 1 })
    expect(counts(result, 'etcd', 'time')).toEqual({ unknown: 2, silent: 1 })
    expect(result.silent).toEqual([{ node: 'dead', roles: ['etcd'], why: 'NodeDown' }])
    expect(result.troubles.map(({ reason }) => reason)).toContain('NotReported')
  })

  it('whose settings turn a detector off is not expected to say it', () => {
    const nodes = [{ node: 'a', roles: ['etcd'] }]
    const given = { profile: PROFILE, nodes, said: saidBy([said('a', { daemon: 'ok' })]) }
    expect(counts(run({ ...given, isOff: (_, name) => name === 'skew' }), 'etcd', 'time')).toEqual({ info: 1 })
    expect(counts(run({ ...given, isOff: () => true }), 'etcd', 'disk')).toEqual({ notApplicable: 1 })
  })

  it('shows what no check names among the others', () => {
    const nodes = [{ node: 'c', roles: ['ingress'] }]
    const result = run({ profile: PROFILE, nodes, said: saidBy([said('c', { disk: 'ok', 'my-plugin': 'warn' })]) })
    expect(counts(result, 'rest', 'others')).toEqual({ warn: 1 })
  })

  it('counts its worst finding of a check, and says how many more there are of that kind', () => {
    const finding = (status: Finding['status'], cause: string) =>
      ({ node: 'a', detector: 'disk', status, reason: 'R', cause, summary: cause }) as Finding
    const findings = [finding('warn', '/a'), finding('alarm', '/b'), finding('unknown', '/c'), finding('alarm', '/d')]
    const result = run({ profile: PROFILE, nodes: [{ node: 'a', roles: ['worker'] }], said: saidByFindings(findings) })
    expect(result.troubles).toMatchObject([{ column: 'alarm', summary: '/b', more: 1 }])
  })
})

test('no more troubles are kept than anybody reads, the worst of them; all are counted', () => {
  const nodes = Array.from({ length: TROUBLES_MAX }, (_, index) => ({ node: `n${index}`, roles: ['ingress'] }))
  const result = run({
    profile: PROFILE,
    nodes,
    said: saidBy([said('n9', { disk: 'error' }), said('n7', { other: 'warn' })]),
  })
  expect(result.troubles).toHaveLength(TROUBLES_MAX)
  expect(result.troubles.slice(0, 2).map(({ node }) => node)).toEqual(['n9', 'n7'])
  expect(result.leftOut).toBe(1)
  expect(totalOf(result.sections.flatMap(({ checks }) => checks))).toMatchObject({
    error: 1,
    warn: 1,
    unknown: TROUBLES_MAX - 1,
  })
})

test('the default profile knows etcd, control, compute and other nodes', () => {
  const nodes = [
    { node: 'a', roles: ['etcd', 'master'] },
    { node: 'b', roles: ['worker'] },
    { node: 'c', roles: ['ingress'] },
  ]
  expect(run({ profile: DEFAULT_PROFILE, nodes }).sections.map(({ role, nodes }) => `${role} ${nodes}`)).toEqual([
    'etcd 1',
    'control-plane 1',
    'compute 1',
    'other-services 1',
  ])
})
