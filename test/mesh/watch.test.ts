/** Transcripts of one observer and its subject: what it says about edge and second channel taken together. */
import { describe, expect, test } from 'vitest'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { FIRST_LIFE } from './sample-mesh.ts'
import { ANSWER_AFTER_MS, type Host, SILENT, UP, Watched } from './watched.ts'

const { leaveDownMs, lateMs, nodeDownMs, agentDownMs, repeatMs, recoverBeats } = DEFAULT_TIMING

const HUNG: Host = { agent: 'mute', kubelet: 'mute' }
const AGENT_CRASHED: Host = { agent: 'refused', kubelet: 'userland' }
const ALL_REFUSED: Host = { agent: 'refused', kubelet: 'refused' }

/** Half a beat after the one that was answered last. */
function wellFor(ms: number): Watched {
  return new Watched().runUntil(ms + 500)
}

const ANSWERED = 7_000
const MISSED = 8_000

describe('a subject that is well', () => {
  test('is held for alive, asked now and then to calibrate the path, and nothing is said about it', () => {
    const watched = wellFor(200_000)
    expect(watched.watch.opinion(watched.now)).toBe('Alive')
    expect(watched.accusations).toEqual([])
    const asked = watched.lines.filter(([, { kind }]) => kind === 'ask').map(([ms]) => ms)
    expect(asked.length).toBe(4)
    expect(watched.lines.some(([, { kind }]) => kind === 'hint')).toBe(false)
  })

  test('is answered for as alive in a roll-call, with the age of the last ack', () => {
    expect(wellFor(ANSWERED).watch.answer(ANSWERED + 500, undefined)).toMatchObject({ opinion: 'Alive', forMs: 499 })
  })
})

describe('a subject that falls silent', () => {
  test('is asked, and its co-observers hinted, at the moment its beat is late', () => {
    const watched = wellFor(ANSWERED)
      .becomes(SILENT)
      .runUntil(MISSED + lateMs)
    expect(watched.kindsAt(MISSED + lateMs)).toEqual(expect.arrayContaining(['hint', 'ask', 'probe']))
    expect(watched.lines.filter(([, { kind }]) => kind === 'hint')).toHaveLength(1)
  })

  test('and whose host is silent is NodeDown as soon as the host has not answered either', () => {
    const watched = wellFor(ANSWERED)
      .becomes(SILENT)
      .runUntil(MISSED + 3_000)
    const said = MISSED + Math.max(lateMs + ANSWER_AFTER_MS.nothing, nodeDownMs)
    expect(watched.accusations).toEqual([
      [
        said,
        {
          subject: 'subject',
          incarnation: FIRST_LIFE,
          opinion: 'NodeDown',
          channel: 'nothing',
          silentMs: said - ANSWERED - 1,
        },
      ],
    ])
    expect(watched.watch.answer(said, undefined)).toMatchObject({ opinion: 'NodeDown', channel: 'nothing', reason: '' })
  })

  test.each([
    { why: 'hung, with a kernel that accepts', host: HUNG, opinion: 'HostHung', channel: 'mute' },
    { why: 'with a crashed agent', host: AGENT_CRASHED, opinion: 'AgentDown', channel: 'userland' },
    { why: 'with no program at all left', host: ALL_REFUSED, opinion: 'AgentDown', channel: 'refused' },
    {
      why: 'whose packets are lost',
      host: { agent: 'nothing', kubelet: 'lossy' },
      opinion: 'LinkFault',
      channel: 'lossy',
    },
    {
      why: 'with one port behind a firewall',
      host: { agent: 'nothing', kubelet: 'mute' },
      opinion: 'HostHung',
      channel: 'mute',
    },
    {
      why: 'that answers on one port alone',
      host: { agent: 'nothing', kubelet: 'refused' },
      opinion: 'AgentDown',
      channel: 'refused',
    },
  ] as const)('on a host $why is $opinion, and never NodeDown', ({ host, opinion, channel }) => {
    const watched = wellFor(ANSWERED).becomes(host).runUntil(60_000)
    expect(new Set(watched.opinions)).toEqual(new Set([opinion]))
    expect(watched.accusations.at(-1)?.[1]).toMatchObject({ opinion, channel })
  })

  test('on a path that never answered is HostHung at most: silence of an unknown path proves nothing', () => {
    const watched = new Watched()
    watched.host = SILENT
    watched
      .runUntil(ANSWERED + 500)
      .becomes(SILENT)
      .runUntil(60_000)
    expect(watched.accusations[0]?.[1]).toMatchObject({ opinion: 'HostHung', channel: 'unknown' })
    expect(new Set(watched.opinions)).toEqual(new Set(['HostHung']))
  })

  test('on a path that last answered longer ago than 5 min is HostHung at most', () => {
    const watched = wellFor(2_000)
    watched.host = SILENT
    watched.runUntil(400_500).becomes(SILENT).runUntil(410_000)
    expect(new Set(watched.opinions)).toEqual(new Set(['HostHung']))
  })

  test('is not accused while this observer cannot reach anybody else: it abstains', () => {
    const watched = wellFor(ANSWERED)
      .becomes({ ...SILENT, control: false })
      .runUntil(60_000)
    expect(watched.accusations).toEqual([])
    expect(watched.watch.answer(60_000, undefined)).toMatchObject({
      opinion: 'Abstain',
      reason: 'control connect failed',
    })
  })

  test('is AgentDown only after 3 s in which its host answered every time', () => {
    const rebooting = wellFor(ANSWERED)
      .becomes(SILENT)
      .runUntil(MISSED + 4_000)
    expect(new Set(rebooting.opinions)).toEqual(new Set(['NodeDown']))
    rebooting.becomes(AGENT_CRASHED)
    rebooting.runUntil(30_000)
    const answers = rebooting.accusations.find(([, { opinion }]) => opinion === 'AgentDown')?.[0] ?? 0
    // Asked again within a second of the last answer; from the first answer on it is 3 s.
    expect(answers).toBeGreaterThanOrEqual(MISSED + 4_000 + agentDownMs)
    expect(answers).toBeLessThanOrEqual(MISSED + 4_000 + agentDownMs + 2_000)
  })

  test('is NodeDown after all when its host dies after its agent', () => {
    const watched = wellFor(ANSWERED).becomes(AGENT_CRASHED).runUntil(20_000)
    expect(watched.opinions.at(-1)).toBe('AgentDown')
    watched.becomes(SILENT).runUntil(23_000)
    expect(watched.opinions.at(-1)).toBe('NodeDown')
  })

  test('for less than 1.2 s, as a host that is moved to another machine, is not accused', () => {
    for (const pauseMs of [400, 800, 1_150]) {
      const watched = wellFor(ANSWERED)
        .becomes(SILENT)
        .runUntil(MISSED + pauseMs)
        .becomes(UP)
        .runUntil(20_000)
      expect(watched.opinions).toEqual([])
    }
  })

  test('is NodeDown no sooner than 1.3 s after the first unanswered probe, however quickly the network gives up', () => {
    const watched = wellFor(ANSWERED)
      .becomes(SILENT)
      .runUntil(MISSED + 900)
    const nothing = { ports: { agent: 'nothing', kubelet: 'nothing' }, control: true } as const
    watched.does((watch, now) => watch.heardHost(now, nothing)).runUntil(MISSED + nodeDownMs - 1)
    expect(watched.opinions).toEqual([])
    watched.runUntil(MISSED + nodeDownMs)
    expect(watched.opinions).toEqual(['NodeDown'])
  })

  test('while it is being asked is asked again: what was asked before the doubt does not settle it', () => {
    const watched = wellFor(59_000)
    // Asked to calibrate at 60.5 s, it takes its time; by when its answer is here, it has died.
    watched.host = { agent: 'userland', kubelet: 'mute' }
    watched.runUntil(61_500).becomes(SILENT).runUntil(62_501)
    expect(watched.kindsAt(60_501)).toContain('ask')
    expect(watched.kindsAt(62_501)).toContain('ask')
    watched.runUntil(65_000)
    expect(watched.opinions).toEqual(['NodeDown'])
  })

  test('behind a firewall that has begun to swallow everything is HostHung at most', () => {
    // The host was asked, and said nothing, while its agent was well: that path proves nothing any more.
    const watched = wellFor(ANSWERED)
    watched.host = SILENT
    watched.runUntil(130_500).becomes(SILENT).runUntil(140_000)
    expect(new Set(watched.opinions)).toEqual(new Set(['HostHung']))
  })

  test('is accused again every 5 s while it lasts', () => {
    const watched = wellFor(ANSWERED).becomes(SILENT).runUntil(40_000)
    const times = watched.accusations.map(([ms]) => ms)
    expect(times.length).toBeGreaterThanOrEqual(6)
    for (const [index, ms] of times.slice(1).entries()) {
      expect(ms - (times[index] ?? 0)).toBeGreaterThanOrEqual(repeatMs)
      expect(ms - (times[index] ?? 0)).toBeLessThan(repeatMs + 1_000)
    }
  })

  test('is accused anew at once under a later incarnation that it was heard to have', () => {
    const watched = wellFor(ANSWERED)
      .becomes(SILENT)
      .runUntil(MISSED + 1_500)
    const later = { ...FIRST_LIFE, refutations: 1 }
    watched.does((watch, now) => watch.lives(now, later)).runFor(1_000)
    expect(watched.accusations.map(([, { incarnation }]) => incarnation)).toEqual([FIRST_LIFE, later])
    watched.does((watch, now) => watch.lives(now, FIRST_LIFE)).runFor(1_000)
    expect(watched.accusations).toHaveLength(2)
  })

  test('is withdrawn from suspicion as soon as it is heard again', () => {
    const watched = wellFor(ANSWERED).becomes(SILENT).runUntil(20_000).becomes(UP).runUntil(30_000)
    expect(watched.opinions.at(-1)).toBe('Alive')
    expect(watched.opinions.filter((opinion) => opinion === 'Alive')).toHaveLength(1)
    expect(watched.watch.opinion(30_000)).toBe('Alive')
  })
})

describe('a co-observer that hints', () => {
  const toldBy = (watched: Watched) =>
    watched.lines.flatMap(([, effect]) => (effect.kind === 'indirect-ack' ? [effect.to] : []))

  test('is told at once when the subject acks to this one, even the one whose hint was the first sign', () => {
    const watched = wellFor(ANSWERED)
    const before = watched.lines.length
    watched.hears('first').hears('second').runFor(100)
    expect(watched.lines.slice(before).some(([, { kind }]) => kind === 'hint')).toBe(false)
    expect(toldBy(watched)).toEqual(['first', 'second'])
    expect(toldBy(watched.runFor(5_000))).toHaveLength(2)
  })

  test('is told nothing when the subject does not ack, either', () => {
    const watched = wellFor(ANSWERED).becomes(SILENT).hears('first')
    expect(toldBy(watched.runFor(5_000))).toEqual([])
    expect(watched.opinions).toEqual(['NodeDown'])
  })
})

describe('an observer that may not vote', () => {
  test('says nothing before it has 5 acked beats of the subject, and abstains as new', () => {
    const young = wellFor(3_000).becomes(SILENT).runUntil(60_000)
    expect(young.watch.edge.ackedBeats).toBe(4)
    expect(young.accusations).toEqual([])
    expect(young.watch.answer(60_000, undefined)).toMatchObject({ opinion: 'Abstain', reason: 'new' })
    const grown = wellFor(4_000).becomes(SILENT).runUntil(10_000)
    expect(grown.opinions[0]).toBe('NodeDown')
  })

  test('abstains after a pause of its own until the subject has answered or was dialled again', () => {
    const watched = wellFor(ANSWERED)
    watched.does((watch, now) => watch.edge.resumed(now))
    expect(watched.watch.answer(watched.now, undefined)).toMatchObject({ opinion: 'Abstain', reason: 'paused' })
    watched.runFor(2_000)
    expect(watched.watch.answer(watched.now, undefined)).toMatchObject({ opinion: 'Alive' })
  })

  test('cannot say in the moment between doubt and silence, and is asked again later', () => {
    const watched = wellFor(ANSWERED)
      .becomes(SILENT)
      .runUntil(MISSED + lateMs + 1)
    expect(watched.watch.answer(watched.now, undefined)).toBeUndefined()
  })
})

describe('a subject on leave', () => {
  /** It says so at half a beat after its last ack, and is away from then on. */
  const leftFor = (forMs: number, host = SILENT) =>
    wellFor(ANSWERED)
      .does((watch, now) => watch.leaves(FIRST_LIFE, now + forMs))
      .becomes(host)

  test('is NodeDown only after its host has answered nothing for 10 s, and until then its observer abstains', () => {
    const watched = leftFor(60_000).runUntil(MISSED + lateMs + leaveDownMs - 1)
    expect(watched.opinions).toEqual([])
    expect(watched.watch.answer(watched.now, undefined)).toMatchObject({ opinion: 'Abstain', reason: 'on leave' })
    // It is said when something is due next, within a beat.
    watched.runFor(1_000)
    expect(watched.opinions).toEqual(['NodeDown'])
    expect(watched.watch.answer(watched.now, undefined)).toMatchObject({ opinion: 'NodeDown', channel: 'nothing' })
  })

  test('is accused of nothing while its host answers, however long its agent is away', () => {
    for (const host of [AGENT_CRASHED, HUNG]) expect(leftFor(60_000, host).runFor(59_000).opinions).toEqual([])
  })

  test('must answer nothing for 10 s on end: a sign of its host in between starts them again', () => {
    const watched = leftFor(60_000).runFor(8_000).becomes(AGENT_CRASHED).runFor(1_500).becomes(SILENT)
    expect(watched.runFor(leaveDownMs - 1_500).opinions).toEqual([])
    expect(watched.runFor(4_000).opinions).toEqual(['NodeDown'])
  })

  test('is judged as any other once the time for which it left is over', () => {
    const watched = leftFor(5_000, AGENT_CRASHED).runUntil(ANSWERED + 500 + 4_999)
    expect(watched.opinions).toEqual([])
    expect(watched.runFor(1_000).opinions).toEqual(['AgentDown'])
  })

  test('stays on leave while a later life is only heard of, and is judged as any other once that has acked', () => {
    const later = { ...FIRST_LIFE, boot: 2 }
    const back = leftFor(60_000).does((watch, now) => watch.lives(now, later))
    expect(back.runUntil(MISSED + 4_000).opinions).toEqual([])
    back.becomes(UP).runFor(5_500).becomes(SILENT)
    expect(back.runFor(4_000).opinions).toEqual(['NodeDown'])
  })

  test('stays on leave though it still acks in the life that left', () => {
    const slow = wellFor(ANSWERED).does((watch, now) => watch.leaves(FIRST_LIFE, now + 60_000))
    slow.runFor(3_000).becomes(SILENT)
    expect(slow.runFor(4_000).opinions).toEqual([])
  })

  test('is not on leave because an earlier life left', () => {
    const old = wellFor(ANSWERED).does((watch, now) => watch.leaves({ ...FIRST_LIFE, boot: 0 }, now + 60_000))
    expect(old.becomes(SILENT).runUntil(MISSED + 2_000).opinions).toEqual(['NodeDown'])
  })
})

describe('a subject on the down list', () => {
  const convicted = () =>
    wellFor(ANSWERED)
      .becomes(SILENT)
      .runUntil(MISSED + 1_500)
      .does((watch, now) => watch.condemned(now, now + 600_000, recoverBeats))

  test('is no longer accused, hinted about, or asked but when it is dialled', () => {
    const watched = convicted()
    const before = watched.lines.length
    watched.runUntil(120_000)
    const kinds = watched.lines.slice(before).filter(([ms]) => ms > MISSED + 3_000)
    const asks = kinds.filter(([, { kind }]) => kind === 'ask').length
    expect(watched.opinions).toEqual(['NodeDown'])
    expect(kinds.some(([, { kind }]) => kind === 'hint' || kind === 'accuse')).toBe(false)
    expect(asks).toBeGreaterThan(0)
    expect(asks).toBe(kinds.filter(([, { kind }]) => kind === 'dial').length)
  })

  test('is called alive again after 3 beats in a row, not before', () => {
    const watched = convicted().runUntil(30_000).becomes(UP).runUntil(90_000)
    const alive = watched.accusations.find(([, { opinion }]) => opinion === 'Alive')?.[0] ?? 0
    const acksBefore = watched.lines.filter(([ms, { kind }]) => kind === 'probe' && ms > 30_000 && ms < alive)
    expect(acksBefore).toHaveLength(recoverBeats)
  })

  test('is told of when its host answers while its agent does not', () => {
    const watched = convicted().becomes(AGENT_CRASHED).runUntil(120_000)
    expect(watched.opinions.at(-1)).toBe('AgentDown')
  })

  test('is watched as before once the verdict no longer stands', () => {
    const watched = convicted().becomes(UP).runUntil(60_000)
    watched.does((watch, now) => watch.condemned(now, now, recoverBeats)).runFor(5_000)
    watched.becomes(SILENT).runFor(4_000)
    expect(watched.opinions.at(-1)).toBe('NodeDown')
  })
})
