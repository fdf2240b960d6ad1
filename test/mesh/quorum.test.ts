import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Answer } from '../../mesh/core/model.ts'
import { floorOf, neededOf, type Question, tally, vetoOf } from '../../mesh/core/quorum.ts'
import { FIRST_LIFE } from './sample-mesh.ts'

const SUBJECT = 'subject'
const HUNG_MS = 25_000

type Said = Pick<Answer, 'opinion' | 'channel' | 'forMs'>

const DOWN: Said = { opinion: 'NodeDown', channel: 'nothing', forMs: 1_500 }
const HUNG: Said = { opinion: 'HostHung', channel: 'mute', forMs: HUNG_MS }
const ALIVE: Said = { opinion: 'Alive', channel: 'unknown', forMs: 100 }
const ABSTAINS: Said = { opinion: 'Abstain', channel: 'unknown', forMs: 0 }

function answerOf(voter: string, said: Said): Answer {
  const question = { nonce: 'aa', epoch: 7, subject: SUBJECT, incarnation: FIRST_LIFE }
  return { ...question, voter, voterSerial: 1, reason: '', ...said }
}

/** Observers `observer-0`, `observer-1` ..., dealt over `zones`. */
function question(assigned: number, parts: Partial<Question> = {}, zones = 3): Question {
  const observers = Array.from(
    { length: assigned },
    (_, index) => [`observer-${index}`, `zone-${index % zones}`] as const,
  )
  return {
    subject: SUBJECT,
    kind: 'NodeDown',
    assigned: new Map(observers),
    excused: new Set(),
    hungMs: HUNG_MS,
    ...parts,
  }
}

/** What observers 0, 1, 2 ... say; undefined for one that does not answer. */
function answers(...said: readonly (Said | undefined)[]): Answer[] {
  return said.flatMap((one, index) => (one === undefined ? [] : [answerOf(`observer-${index}`, one)]))
}

function times<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value)
}

describe('thresholds by the number of observers', () => {
  test.each([
    { assigned: 3, floor: 3, veto: 1, needed: 3 },
    { assigned: 4, floor: 3, veto: 1, needed: 3 },
    { assigned: 5, floor: 4, veto: 2, needed: 4 },
    { assigned: 6, floor: 4, veto: 2, needed: 4 },
    { assigned: 7, floor: 4, veto: 2, needed: 4 },
    { assigned: 8, floor: 5, veto: 3, needed: 5 },
    { assigned: 9, floor: 5, veto: 3, needed: 5 },
    { assigned: 10, floor: 5, veto: 3, needed: 6 },
  ])('A=$assigned: F=$floor, L=$veto, H=$needed', ({ assigned, floor, veto, needed }) => {
    expect([floorOf(assigned), vetoOf(assigned), neededOf(assigned, assigned)]).toEqual([floor, veto, needed])
  })

  test.each([
    [10, 9, 5],
    [10, 5, 5],
    [9, 8, 5],
    [7, 6, 4],
    [4, 3, 3],
  ])('A=%i of whom E=%i may vote: H=%i', (assigned, eligible, needed) => {
    expect(neededOf(assigned, eligible)).toBe(needed)
  })

  test.each([0, 1])('with A=%i no number of votes is enough', (assigned) => {
    expect(floorOf(assigned)).toBe(Number.POSITIVE_INFINITY)
    expect(tally(question(assigned), answers(...times(assigned, DOWN))).kind).toBe('blind')
  })

  test('two convict by the slow path alone, both of them, and one who sees life keeps them from it', () => {
    const kindOf = (kind: Question['kind'], ...said: readonly (Said | undefined)[]) =>
      tally(question(2, { kind }), answers(...said)).kind
    expect([floorOf(2), vetoOf(2), neededOf(2, 2)]).toEqual([2, 1, 2])
    expect(kindOf('NodeDown', DOWN, DOWN)).toBe('short')
    expect(kindOf('HostHung', DOWN, DOWN)).toBe('short')
    const long = { ...DOWN, forMs: HUNG_MS }
    expect(kindOf('HostHung', long, HUNG)).toBe('carried')
    expect(kindOf('HostHung', long, undefined)).toBe('short')
    expect(kindOf('HostHung', long, ALIVE)).toBe('vetoed')
    expect(kindOf('HostHung', long, ABSTAINS)).toBe('blind')
  })
})

describe('a count', () => {
  test.each([3, 4, 5, 6, 7, 8, 9, 10])('with A=%i carries with H votes and not with one less', (assigned) => {
    const needed = neededOf(assigned, assigned)
    expect(tally(question(assigned), answers(...times(needed, DOWN)))).toMatchObject({ kind: 'carried', needed })
    expect(tally(question(assigned), answers(...times(needed - 1, DOWN)))).toMatchObject({ kind: 'short', needed })
  })

  test.each([3, 4, 5, 6, 7, 8, 9, 10])(
    'with A=%i is vetoed by L that hear the subject and not by one less',
    (assigned) => {
      const veto = vetoOf(assigned)
      const votes = times(assigned - veto, DOWN)
      expect(tally(question(assigned), answers(...votes, ...times(veto, ALIVE))).kind).toBe('vetoed')
      expect(tally(question(assigned), answers(...votes, DOWN, ...times(veto - 1, ALIVE))).kind).toBe(
        votes.length + 1 >= neededOf(assigned, assigned) ? 'carried' : 'short',
      )
    },
  )

  test.each(['userland', 'refused', 'mute'] as const)('of NodeDown is vetoed by hosts that answer: %s', (channel) => {
    const lives = { opinion: channel === 'mute' ? 'HostHung' : 'AgentDown', channel, forMs: 4_000 } as const
    expect(tally(question(10), answers(...times(7, DOWN), ...times(3, lives))).kind).toBe('vetoed')
    expect(tally(question(10), answers(...times(7, DOWN), ...times(2, lives))).kind).toBe('carried')
  })

  test.each(['NodeDown', 'HostHung'] as const)(
    'of %s is vetoed by hosts whose packets come through now and then',
    (kind) => {
      const lossy = { opinion: 'LinkFault', channel: 'lossy', forMs: 4_000 } as const
      const votes = (count: number) => times(count, kind === 'NodeDown' ? DOWN : HUNG)
      const asked = question(10, { kind })
      expect(tally(asked, answers(...votes(7), ...times(3, lossy)))).toMatchObject({ kind: 'vetoed' })
      // Two are no veto, and no votes either: a hung host needs every fit observer.
      const short = tally(asked, answers(...votes(8), ...times(2, lossy)))
      expect(short.kind).toBe(kind === 'NodeDown' ? 'carried' : 'short')
      expect(short).toMatchObject({ voters: votes(8).map((_, index) => `observer-${index}`) })
    },
  )

  test('of HostHung is vetoed by a host whose programs answer, not by one that is mute', () => {
    const hung = question(10, { kind: 'HostHung' })
    const answering = { opinion: 'AgentDown', channel: 'userland', forMs: HUNG_MS } as const
    expect(tally(hung, answers(...times(7, HUNG), ...times(3, answering))).kind).toBe('vetoed')
    expect(tally(hung, answers(...times(10, HUNG))).kind).toBe('carried')
  })

  test('takes no vote for NodeDown whose own second channel was not tried, or failed', () => {
    const unproved = { ...DOWN, channel: 'unknown' } as const
    expect(tally(question(10), answers(...times(5, DOWN), ...times(5, unproved))).kind).toBe('short')
  })

  test('asks fewer votes when observers abstain, and none decide when too few are left', () => {
    expect(tally(question(10), answers(...times(5, DOWN), ABSTAINS))).toMatchObject({ kind: 'carried', needed: 5 })
    expect(tally(question(10), answers(...times(5, DOWN)))).toMatchObject({ kind: 'short', needed: 6 })
    expect(tally(question(10), answers(...times(4, DOWN), ...times(6, ABSTAINS))).kind).toBe('blind')
  })

  test('leaves out excused observers, whatever they say, and strangers', () => {
    const excused = new Set(['observer-8', 'observer-9'])
    const eightLeft = question(10, { excused })
    expect(tally(eightLeft, answers(...times(5, DOWN)))).toMatchObject({ kind: 'carried', needed: 5 })
    const saidByExcused = answers(...times(4, DOWN), ...times(4, undefined), DOWN, DOWN)
    expect(tally(eightLeft, saidByExcused)).toMatchObject({ kind: 'short', needed: 5 })
    const withStrangers = [...answers(...times(5, DOWN)), answerOf('stranger', DOWN), answerOf('other', DOWN)]
    expect(tally(question(10), withStrangers).kind).toBe('short')
  })

  test('does not excuse an observer for its silence', () => {
    expect(tally(question(10), answers(...times(5, DOWN), ...times(5, undefined))).kind).toBe('short')
  })

  test('needs voters of two zones as soon as two zones have answered', () => {
    // Observers 0 to 5 are in zone a, the others in b.
    const zones = Array.from({ length: 10 }, (_, index) => [`observer-${index}`, index < 6 ? 'a' : 'b'] as const)
    const twoZones = question(10, { assigned: new Map(zones) })
    const oneZone = times(6, DOWN)
    expect(tally(twoZones, answers(...oneZone)).kind).toBe('carried')
    expect(tally(twoZones, answers(...oneZone, ALIVE)).kind).toBe('short')
    expect(tally(twoZones, answers(...oneZone, DOWN, ALIVE)).kind).toBe('carried')
  })

  test('of HostHung needs every fit observer, each for the whole time', () => {
    const hung = question(10, { kind: 'HostHung' })
    expect(tally(hung, answers(...times(9, HUNG))).kind).toBe('short')
    expect(tally(hung, answers(...times(9, HUNG), { ...HUNG, forMs: HUNG_MS - 1 })).kind).toBe('short')
    expect(tally(hung, answers(...times(9, HUNG), ABSTAINS)).kind).toBe('carried')
    expect(tally(hung, answers(...times(9, HUNG), { ...DOWN, forMs: HUNG_MS })).kind).toBe('carried')
  })
})

/** Section 5 of the protocol read aloud, one sentence after the other, with every set of observers tried. */
function isCarriedByTheBook({ assigned, excused, kind, hungMs }: Question, given: readonly Answer[]): boolean {
  const a = assigned.size
  const f = a >= 8 ? 5 : a >= 5 ? 4 : a >= 3 ? 3 : 2
  const l = a >= 8 ? 3 : a >= 5 ? 2 : 1
  if (a <= 1 || (a === 2 && kind === 'NodeDown')) return false
  const said = new Map(given.map((answer) => [answer.voter, answer]))
  const mayCount = [...assigned.keys()].filter((node) => !excused.has(node))
  const e = mayCount.filter((node) => said.get(node)?.opinion !== 'Abstain').length
  if (e < f) return false
  const h = Math.max(Math.floor(e / 2) + 1, f)
  const seesLife = mayCount.filter((node) => {
    const { opinion = 'Abstain', channel = 'unknown' } = said.get(node) ?? {}
    if (opinion === 'Abstain') return false
    const hostAnswered = ['userland', 'refused', ...(kind === 'NodeDown' ? ['mute'] : [])].includes(channel)
    return opinion === 'Alive' || hostAnswered
  })
  if (seesLife.length >= l) return false
  const answeredFrom = new Set(mayCount.filter((node) => said.has(node)).map((node) => assigned.get(node)))
  const accuses = (node: string): boolean => {
    const answer = said.get(node)
    if (answer === undefined) return false
    if (kind === 'NodeDown') return answer.opinion === 'NodeDown' && answer.channel === 'nothing'
    return ['HostHung', 'NodeDown'].includes(answer.opinion) && answer.forMs >= hungMs
  }
  for (let chosen = 0; chosen < 2 ** mayCount.length; chosen++) {
    const voters = mayCount.filter((_, bit) => (chosen >> bit) & 1)
    const fromZones = new Set(voters.map((node) => assigned.get(node)))
    const isEnough = voters.length >= (kind === 'HostHung' ? Math.max(e, h) : h)
    if (isEnough && voters.every(accuses) && (answeredFrom.size < 2 || fromZones.size >= 2)) return true
  }
  return false
}

test('agrees with the protocol read aloud, for any answers of any observers', () => {
  const said = fc.record({
    opinion: fc.constantFrom('NodeDown', 'NodeDown', 'HostHung', 'AgentDown', 'Alive', 'Abstain'),
    channel: fc.constantFrom('nothing', 'nothing', 'nothing', 'mute', 'unknown', 'userland', 'refused'),
    forMs: fc.constantFrom(0, 1_500, HUNG_MS - 1, HUNG_MS, HUNG_MS + 5_000),
  })
  // Most agree, or hardly anything would ever carry and the interesting half would go untested.
  const observer = fc.record({
    said: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(DOWN, HUNG, { ...DOWN, forMs: HUNG_MS }) },
      { weight: 1, arbitrary: said },
      { weight: 1, arbitrary: fc.constantFrom(undefined, ABSTAINS, ALIVE) },
    ),
    zone: fc.constantFrom('a', 'a', 'b', 'c'),
    isExcused: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
  })
  const outcomes = new Set<boolean>()
  fc.assert(
    fc.property(
      fc.array(observer, { maxLength: 10 }),
      fc.array(said, { maxLength: 2 }),
      fc.constantFrom('NodeDown' as const, 'HostHung' as const),
      (observers, strangers, kind) => {
        const named = observers.map((one, index) => ({ ...one, name: `observer-${index}` }))
        const asked: Question = {
          subject: SUBJECT,
          kind,
          assigned: new Map(named.map(({ name, zone }) => [name, zone])),
          excused: new Set(named.filter(({ isExcused }) => isExcused).map(({ name }) => name)),
          hungMs: HUNG_MS,
        }
        const given = [
          ...named.flatMap(({ name, said }) => (said === undefined ? [] : [answerOf(name, said)])),
          ...strangers.map((one, index) => answerOf(`stranger-${index}`, one)),
        ]
        const carried = tally(asked, given).kind === 'carried'
        outcomes.add(carried)
        expect(carried).toBe(isCarriedByTheBook(asked, given))
      },
    ),
    { numRuns: 1_500 },
  )
  expect(outcomes.size).toBe(2)
})
