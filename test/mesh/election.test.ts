/** One replica, spoken to directly: when it takes the Lease, when it gives it up, and when it may write. */
import { beforeEach, describe, expect, test } from 'vitest'
import { Election } from '../../mesh/election/election.ts'
import { holderName, nodeOfHolder } from '../../mesh/election/holder.ts'
import type { Claim, ElectionEffect, ElectionInput } from '../../mesh/election/model.ts'
import { ELECTION_TIMING } from '../../mesh/election/timing.ts'

const { leaseMs, renewMs, writeMs, readMs, goneMs, graceMs, canvassRetryMs } = ELECTION_TIMING
const ME = holderName('aggregator-1', { serial: 1, boot: 4, refutations: 0 })
const RIVAL = holderName('aggregator-2', { serial: 1, boot: 9, refutations: 0 })
const DRAIN_MS = leaseMs - writeMs

let replica: Driven

/** Answers every request at once with what the Lease is, unless told otherwise. */
class Driven {
  readonly election: Election
  readonly effects: ElectionEffect[] = []
  lease: (Claim & { version: string }) | undefined
  now = 0
  answers = true
  knockAnswer: 'accepted' | 'refused' | 'nothing' = 'accepted'
  reaches = true
  versions = 100

  constructor(lease?: Claim, term = 0) {
    this.lease = lease && { ...lease, version: '1' }
    this.election = new Election(0, { holder: ME, timing: ELECTION_TIMING, term, random: () => 0 })
  }

  step(input: ElectionInput): this {
    for (const effect of this.election.step(this.now, input)) {
      this.effects.push(effect)
      const answer = this.#answer(effect)
      if (answer !== undefined) this.step(answer)
    }
    return this
  }

  passes(ms: number): this {
    const until = this.now + ms
    while (this.election.nextAt <= until) {
      this.now = Math.max(this.now, this.election.nextAt)
      this.step({ kind: 'tick' })
    }
    this.now = until
    return this
  }

  /** Somebody else writes. */
  writes(claim: Claim): this {
    this.lease = { ...claim, version: String(++this.versions) }
    return this
  }

  did(kind: ElectionEffect['kind']): readonly ElectionEffect[] {
    return this.effects.filter((effect) => effect.kind === kind)
  }

  get mayWrite(): boolean {
    return this.election.mayWrite(this.now)
  }

  #answer(effect: ElectionEffect): ElectionInput | undefined {
    switch (effect.kind) {
      case 'read':
        return this.answers ? { kind: 'read', lease: this.lease } : { kind: 'readFailed' }
      case 'write':
        if (!this.answers) return { kind: 'writeFailed' }
        if (this.lease?.version !== effect.over) return { kind: 'conflict' }
        this.writes(effect.claim)
        return { kind: 'written', version: this.lease?.version ?? '' }
      case 'knock':
        return { kind: 'knocked', holder: effect.holder, answer: this.knockAnswer }
      case 'canvass':
        return { kind: 'reach', term: effect.term, present: this.reaches ? 20 : 3, live: 20, holds: this.reaches }
      default:
        return undefined
    }
  }
}

describe('a Lease that is nobody’s', () => {
  test.each([
    { what: 'there is none', lease: undefined, term: 1 },
    { what: 'it was released', lease: { holder: '', term: 6 }, term: 7 },
  ])('is taken at once, after a canvass: $what', ({ lease, term }) => {
    const { effects, election } = new Driven(lease).passes(0)
    expect(effects.map(({ kind }) => kind)).toEqual(['read', 'canvass', 'write', 'lead'])
    expect(effects.at(-1)).toEqual({ kind: 'lead', term, after: term - 1 })
    expect(election.mayWrite(0)).toBe(true)
  })

  test('is not taken by one that reaches too few, and people are told after three canvasses, once', () => {
    replica = new Driven()
    replica.reaches = false
    replica.passes(canvassRetryMs * 5)
    expect(replica.did('write')).toEqual([])
    expect(replica.did('notice')).toEqual([
      { kind: 'notice', notice: { kind: 'noQuorumLeader', open: true, present: 3, live: 20 } },
    ])
    replica.writes({ holder: RIVAL, term: 4 }).passes(readMs)
    expect(replica.did('notice').at(-1)).toEqual({ kind: 'notice', notice: { kind: 'noQuorumLeader', open: false } })
  })

  test('is claimed under a later term than any that was heard of', () => {
    replica = new Driven(undefined, 5)
    replica.step({ kind: 'called', term: 8 })
    expect(replica.passes(canvassRetryMs).did('lead')).toMatchObject([{ kind: 'lead', term: 9, after: 0 }])
  })
})

describe('a Lease that is held', () => {
  beforeEach(() => {
    replica = new Driven({ holder: RIVAL, term: 3 })
  })

  test('is let be while it is renewed, however long', () => {
    for (let round = 0; round < 60; round++) replica.passes(renewMs).writes({ holder: RIVAL, term: 3 })
    expect(replica.did('canvass')).toEqual([])
  })

  test('is anybody’s when it has not changed for its duration, by the reader’s own clock', () => {
    expect(replica.passes(leaseMs - 1).did('canvass')).toEqual([])
    expect(replica.passes(1).did('lead')).toEqual([{ kind: 'lead', term: 4, after: 3 }])
  })

  test('is anybody’s after two seconds in which the holder’s port has refused, and not if it opens once meanwhile', () => {
    replica.passes(renewMs).knockAnswer = 'refused'
    replica.passes(500).knockAnswer = 'accepted'
    replica.passes(1_000).knockAnswer = 'refused'
    const since = replica.now
    while (replica.did('lead').length === 0) replica.passes(50)
    expect(replica.now - since).toBeGreaterThanOrEqual(goneMs)
    expect(replica.now - since).toBeLessThanOrEqual(goneMs + 1_500)
  })

  test('is let be while it is renewed, whatever somebody answers in the name of its port', () => {
    replica.passes(renewMs).writes({ holder: RIVAL, term: 3 }).passes(readMs).knockAnswer = 'refused'
    for (let round = 0; round < 60; round++) replica.writes({ holder: RIVAL, term: 3 }).passes(renewMs)
    expect(replica.did('canvass')).toEqual([])
  })

  test('is not taken because its host is silent: that may be a cut', () => {
    replica.knockAnswer = 'nothing'
    expect(replica.passes(leaseMs - 1).did('canvass')).toEqual([])
  })

  test('may have been renewed while the API server did not answer: its holder is given time to do it again', () => {
    replica.answers = false
    replica.passes(60_000)
    replica.answers = true
    const at = replica.now
    while (replica.did('canvass').length === 0) replica.passes(50)
    expect(replica.now - at).toBeGreaterThanOrEqual(graceMs)
  })
})

describe('a leader', () => {
  beforeEach(() => {
    replica = new Driven().passes(0)
  })

  test('writes nothing but its renewals, every two seconds, and never reads', () => {
    const before = replica.effects.length
    replica.passes(60_000)
    expect(replica.effects.slice(before).map(({ kind }) => kind)).toEqual(Array(30).fill('write'))
  })

  test('may write for five seconds after its last renewal was sent, whatever it was told since', () => {
    replica.answers = false
    replica.passes(writeMs - 1)
    expect(replica.mayWrite).toBe(true)
    replica.passes(1)
    expect(replica.mayWrite).toBe(false)
    expect(replica.election.leads).toBe(true)
  })

  test('that was stopped for three durations may not write when it wakes up, before anything else', () => {
    replica.now += 3 * leaseMs
    expect(replica.mayWrite).toBe(false)
  })

  test('that finds the Lease in another’s hand stands by', () => {
    replica.writes({ holder: RIVAL, term: 2 }).passes(renewMs)
    expect(replica.did('standBy')).toHaveLength(1)
    expect(replica.mayWrite).toBe(false)
    expect(replica.passes(leaseMs - 1).did('lead')).toHaveLength(1)
  })

  test('whose renewal was carried out and never answered goes on, counted from when it was first sent', () => {
    replica.passes(renewMs - 1)
    const { election } = replica
    const sentAt = replica.now + 1
    const write = election.step(sentAt, { kind: 'tick' })[0]
    if (write?.kind !== 'write') throw new Error('it did not renew')
    replica.writes(write.claim)
    replica.now = sentAt + 2_000
    replica.step({ kind: 'writeFailed' }).passes(500)
    expect(replica.did('read')).toHaveLength(2)
    expect(replica.election.renewals.firstSince(sentAt)).toBe(String(101 + 1))
    expect(replica.did('standBy')).toEqual([])
    expect(replica.mayWrite).toBe(true)
  })

  test('whose roll-calls reach too few stands by at once, and gives the Lease up when what it sent is over', () => {
    replica.reaches = false
    replica.step({ kind: 'reach', term: 1, present: 10, live: 20, holds: false })
    expect(replica.did('standBy')).toEqual([{ kind: 'standBy', why: 'only 10 of 20 live members answer' }])
    expect(replica.mayWrite).toBe(false)
    replica.passes(DRAIN_MS - 1)
    expect(replica.lease?.holder).toBe(ME)
    replica.passes(1)
    expect(replica.lease).toMatchObject({ holder: '', term: 1 })
  })

  test('that is told of a later term stands by, and leads again under one that is later still, if nobody takes the Lease', () => {
    replica.step({ kind: 'called', term: 2 })
    expect(replica.mayWrite).toBe(false)
    expect(replica.did('standBy')).toHaveLength(1)
    replica.passes(canvassRetryMs * 1.5)
    expect(replica.did('lead').at(-1)).toEqual({ kind: 'lead', term: 3, after: 1 })
    expect(replica.lease).toMatchObject({ holder: ME, term: 3 })
  })

  test('that is stopped gives the Lease up, and is over', () => {
    replica.step({ kind: 'stop' }).passes(DRAIN_MS)
    expect(replica.lease?.holder).toBe('')
    expect(replica.election.isStopped).toBe(true)
    expect(replica.passes(60_000).did('canvass')).toHaveLength(1)
  })

  test('knows which of its renewals was the first after a moment', () => {
    replica.passes(renewMs * 3)
    const { renewals } = replica.election
    expect([0, 1, renewMs, renewMs * 3 + 1].map((ms) => renewals.firstSince(ms))).toEqual([
      '101',
      '102',
      '102',
      undefined,
    ])
  })
})

test('a replica that does not lead is over at once when it is stopped', () => {
  replica = new Driven({ holder: RIVAL, term: 3 }).passes(100).step({ kind: 'stop' })
  expect(replica.election.isStopped).toBe(true)
})

test('the name of a holder tells the aggregator', () => {
  expect(nodeOfHolder(ME)).toBe('aggregator-1')
  expect(nodeOfHolder('somebody else')).toBeUndefined()
})
