/** Whom the leader may ask the mesh about. */
import { describe, expect, test } from 'vitest'
import { Ballots } from '../../mesh/core/ballots.ts'
import { candidatesAmong } from '../../mesh/core/candidates.ts'
import { Conditions } from '../../mesh/core/conditions.ts'
import { Deferrals } from '../../mesh/core/deferrals.ts'
import { Membership } from '../../mesh/core/membership.ts'
import type { Accusation, Roster, Standing } from '../../mesh/core/model.ts'
import { ringOf } from '../../mesh/core/ring.ts'
import { FIRST_LIFE, nodeName, sampleRoster } from './sample-mesh.ts'

const SUBJECT = nodeName(4)
const HUNG_MS = 10_000
const LATER_LIFE = { ...FIRST_LIFE, boot: 2 }
const ROSTER = sampleRoster({ nodes: 20 })

/** What the leader holds of votes, at a moment. */
class Votes {
  readonly #roster: Roster
  readonly #ballots = new Ballots(60_000)
  readonly #conditions: Conditions

  constructor(roster = ROSTER, standing: readonly Standing[] = []) {
    this.#roster = roster
    this.#conditions = new Conditions(new Membership(roster), this.#ballots, standing)
  }

  readonly deferrals = new Deferrals(1_000)

  observersOf(subject: string): readonly string[] {
    return ringOf(this.#roster).observersOf(subject)
  }

  cast(voters: readonly string[], said: Partial<Accusation> = {}): this {
    const silent = { opinion: 'NodeDown', channel: 'nothing', silentMs: 1_500 } as const
    const about = { subject: SUBJECT, incarnation: FIRST_LIFE, epoch: this.#roster.epoch, term: 3 }
    for (const voter of voters) this.#ballots.cast(0, voter, { kind: 'accusation', ...about, ...silent, ...said })
    return this
  }

  candidates(now = 0, subjects: readonly string[] = [SUBJECT]) {
    const membership = new Membership(this.#roster)
    const rules = {
      ballots: this.#ballots,
      conditions: this.#conditions,
      deferrals: this.deferrals,
      membership,
      hungMs: HUNG_MS,
      heartbeats: false,
    }
    return candidatesAmong(subjects, now, rules)
  }
}

const observers = new Votes().observersOf(SUBJECT)

describe('a candidate', () => {
  test.each([
    { votes: 5, candidates: [] },
    {
      votes: 6,
      candidates: [{ subject: SUBJECT, kind: 'NodeDown', incarnation: FIRST_LIFE, votes: 6 }],
    },
  ])('takes six of ten votes: $votes', ({ votes, candidates }) => {
    expect(new Votes().cast(observers.slice(0, votes)).candidates()).toEqual(candidates)
  })

  test('of a hung host takes a long silence of every accuser, by now', () => {
    const hung = { opinion: 'HostHung', channel: 'mute' } as const
    const votes = new Votes()
    votes
      .cast(observers.slice(0, 5), { ...hung, silentMs: 9_000 })
      .cast(observers.slice(5, 6), { ...hung, silentMs: 8_000 })
    expect(votes.candidates(1_999)).toEqual([])
    expect(votes.candidates(2_000)).toMatchObject([{ kind: 'HostHung', votes: 6 }])
  })

  test('is a hung host at most, when votes that its host is silent do not suffice by themselves', () => {
    const votes = new Votes().cast(observers.slice(0, 5), { silentMs: HUNG_MS })
    votes.cast(observers.slice(5, 7), { opinion: 'HostHung', channel: 'unknown', silentMs: HUNG_MS })
    expect(votes.candidates()).toMatchObject([{ kind: 'HostHung', votes: 7 }])
  })

  test('is in the life that most of its accusers mean', () => {
    const votes = new Votes().cast(observers.slice(0, 6)).cast(observers.slice(6, 8), { incarnation: LATER_LIFE })
    expect(votes.candidates()).toMatchObject([{ incarnation: FIRST_LIFE, votes: 6 }])
  })

  test('is nobody that has a verdict already', () => {
    const standing = { verdictId: 'v', kind: 'NodeDown', subject: SUBJECT, incarnation: FIRST_LIFE } as const
    expect(new Votes(ROSTER, [standing]).cast(observers).candidates()).toEqual([])
  })

  test('needs fewer votes when some of its observers are suspected themselves, but not when few suspect them', () => {
    // Three of ten are in question: of the seven that are left, five are needed, which is the floor.
    const [a = '', b = '', c = '', ...rest] = observers
    const withSuspects = (accusers: number) => {
      const votes = new Votes().cast(rest.slice(0, 5))
      for (const subject of [a, b, c]) votes.cast(votes.observersOf(subject).slice(0, accusers), { subject })
      return votes.candidates()
    }
    expect(withSuspects(5)).toMatchObject([{ subject: SUBJECT, votes: 5 }])
    expect(withSuspects(4)).toEqual([])
  })

  test.each([
    ['NodeDown', { silentMs: 1_500 }, []],
    ['HostHung', { opinion: 'HostHung', channel: 'mute', silentMs: HUNG_MS }, [SUBJECT]],
  ] as const)('that was put off joins the question of another only if it is %s: HostHung', (kind, said, joins) => {
    const other = ROSTER.members.map(({ node }) => node).find((node) => node !== SUBJECT) ?? ''
    const votes = new Votes().cast(observers, said)
    votes.deferrals.withhold(0, SUBJECT, kind, 'few votes')
    expect(votes.candidates(0, [SUBJECT, other])).toEqual([])
    votes.cast(votes.observersOf(other), { ...said, subject: other })
    expect(votes.candidates(0, [SUBJECT, other]).map(({ subject }) => subject)).toEqual([other, ...joins])
    expect(votes.candidates(1_000, [SUBJECT]).map(({ subject }) => subject)).toEqual([SUBJECT])
  })
})
