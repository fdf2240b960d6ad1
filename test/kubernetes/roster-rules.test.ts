/** The next roster, by examples and by what must hold whatever a cluster lists. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nextEpochAt, type PastEpoch } from '../../aggregator/kubernetes/roster/churn.ts'
import type { ListedNode } from '../../aggregator/kubernetes/roster/listed-node.ts'
import { decideRoster, keyOf, type RosterDecision, retiredBy } from '../../aggregator/kubernetes/roster/rules.ts'
import { enrolled, factsOf, listed, memberOf, names, rosterOf } from './roster-parts.ts'

function namesOf({ members }: RosterDecision): readonly string[] | undefined {
  return members?.map(({ node }) => node)
}

function changesOf({ changes }: RosterDecision): readonly string[] {
  return changes.map(({ kind, node }) => `${kind} ${node}`)
}

describe('a member is a node that is enrolled and whose Node exists', () => {
  const two = [memberOf('a'), memberOf('b')]

  test('a new Node with an enrolled agent is added, where and as what the Node says it is', () => {
    const node = listed('c', { zone: 'z3', roles: ['etcd'], hosts: ['10.0.0.3', 'fd00::3'], kubeletPort: 10_251 })
    const decision = decideRoster(factsOf(two, [listed('a'), listed('b'), node], [enrolled('c', { serial: 4 })]))
    expect(namesOf(decision)).toEqual(['a', 'b', 'c'])
    const place = { zone: 'z3', roles: ['etcd'], hosts: ['10.0.0.3', 'fd00::3'], kubeletPort: 10_251 }
    expect(decision.members?.[2]).toEqual(memberOf('c', { serial: 4, ...place }))
  })

  test('a Node without an enrolled agent, and an agent without a Node, are told and change nothing', () => {
    const decision = decideRoster(factsOf(two, [listed('a'), listed('b'), listed('c')], [enrolled('d')]))
    expect(decision.members).toBeUndefined()
    expect(decision.uncovered).toEqual([
      { node: 'c', why: 'no agent has enrolled on it' },
      { node: 'd', why: 'an agent is enrolled under this name, but there is no such Node' },
    ])
  })

  test('a Node without an address is not added; a member keeps the addresses that its Node no longer tells', () => {
    const nodes = [listed('a', { hosts: [], kubeletPort: undefined }), listed('b'), listed('c', { hosts: [] })]
    const decision = decideRoster(factsOf(two, nodes, [enrolled('c')]))
    expect(decision.members).toBeUndefined()
    expect(decision.uncovered).toEqual([{ node: 'c', why: 'its Node has no InternalIP address' }])
  })

  test('a member whose Node is gone is removed', () => {
    const decision = decideRoster(factsOf(two, [listed('b')]))
    expect(namesOf(decision)).toEqual(['b'])
    expect(changesOf(decision)).toEqual(['removed a'])
  })

  test('a Node that was renamed goes and comes, with the same key', () => {
    const renamed = enrolled('c', { serial: 2, peerId: memberOf('a').peerId })
    const decision = decideRoster(factsOf(two, [listed('b'), listed('c')], [renamed]))
    expect(changesOf(decision)).toEqual(['removed a', 'added c'])
  })

  test('nobody is added under a key that another member keeps', () => {
    const copied = enrolled('c', { peerId: memberOf('a').peerId })
    const decision = decideRoster(factsOf(two, [listed('a'), listed('b'), listed('c')], [copied]))
    expect(decision.members).toBeUndefined()
    expect(decision.uncovered).toEqual([{ node: 'c', why: 'its key is that of another member' }])
  })

  test('an aggregator that runs on a Node does not become a member', () => {
    const decision = decideRoster(factsOf(two, [listed('a'), listed('b'), listed('leader')], [enrolled('leader')]))
    expect(decision).toEqual({ members: undefined, changes: [], held: [], uncovered: [] })
  })

  test('other addresses, labels and keys of the same machine need no brake', () => {
    const moved = names(10).map((name) => listed(name, { hosts: ['10.9.9.9'] }))
    const anew = names(10).map((name) => enrolled(name, { serial: 2 }))
    const members = names(10).map((name) => memberOf(name))
    expect(decideRoster(factsOf(members, moved)).changes).toHaveLength(10)
    const decision = decideRoster(factsOf(members, moved, anew))
    expect(decision.held).toEqual([])
    expect(new Set(decision.changes.map(({ kind }) => kind))).toEqual(new Set(['renewed']))
    expect(decision.members?.map(({ serial }) => serial)).toEqual(names(10).map(() => 2))
  })

  test('the pool of a member is that of its Node, and goes with its label', () => {
    const next = (pool: string | undefined, was?: string) => {
      const members = [memberOf('a', was === undefined ? {} : { pool: was })]
      return decideRoster(factsOf(members, [listed('a', { pool })])).members?.[0]
    }
    expect(next('gpu')?.pool).toBe('gpu')
    expect(next('gpu', 'gpu')).toBeUndefined()
    expect(Object.keys(next(undefined, 'gpu') ?? {})).not.toContain('pool')
  })

  test('a mesh that did not know its Nodes takes them for the ones it sees', () => {
    const decision = decideRoster(factsOf([memberOf('a', { uid: undefined })], [listed('a', { uid: 'first' })]))
    expect(decision.members?.[0]?.uid).toBe('first')
    expect(changesOf(decision)).toEqual(['updated a'])
  })
})

describe('another Node of the same name', () => {
  const other = listed('a', { uid: 'other' })

  test('is not covered until its agent enrols anew, and the old key goes', () => {
    const before = rosterOf([memberOf('a'), memberOf('b')])
    const decision = decideRoster(factsOf(before.members, [other, listed('b')], [enrolled('a')]))
    expect(changesOf(decision)).toEqual(['removed a'])
    const after = rosterOf(decision.members ?? [])
    const retired = new Map(retiredBy(before, after).map(({ node, serial }) => [node, serial]))
    const next = decideRoster(factsOf(after.members, [other, listed('b')], [enrolled('a')], { retired }))
    expect(next.members).toBeUndefined()
    expect(next.uncovered[0]?.why).toContain('it must enrol anew')
    const anew = decideRoster(factsOf(after.members, [other, listed('b')], [enrolled('a', { serial: 2 })], { retired }))
    expect(anew.members?.[0]).toEqual(memberOf('a', { serial: 2, uid: 'other' }))
  })

  test('that enrolled already takes over at once', () => {
    const decision = decideRoster(factsOf([memberOf('a')], [other], [enrolled('a', { serial: 2 })]))
    expect(changesOf(decision)).toEqual(['replaced a'])
    expect(decision.members).toEqual([memberOf('a', { serial: 2, uid: 'other' })])
  })
})

describe('the brakes', () => {
  const members = names(40).map((name) => memberOf(name))
  const all = names(40).map((name) => listed(name))

  test('two of forty may go in ten minutes, a third waits with whoever goes with it', () => {
    expect(decideRoster(factsOf(members, all.slice(2))).changes).toHaveLength(2)
    const held = decideRoster(factsOf(members, all.slice(3)))
    expect(held.members).toBeUndefined()
    expect(held.held).toMatchObject([{ kind: 'removals', why: '3 gone is more than 2 of 40 live members' }])
    const past = [{ atMs: 500_000, removed: 2, added: 0 }]
    const later = decideRoster(factsOf(members, all.slice(1), [], { past, nowMs: 1_099_999 }))
    expect(later.held[0]?.why).toContain('1 gone after 2 in the last 10 minutes')
    expect(decideRoster(factsOf(members, all.slice(1), [], { past, nowMs: 1_100_000 })).changes).toHaveLength(1)
  })

  test('Nodes that were replaced count as gone', () => {
    const others = all.map((node, index) => (index < 3 ? { ...node, uid: 'other' } : node))
    const anew = names(3).map((name) => enrolled(name, { serial: 2 }))
    expect(decideRoster(factsOf(members, others, anew))).toMatchObject({ members: undefined, changes: [] })
  })

  test('ten may come to a small mesh, half as many again to a large one, any number to one that is founded', () => {
    const comers = (count: number, parts = {}) => {
      const fresh = names(count, 'x')
      const nodes = [...all, ...fresh.map((name) => listed(name))]
      return decideRoster(
        factsOf(
          members,
          nodes,
          fresh.map((name) => enrolled(name)),
          parts,
        ),
      )
    }
    expect(comers(20).changes).toHaveLength(20)
    expect(comers(21)).toMatchObject({ members: undefined, held: [{ kind: 'growth' }] })
    expect(comers(21).uncovered).toHaveLength(21)
    expect(comers(21, { isFounding: true }).changes).toHaveLength(21)
    expect(comers(10, { live: 3 }).changes).toHaveLength(10)
    expect(comers(11, { live: 3 }).changes).toHaveLength(0)
  })

  test('what a person let through passes, and does not count against what comes after', () => {
    const held = decideRoster(factsOf(members, all.slice(3))).held.flatMap(({ changes }) => changes)
    const allowed = new Set(held.map(keyOf))
    expect(decideRoster(factsOf(members, all.slice(3), [], { allowed })).changes).toHaveLength(3)
    expect(decideRoster(factsOf(members, all.slice(5), [], { allowed })).changes).toHaveLength(5)
    expect(decideRoster(factsOf(members, all.slice(6), [], { allowed })).changes).toHaveLength(3)
  })

  test('epochs are a second apart, and five seconds once two came within ten', () => {
    const at = (...times: readonly number[]): readonly PastEpoch[] => {
      return times.map((atMs) => ({ atMs, removed: 0, added: 0 }))
    }
    expect(nextEpochAt([])).toBe(Number.NEGATIVE_INFINITY)
    expect(nextEpochAt(at(100))).toBe(1_100)
    expect(nextEpochAt(at(100, 10_099))).toBe(15_099)
    expect(nextEpochAt(at(100, 10_100))).toBe(11_100)
  })
})

describe('whatever a cluster lists', () => {
  const name = fc.constantFrom(...names(30))
  const machine = fc.record({ name, uid: fc.constantFrom('u1', 'u2', undefined) })
  const unique = { selector: ({ name: of }: { name: string }) => of, maxLength: 30 }
  const nodesOf = fc.uniqueArray(machine, unique).map((machines): readonly ListedNode[] => {
    return machines.map(({ name: of, uid }) => listed(of, uid === undefined ? {} : { uid }))
  })
  const certificate = fc.record({ name, serial: fc.integer({ min: 1, max: 3 }) })
  const enrolmentsOf = fc.uniqueArray(certificate, unique).map((all) => {
    return all.map(({ name: of, serial }) => enrolled(of, { serial }))
  })
  const membersOf = fc.uniqueArray(machine, unique).map((machines) => {
    return machines.map(({ name: of, uid }) => memberOf(of, uid === undefined ? {} : { uid }))
  })
  const pastOf = fc.array(fc.record({ atMs: fc.constantFrom(0, 999_000), removed: fc.nat(2), added: fc.nat(9) }), {
    maxLength: 3,
  })
  const factsAny = fc.record({ members: membersOf, nodes: nodesOf, enrolments: enrolmentsOf, past: pastOf })

  test('no more go than the brake lets through', () => {
    fc.assert(
      fc.property(factsAny, ({ members, nodes, enrolments, past }) => {
        const { members: next } = decideRoster(factsOf(members, nodes, enrolments, { past }))
        if (next === undefined) return
        const keys = new Map(next.map(({ node, uid }) => [node, uid]))
        const gone = members.filter(({ node, uid }) => keys.get(node) !== uid).length
        const before = past.filter(({ atMs }) => atMs > 0).reduce((sum, { removed }) => sum + removed, 0)
        expect(gone === 0 || before + gone <= Math.max(1, 0.05 * members.length)).toBe(true)
      }),
    )
  })

  test('an empty list, or none, removes nobody', () => {
    fc.assert(
      fc.property(factsAny, fc.constantFrom([], undefined), ({ members, enrolments }, nothing) => {
        expect(decideRoster(factsOf(members, nothing, enrolments)).members).toBeUndefined()
      }),
    )
  })

  test('a Node of another uid never has the key of the one before', () => {
    fc.assert(
      fc.property(factsAny, ({ members, nodes, enrolments }) => {
        const allowed = { has: () => true } as unknown as ReadonlySet<string>
        const { members: next = members } = decideRoster(factsOf(members, nodes, enrolments, { allowed }))
        const keys = new Map(members.map((member) => [member.node, member]))
        for (const { node, uid, peerId, serial } of next) {
          const before = keys.get(node)
          if (before === undefined || before.uid === uid) continue
          expect(peerId).not.toBe(before.peerId)
          expect(serial).toBeGreaterThan(before.serial)
        }
      }),
    )
  })

  test('the same facts again, with the next roster in force, change nothing more', () => {
    fc.assert(
      fc.property(factsAny, ({ members, nodes, enrolments }) => {
        const before = rosterOf(members)
        const first = decideRoster(factsOf(members, nodes, enrolments, { isFounding: true }))
        if (first.members === undefined || first.held.length > 0) return
        const after = rosterOf(first.members)
        const retired = new Map(retiredBy(before, after).map(({ node, serial }) => [node, serial]))
        const parts = { isFounding: true, retired }
        expect(decideRoster(factsOf(after.members, nodes, enrolments, parts)).members).toBeUndefined()
      }),
    )
  })
})
