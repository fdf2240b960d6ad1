/** Hints to co-observers and their answers: which ways they take, and what becomes of them where they arrive. */
import { describe, expect, test } from 'vitest'
import { type Hint, Hints, type IndirectAck } from '../../mesh/core/hints.ts'
import { Links } from '../../mesh/core/links.ts'
import { Membership } from '../../mesh/core/membership.ts'
import type { Effect } from '../../mesh/core/message.ts'
import { ringOf } from '../../mesh/core/ring.ts'
import { HOPS_MAX } from '../../mesh/core/route.ts'
import { nodeName, sampleRoster } from './sample-mesh.ts'

const roster = sampleRoster({ nodes: 200 })
const ring = ringOf(roster)
const ME = nodeName(0)
const [SUBJECT = '', ...MY_OTHERS] = ring.subjectsOf(ME)
const CO_OBSERVERS = ring.observersOf(SUBJECT).filter((node) => node !== ME)
const [CO_OBSERVER = ''] = CO_OBSERVERS
const NOT_MINE = roster.members.map(({ node }) => node).find((node) => !ring.observersOf(node).includes(ME)) ?? ''
const [OBSERVER_OF_ANOTHER = ''] = ring.observersOf(NOT_MINE)

const hintsOf = (node: string) => new Hints(node, new Membership(roster), 500)

function linksTo(peers: readonly string[]): Links {
  const links = new Links()
  for (const peer of peers) links.opened(peer, 'them')
  return links
}

const NEIGHBOURS = linksTo(ring.neighboursOf(ME))

/** Whole ways, from the first hop on, by the observer that each is meant for. */
function waysIn(effects: readonly Effect[]): ReadonlyMap<string, readonly (readonly string[])[]> {
  const ways = effects.flatMap((effect) => {
    const isOne = effect.kind === 'send' && (effect.message.kind === 'hint' || effect.message.kind === 'indirect-ack')
    return isOne && 'path' in effect.message ? [[effect.to, ...effect.message.path]] : []
  })
  return Map.groupBy(ways, (way) => way.at(-1) ?? '')
}

describe('a hint', () => {
  test('goes to every co-observer: straight where there is an edge, else by two ways that share nobody', () => {
    const ways = waysIn(hintsOf(ME).about(SUBJECT, new Set([SUBJECT]), NEIGHBOURS))
    expect([...ways.keys()].toSorted()).toEqual(CO_OBSERVERS.toSorted())
    for (const [observer, taken] of ways) {
      if (NEIGHBOURS.has(observer)) expect(taken).toEqual([[observer]])
      else {
        expect(taken).toHaveLength(2)
        const relays = taken.flatMap((way) => way.slice(0, -1))
        expect(new Set(relays).size).toBe(relays.length)
      }
    }
  })

  test('goes around everybody in doubt, and not to them', () => {
    const doubted = new Set([SUBJECT, ...MY_OTHERS.slice(0, 2), CO_OBSERVER])
    const ways = waysIn(hintsOf(ME).about(SUBJECT, doubted, NEIGHBOURS))
    expect(ways.has(CO_OBSERVER)).toBe(false)
    for (const way of [...ways.values()].flat()) {
      expect(way.some((hop) => doubted.has(hop))).toBe(false)
      expect(way.length).toBeLessThanOrEqual(HOPS_MAX)
    }
  })

  test('is sent while fewer than half of its subjects are in doubt, and by nobody who misses more', () => {
    const subjects = [SUBJECT, ...MY_OTHERS]
    const half = Math.ceil(subjects.length / 2)
    const sentWith = (doubted: number) =>
      hintsOf(ME).about(SUBJECT, new Set(subjects.slice(0, doubted)), NEIGHBOURS).length > 0
    expect([sentWith(1), sentWith(half - 1), sentWith(half), sentWith(subjects.length)]).toEqual([
      true,
      true,
      false,
      false,
    ])
  })
})

test('an indirect ack goes back to the observer that asked, around the subject, with its age', () => {
  const effects = hintsOf(ME).answer(CO_OBSERVER, SUBJECT, 40, linksTo([]))
  const ways = waysIn(effects).get(CO_OBSERVER) ?? []
  expect(ways.length).toBeGreaterThan(0)
  expect(ways.some((way) => way.includes(SUBJECT))).toBe(false)
  expect(effects[0]).toMatchObject({ message: { kind: 'indirect-ack', from: ME, subject: SUBJECT, ageMs: 40 } })
})

describe.each(['hint', 'indirect-ack'] as const)('a message of kind %s', (kind) => {
  const message = (parts: Partial<Hint> = {}): Hint | IndirectAck => {
    const base = { path: [], from: CO_OBSERVER, subject: SUBJECT, ...parts }
    return kind === 'hint' ? { kind, ...base } : { kind, ...base, ageMs: 10 }
  }
  const received = (parts: Partial<Hint>, links = NEIGHBOURS) => hintsOf(ME).receive(0, message(parts), links)

  test('is passed on along its path, one hop shorter', () => {
    const [next = ''] = NEIGHBOURS.peers
    const passed = received({ path: [next, 'further'], from: 'anybody', subject: 'anything' })
    const message = { kind, path: ['further'], from: 'anybody', subject: 'anything' }
    expect(passed).toMatchObject({ kind: 'forward', effect: { kind: 'send', to: next, message } })
  })

  test.each([
    { why: 'its next hop has no edge here', parts: { path: ['unknown'] } },
    { why: 'its sender does not observe the subject', parts: { from: OBSERVER_OF_ANOTHER } },
    { why: 'it claims to come from this very node', parts: { from: ME } },
    { why: 'this node does not observe the subject', parts: { subject: NOT_MINE, from: OBSERVER_OF_ANOTHER } },
    { why: 'the subject is nobody', parts: { subject: 'nobody' } },
  ])('is dropped when $why', ({ parts }) => {
    expect(received(parts)).toEqual({ kind: 'dropped' })
  })

  test('arrives once by however many ways, and again after half a beat', () => {
    const hints = hintsOf(ME)
    const kinds = [0, 1, 499, 500].map((ms) => hints.receive(ms, message(), NEIGHBOURS).kind)
    expect(kinds).toEqual(['arrived', 'known', 'known', 'arrived'])
    expect(hints.receive(501, message({ from: CO_OBSERVERS[1] ?? '' }), NEIGHBOURS).kind).toBe('arrived')
  })
})

test('a hint does not make an indirect ack of the same observer known', () => {
  const hints = hintsOf(ME)
  const about = { path: [], from: CO_OBSERVER, subject: SUBJECT }
  hints.receive(0, { kind: 'hint', ...about }, NEIGHBOURS)
  expect(hints.receive(0, { kind: 'indirect-ack', ...about, ageMs: 1 }, NEIGHBOURS).kind).toBe('arrived')
})
