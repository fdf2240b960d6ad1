import { describe, expect, test } from 'vitest'
import type { Answer, Standing } from '../../mesh/core/model.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { DrivenLeader } from './driven-leader.ts'
import { FIRST_LIFE, nodeName, rosterOf, sampleMember, sampleRoster } from './sample-mesh.ts'

const SUBJECT = nodeName(4)
const { rollCallMs, rollCallRetryMs, accusationTtlMs, hostHungMs } = DEFAULT_TIMING
const LATER_LIFE = { ...FIRST_LIFE, boot: 2 }

/** Twenty members in three zones: ten observers, of whom six must agree. */
function meshOfTwenty(standing: readonly Standing[] = []): DrivenLeader {
  return new DrivenLeader({ roster: sampleRoster({ nodes: 20 }), standing })
}

function verdictOn(subject: string): Standing {
  return { verdictId: `earlier-${subject}`, kind: 'NodeDown', subject, incarnation: FIRST_LIFE }
}

/** A roll-call about `SUBJECT` is open at 0, with nothing answered yet. */
function called(leader = meshOfTwenty()): DrivenLeader {
  return leader.accuse(SUBJECT, leader.observersOf(SUBJECT).slice(0, 6)).tick(0)
}

describe('accusations', () => {
  test.each([
    [5, 0],
    [6, 1],
  ])('of %i observers of ten make %i roll-calls', (votes, calls) => {
    const leader = meshOfTwenty()
    leader.accuse(SUBJECT, leader.observersOf(SUBJECT).slice(0, votes)).tick(0)
    expect(leader.calls).toHaveLength(calls)
    expect(leader.noticed('candidate')).toHaveLength(calls)
    expect(leader.noticed('suspected')).toHaveLength(1)
  })

  test('alone convict nobody, however many and however often', () => {
    const leader = meshOfTwenty()
    for (let ms = 0; ms < 60_000; ms += 500) leader.accuse(SUBJECT, leader.observersOf(SUBJECT)).tick(ms)
    expect(leader.certificates).toEqual([])
  })

  test('do not add up over time: each counts for its lifetime only', () => {
    const leader = meshOfTwenty()
    const observers = leader.observersOf(SUBJECT)
    leader.accuse(SUBJECT, observers.slice(0, 3)).tick(0)
    leader
      .tick(accusationTtlMs)
      .accuse(SUBJECT, observers.slice(3, 6))
      .tick(accusationTtlMs + 1)
    expect(leader.calls).toEqual([])
  })

  test('of an earlier life do not count once the subject has told of a later one', () => {
    const leader = meshOfTwenty()
    leader.leader.lives(SUBJECT, LATER_LIFE)
    leader.accuse(SUBJECT, leader.observersOf(SUBJECT)).tick(0)
    expect(leader.calls).toEqual([])
    leader.accuse(SUBJECT, leader.observersOf(SUBJECT), { incarnation: LATER_LIFE }).tick(1)
    expect(leader.call.rollCall.subjects).toEqual([{ node: SUBJECT, incarnation: LATER_LIFE }])
  })

  test('that are withdrawn end the suspicion', () => {
    const leader = meshOfTwenty()
    const [voter = ''] = leader.observersOf(SUBJECT)
    leader.accuse(SUBJECT, [voter]).tick(0).accuse(SUBJECT, [voter], { opinion: 'Alive' }).tick(10)
    expect(leader.notices.map(({ kind }) => kind)).toEqual(['suspected', 'unsuspected'])
  })
})

describe('a roll-call', () => {
  test('that all observers answer makes a verdict at once, with everything in it that is needed to count again', () => {
    const leader = called()
    const answers = leader.observersOf(SUBJECT).map((voter) => leader.answer(SUBJECT, voter))
    leader.hears(answers).tick(20)
    expect(leader.certificates).toMatchObject([
      {
        subject: SUBJECT,
        kind: 'NodeDown',
        incarnation: FIRST_LIFE,
        rollCall: leader.call,
        answers,
        excused: [],
        present: 20,
        live: 20,
      },
    ])
    expect(leader.leader.conditions.standing.get(SUBJECT)?.verdictId).toBe(leader.certificates[0]?.verdictId)
  })

  test('waits its time for answers that are missing, and then counts what it has', () => {
    const leader = called()
    leader.hears(
      leader
        .observersOf(SUBJECT)
        .slice(0, 6)
        .map((voter) => leader.answer(SUBJECT, voter)),
    )
    expect(leader.tick(rollCallMs - 1).certificates).toEqual([])
    expect(leader.tick(rollCallMs).certificates).toHaveLength(1)
  })

  test('takes no answer after it was closed', () => {
    const leader = called().hears([]).tick(rollCallMs)
    leader.hears(leader.observersOf(SUBJECT).map((voter) => leader.answer(SUBJECT, voter))).tick(rollCallMs + 100)
    expect(leader.certificates).toEqual([])
    expect(leader.noticed('withheld')).toMatchObject([{ subject: SUBJECT }])
  })

  test('is short when five of ten answer, and vetoed when three hear the subject', () => {
    const short = called()
    const voters = short.observersOf(SUBJECT)
    short.hears(voters.slice(0, 5).map((voter) => short.answer(SUBJECT, voter))).tick(rollCallMs)
    expect([short.certificates, short.noticed('withheld').map(({ why }) => why)]).toEqual([[], ['5 of 6 votes']])
    const vetoed = called()
    const alive: Partial<Answer> = { opinion: 'Alive', channel: 'unknown', forMs: 100 }
    vetoed.hears(voters.map((voter, index) => vetoed.answer(SUBJECT, voter, index < 3 ? alive : {}))).tick(rollCallMs)
    expect([vetoed.certificates, vetoed.noticed('withheld')[0]?.why]).toEqual([[], expect.stringContaining('see life')])
  })

  test.each([
    { what: 'another nonce', said: { nonce: 'ffff' } },
    { what: 'another epoch', said: { epoch: 6 } },
    { what: 'another serial of the voter', said: { voterSerial: 2 } },
    { what: 'another life of the subject', said: { incarnation: LATER_LIFE } },
    { what: 'a subject that was not asked about', said: { subject: nodeName(9) } },
  ] satisfies { what: string; said: Partial<Answer> }[])('ignores answers about $what', ({ said }) => {
    const leader = called()
    leader.hears(leader.observersOf(SUBJECT).map((voter) => leader.answer(SUBJECT, voter, said))).tick(rollCallMs)
    expect(leader.certificates).toEqual([])
  })

  test('ignores answers under another nonce even when they are in order themselves', () => {
    const leader = called()
    const answers = leader.observersOf(SUBJECT).map((voter) => leader.answer(SUBJECT, voter))
    expect(leader.hears(answers, leader.everybody(), 'ffff').tick(rollCallMs).certificates).toEqual([])
  })

  test('ignores and counts what was changed on the way, and takes the true answer that comes after it', () => {
    const leader = called()
    const observers = leader.observersOf(SUBJECT)
    const forged = observers.map((voter) =>
      leader.answer(SUBJECT, voter, { opinion: 'Alive' }, { opinion: 'NodeDown' }),
    )
    leader.hears(forged)
    expect(leader.dropped).toEqual(observers)
    leader.hears(observers.map((voter) => leader.answer(SUBJECT, voter))).tick(20)
    expect(leader.certificates).toHaveLength(1)
  })

  test('counts one voter once, and strangers never', () => {
    const leader = called()
    const [voter = ''] = leader.observersOf(SUBJECT)
    const strangers = leader.everybody().filter((node) => !leader.observersOf(SUBJECT).includes(node))
    const copies = Array.from({ length: 10 }, () => leader.answer(SUBJECT, voter))
    leader.hears([...copies, ...strangers.map((node) => leader.answer(SUBJECT, node))]).tick(rollCallMs)
    expect(leader.certificates).toEqual([])
    expect(leader.noticed('withheld')[0]?.why).toBe('1 of 6 votes')
  })

  test('is neither delayed nor disputed by members that do not observe the subject, whatever they claim to hear', () => {
    const leader = called()
    const observers = leader.observersOf(SUBJECT)
    const strangers = leader.everybody().filter((node) => node !== SUBJECT && !observers.includes(node))
    const alive = { opinion: 'Alive', channel: 'unknown', forMs: 0 } as const
    leader.hears(strangers.map((voter) => leader.answer(SUBJECT, voter, alive)))
    leader.hears(observers.map((voter) => leader.answer(SUBJECT, voter))).tick(20)
    expect(leader.dropped).toEqual(strangers)
    expect(leader.certificates).toMatchObject([{ subject: SUBJECT, voters: observers }])
    expect(leader.noticed('linkFault')).toEqual([])
  })

  test('a sign of life under any incarnation counts', () => {
    const leader = called()
    const voters = leader.observersOf(SUBJECT)
    const alive = { opinion: 'Alive', channel: 'unknown', forMs: 0, incarnation: LATER_LIFE } as const
    leader.hears(voters.map((voter, index) => leader.answer(SUBJECT, voter, index < 3 ? alive : {}))).tick(rollCallMs)
    expect(leader.certificates).toEqual([])
  })
})

describe('a side that reaches too few', () => {
  test.each([
    [16, 0],
    [18, 1],
  ])('%i of 20 present members make %i verdicts', (present, verdicts) => {
    const leader = called()
    const observers = leader.observersOf(SUBJECT)
    const others = leader.everybody().filter((node) => !observers.includes(node))
    const hearsThem = () =>
      leader.hears(
        observers.map((voter) => leader.answer(SUBJECT, voter)),
        [...observers, ...others].slice(0, present),
      )
    hearsThem().tick(rollCallMs)
    // Where the brake hangs on absent members, they are asked about before anybody is convicted.
    if (leader.calls.length > 1) hearsThem().tick(rollCallMs * 2)
    expect(leader.certificates).toHaveLength(verdicts)
    if (verdicts === 0) expect(leader.noticed('withheld')[0]?.why).toContain('frozen: ')
  })

  test('is not what a side is held for only because its observers were quicker than the rest', () => {
    const leader = called()
    const observers = leader.observersOf(SUBJECT)
    leader
      .hears(
        observers.map((voter) => leader.answer(SUBJECT, voter)),
        observers,
      )
      .tick(20)
    expect(leader.noticed('withheld')).toEqual([])
    leader.hears([], leader.everybody()).tick(60)
    expect(leader.certificates).toMatchObject([{ present: 20, live: 20 }])
  })

  test('is counted without the members that have a verdict', () => {
    const gone = [0, 1].map(nodeName)
    const leader = called(meshOfTwenty(gone.map(verdictOn)))
    const observers = leader.observersOf(SUBJECT).filter((node) => !gone.includes(node))
    const present = leader.everybody().filter((node) => ![SUBJECT, ...gone].includes(node))
    // A bit set for a member that is down does not help.
    leader
      .hears(
        observers.map((voter) => leader.answer(SUBJECT, voter)),
        [...present, ...gone],
      )
      .tick(rollCallMs)
    expect(leader.certificates).toMatchObject([{ present: 17, live: 18 }])
  })
})

describe('a minority', () => {
  // Four members, each observed by the other three: so few that the brake does not step in first.
  test.each([
    [2, 0],
    [3, 1],
  ])('%i of 4 present members make %i verdicts', (present, verdicts) => {
    const leader = new DrivenLeader({ roster: sampleRoster({ nodes: 4 }) })
    const subject = nodeName(3)
    const observers = leader.observersOf(subject)
    leader.accuse(subject, observers).tick(0)
    const answers = observers.map((voter) => leader.answer(subject, voter))
    leader.hears(answers, observers.slice(0, present)).tick(rollCallMs)
    expect(leader.certificates).toHaveLength(verdicts)
    if (verdicts === 0) expect(leader.noticed('withheld')[0]?.why).toContain('only 2 of 4')
  })
})

describe('several at once', () => {
  /** Five members: four observe each, and three must agree. */
  const five = () => new DrivenLeader({ roster: sampleRoster({ nodes: 5, zones: 1 }) })
  const [A, B, C, D, E] = [0, 1, 2, 3, 4].map(nodeName) as [string, string, string, string, string]

  test('two subjects that observe each other are both convicted in one batch', () => {
    const leader = five().accuse(A, [C, D, E]).accuse(B, [C, D, E]).tick(0)
    expect(leader.calls).toHaveLength(1)
    const answers = [A, B].flatMap((subject) => [C, D, E].map((voter) => leader.answer(subject, voter)))
    leader.hears(answers, [C, D, E]).tick(rollCallMs)
    expect(leader.certificates.map(({ subject }) => subject).toSorted()).toEqual([A, B])
    for (const { excused } of leader.certificates) expect(excused).toHaveLength(1)
  })

  test('one that falls silent while the others are asked about is convicted with them, in one more question', () => {
    const leader = new DrivenLeader({ roster: sampleRoster({ nodes: 40 }) })
    const [first, second] = [nodeName(4), nodeName(9)]
    const silent = (subject: string) => leader.observersOf(subject).map((voter) => leader.answer(subject, voter))
    const others = leader.everybody().filter((node) => node !== first && node !== second)
    leader.accuse(first, leader.observersOf(first)).tick(0)
    leader.accuse(second, leader.observersOf(second)).hears(silent(first), others).tick(40)
    expect(leader.certificates).toEqual([])
    expect(leader.call.rollCall.subjects.map(({ node }) => node)).toEqual([first, second])
    leader.hears([first, second].flatMap(silent), others).tick(80)
    expect(leader.certificates.map(({ subject }) => subject)).toEqual([first, second])
    const nonces = new Set(leader.certificates.map(({ rollCall }) => rollCall.rollCall.nonce))
    expect(nonces.size).toBe(1)
  })

  test('a subject that excuses nobody unless it is convicted itself', () => {
    const leader = meshOfTwenty()
    const [other = ''] = leader.observersOf(SUBJECT)
    leader.accuse(SUBJECT, leader.observersOf(SUBJECT)).accuse(other, leader.observersOf(other)).tick(0)
    const votes = leader
      .observersOf(SUBJECT)
      .filter((node) => node !== other)
      .slice(0, 5)
    leader.hears(votes.map((voter) => leader.answer(SUBJECT, voter))).tick(rollCallMs)
    // Five of nine would do if the other one were excused; it is not, since nobody answered about it.
    expect(leader.certificates).toEqual([])
  })

  test('three of five leave too few observers: nobody is convicted', () => {
    const leader = five()
    for (const subject of [A, B, C]) leader.accuse(subject, [D, E])
    expect(leader.tick(0).calls).toEqual([])
  })
})

test('roll-calls are put at most twice a second, and the same subject is asked about again after a second', () => {
  const leader = new DrivenLeader({ roster: sampleRoster({ nodes: 40 }) })
  const putAt: number[] = []
  const subjectsAt = new Map<string, number[]>()
  for (let ms = 0; ms < 10_000; ms += 10) {
    // A new subject falls silent every second; all are reached and none answers, so none carries and nothing freezes.
    const subject = nodeName(Math.min(8, Math.floor(ms / 1_000)))
    leader.now = ms
    leader.accuse(subject, leader.observersOf(subject))
    const before = leader.calls.length
    leader.tick(ms)
    if (leader.calls.length === before) continue
    leader.hears([])
    putAt.push(ms)
    for (const { node } of leader.call.rollCall.subjects) subjectsAt.set(node, [...(subjectsAt.get(node) ?? []), ms])
  }
  expect(putAt.length).toBeGreaterThan(10)
  for (const start of putAt)
    expect(putAt.filter((ms) => ms >= start && ms < start + 1_000).length).toBeLessThanOrEqual(2)
  for (const times of subjectsAt.values()) {
    for (const [index, ms] of times.slice(1).entries())
      expect(ms - (times[index] ?? 0)).toBeGreaterThanOrEqual(rollCallRetryMs)
  }
})

describe('a hung host', () => {
  test('becomes a candidate only when every observer that accuses has heard nothing for long enough', () => {
    const leader = meshOfTwenty()
    const observers = leader.observersOf(SUBJECT)
    const hung = (silentMs: number) => ({ opinion: 'HostHung', channel: 'mute', silentMs }) as const
    leader.accuse(SUBJECT, observers.slice(1), hung(20_000)).accuse(SUBJECT, observers.slice(0, 1), hung(18_000))
    const restMs = hostHungMs - 18_000
    expect(leader.leader.hostHungInMs(0, SUBJECT)).toBe(restMs)
    expect(leader.tick(restMs - 1).calls).toEqual([])
    expect(leader.tick(restMs + 1).calls).toHaveLength(1)
    const answers = observers.map((voter) => leader.answer(SUBJECT, voter, { ...hung(0), forMs: hostHungMs }))
    expect(leader.hears(answers).tick(restMs + 10).certificates).toMatchObject([{ kind: 'HostHung' }])
  })
})

test('without zones to choose from, votes of one zone are enough', () => {
  const roster = rosterOf(Array.from({ length: 20 }, (_, index) => sampleMember(nodeName(index), '')))
  expect(new DrivenLeader({ roster }).convict(SUBJECT, 0).certificates).toHaveLength(1)
})
