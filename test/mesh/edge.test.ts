/** Transcripts of one edge: time is passed in, and what it does is written down. */
import { describe, expect, test } from 'vitest'
import { Edge, type EdgeEffect } from '../../mesh/core/edge.ts'
import { DEFAULT_TIMING, type Timing } from '../../mesh/core/timing.ts'
import { momentAt } from './sample-mesh.ts'

const { beatMs, lateMs, silentMs, abortMs, burstProbes } = DEFAULT_TIMING
/** A tick has done what was due, so what is due next comes after this. */
const STEADY: Timing = { ...DEFAULT_TIMING, beatJitter: 0 }

type Line = readonly [ms: number, effect: EdgeEffect['kind']]

/** An edge that is called whenever it asks to be, on a peer that answers each probe at once until it is told not to. */
class LiveEdge {
  readonly edge: Edge
  readonly lines: Line[] = []
  answers = true
  dials: 'succeed' | 'fail' | 'hang' = 'succeed'
  #lastSeq = 0
  #tickedAt = Number.NEGATIVE_INFINITY

  constructor(timing = STEADY, random = () => 0.5) {
    this.edge = new Edge('peer', 0, timing, random)
    this.#note(0, this.edge.tick(0))
  }

  runUntil(end: number): this {
    for (let at = this.#next(); at <= end; at = this.#next()) {
      this.#now = at
      this.#tickedAt = at
      this.#note(at, this.edge.tick(at))
    }
    this.#now = end
    return this
  }

  /** As an edge that something happened to is asked: what is due at this moment is not done yet. */
  #next(): number {
    return Math.max(this.#now, this.edge.nextAt(this.#tickedAt))
  }

  hinted(): void {
    this.#note(this.#now, this.edge.hinted(this.#now))
  }

  breaks(): void {
    this.#note(this.#now, this.edge.closed(this.#now))
  }

  /** Answers the last probe after all. */
  acks(): void {
    this.edge.acked(momentAt(this.#now), this.#lastSeq, momentAt(this.#now).wallMs)
  }

  since(ms: number, ...kinds: readonly EdgeEffect['kind'][]): readonly Line[] {
    return this.lines.filter(([at, kind]) => at >= ms && (kinds.length === 0 || kinds.includes(kind)))
  }

  #now = 0

  #note(now: number, effects: readonly EdgeEffect[]): void {
    for (const effect of effects) {
      this.lines.push([now, effect.kind])
      if (effect.kind === 'probe') {
        this.#lastSeq = effect.seq
        if (this.answers) this.edge.acked(momentAt(now), effect.seq, momentAt(now).wallMs)
      }
      if (effect.kind !== 'dial' || this.dials === 'hang') continue
      this.#note(now, this.dials === 'succeed' ? this.edge.opened(now) : this.edge.closed(now))
    }
  }
}

/** Open since 0, a beat at each full second, the peer silent after that of second 6. */
function silentAfterSix(timing = STEADY, random = () => 0.5): LiveEdge {
  const live = new LiveEdge(timing, random).runUntil(6_500)
  live.answers = false
  return live
}

describe('a healthy edge', () => {
  test('dials once, probes every beat and is never in doubt', () => {
    const live = new LiveEdge().runUntil(4_500)
    expect(live.lines).toEqual([
      [0, 'dial'],
      [0, 'probe'],
      ...[1_000, 2_000, 3_000, 4_000].map((at) => [at, 'probe'] as const),
    ])
    expect(live.edge.ackedBeats).toBe(5)
    expect(live.edge.silentSince(4_500)).toBeUndefined()
  })

  test.each([0, 0.999])('keeps the beat within a tenth, with %f drawn', (drawn) => {
    const live = new LiveEdge(DEFAULT_TIMING, () => drawn).runUntil(10_000)
    const probes = live.since(0, 'probe').map(([at]) => at)
    for (const [index, at] of probes.slice(1).entries()) {
      expect(at - (probes[index] ?? 0)).toBeGreaterThanOrEqual(0.9 * beatMs)
      expect(at - (probes[index] ?? 0)).toBeLessThanOrEqual(1.1 * beatMs)
    }
  })

  test("measures the peer's clock against its own monotonic one, less half of the way", () => {
    const edge = new Edge('peer', 0, STEADY, () => 0.5)
    edge.tick(0)
    const [probe] = edge.opened(0)
    if (probe?.kind !== 'probe') throw new Error('an open edge probes at once')
    edge.acked(momentAt(40), probe.seq, momentAt(5_020).wallMs)
    expect(edge.clock).toEqual({ rttMs: 40, aheadMs: momentAt(5_000).wallMs, atMs: 40 })
  })

  test('ignores an answer to a probe that it did not send', () => {
    const live = new LiveEdge()
    live.answers = false
    live.runUntil(1_000)
    live.edge.acked(momentAt(1_000), 4_711, 0)
    live.runUntil(1_000 + lateMs)
    expect([live.edge.ackedBeats, live.edge.doubtSince]).toEqual([1, 1_000 + lateMs])
  })
})

describe('a peer that falls silent', () => {
  test('is in doubt when a beat is 0.3 s late: at once a burst, and then silent when that is unanswered too', () => {
    const live = silentAfterSix().runUntil(7_000 + lateMs + silentMs)
    const late = 7_000 + lateMs
    expect(live.since(7_000, 'doubt')).toEqual([[late, 'doubt']])
    const burst = live.since(late, 'probe').map(([at]) => at)
    expect(burst).toEqual(Array.from({ length: burstProbes }, (_, index) => late + 100 * index))
    expect(live.edge.silentSince(late + silentMs - 1)).toBeUndefined()
    // Counted from the last sign of life, not from the doubt.
    expect(live.edge.silentSince(late + silentMs)).toBe(6_000)
  })

  test('is held for alive again by one answer, even to an early probe of the burst', () => {
    const live = silentAfterSix().runUntil(7_550)
    live.acks()
    expect(live.edge.doubtSince).toBeUndefined()
    live.answers = true
    live.runUntil(12_500)
    expect(live.since(7_551).map(([, kind]) => kind)).toEqual(Array.from({ length: 5 }, () => 'probe'))
    expect(live.edge.silentSince(12_500)).toBeUndefined()
  })

  test('has its connection cut after 3 s, and is dialled again after 2 to 4 s each time', () => {
    for (const drawn of [0.001, 0.5, 0.999]) {
      const live = silentAfterSix({ ...STEADY, beatJitter: 0 }, () => drawn)
      live.dials = 'fail'
      live.runUntil(40_000)
      const cutAt = 7_000 + lateMs + abortMs
      expect(live.since(7_000, 'abort')).toEqual([[cutAt, 'abort']])
      const dials = live.since(cutAt, 'dial').map(([at]) => at)
      // The first comes soon: mostly the peer has restarted.
      expect((dials[0] ?? 0) - cutAt).toBeLessThanOrEqual(DEFAULT_TIMING.redialFirstMs)
      expect(dials.length).toBeGreaterThan(5)
      for (const [index, at] of dials.slice(1).entries()) {
        expect(at - (dials[index] ?? 0)).toBeGreaterThanOrEqual(2_000)
        expect(at - (dials[index] ?? 0)).toBeLessThanOrEqual(4_000)
      }
    }
  })

  test('stays silent over a stream that opens and answers nothing, which is cut again', () => {
    const live = silentAfterSix().runUntil(20_000)
    const cuts = live.since(0, 'abort').map(([at]) => at)
    expect(cuts.length).toBeGreaterThan(1)
    expect(live.edge.silentSince(20_000)).toBe(6_000)
    for (const cut of cuts.slice(1)) {
      const opened =
        live
          .since(0, 'dial')
          .map(([at]) => at)
          .filter((at) => at < cut)
          .at(-1) ?? 0
      expect(cut - opened).toBe(abortMs)
    }
  })

  test('and is on the down list is dialled only every 4 to 30 s', () => {
    const live = silentAfterSix(STEADY, () => 0.999)
    live.dials = 'fail'
    live.runUntil(10_400)
    live.edge.downUntil = Number.POSITIVE_INFINITY
    live.runUntil(200_000)
    const dials = live.since(20_000, 'dial').map(([at]) => at)
    expect(dials.length).toBeGreaterThan(3)
    for (const [index, at] of dials.slice(1).entries()) {
      expect(at - (dials[index] ?? 0)).toBeGreaterThanOrEqual(4_000)
      expect(at - (dials[index] ?? 0)).toBeLessThanOrEqual(30_000)
    }
  })
})

describe('news from elsewhere', () => {
  test('a hint makes a healthy edge look at once, and once only', () => {
    const live = new LiveEdge().runUntil(4_500)
    live.answers = false
    live.hinted()
    live.hinted()
    expect(live.since(4_500, 'doubt')).toEqual([[4_500, 'doubt']])
    expect(live.since(4_500, 'probe')).toEqual([[4_500, 'probe']])
    live.runUntil(4_500 + silentMs)
    expect(live.edge.silentSince(4_500 + silentMs)).toBe(4_000)
  })

  test('a hint about a peer that answers leads to nothing', () => {
    const live = new LiveEdge().runUntil(4_500)
    live.hinted()
    live.runUntil(9_500)
    expect(live.edge.silentSince(9_500)).toBeUndefined()
    expect(live.since(4_501, 'abort', 'dial', 'doubt')).toEqual([])
  })

  test('a stream that breaks is doubt at once, and dialled again quickly', () => {
    const live = new LiveEdge().runUntil(4_500)
    live.breaks()
    expect(live.since(4_500, 'doubt')).toEqual([[4_500, 'doubt']])
    live.runUntil(4_500 + DEFAULT_TIMING.redialFirstMs)
    expect(live.since(4_500, 'dial')).toHaveLength(1)
    expect(live.edge.doubtSince).toBeUndefined()
  })

  test('a peer that was heard of in another way is dialled without waiting', () => {
    const live = silentAfterSix()
    live.dials = 'fail'
    live.runUntil(15_000)
    const dialled = live.since(0, 'dial').length
    live.edge.dialSoon(15_000)
    live.runUntil(15_001)
    expect(live.since(0, 'dial').length).toBe(dialled + 1)
  })
})

test.each([
  ['whose SYN was lost is dialled anew', 800, 1],
  ['that was dialled just now is waited for', 100, 0],
])('a peer heard of in another way %s', (_, afterMs, dials) => {
  const live = silentAfterSix()
  live.dials = 'hang'
  let at = 7_000
  for (; live.since(7_000, 'dial').length === 0; at += 10) live.runUntil(at)
  live.runUntil(at + afterMs)
  live.edge.dialSoon(at + afterMs)
  live.runUntil(at + afterMs + 10)
  expect(live.since(at + 1, 'dial')).toHaveLength(dials)
})

describe('after a pause of this process', () => {
  test('nothing that happened meanwhile is held against the peer, and the edge is unfit until it is acked', () => {
    const live = silentAfterSix().runUntil(7_900)
    expect(live.edge.silentSince(7_900)).toBeDefined()
    live.edge.resumed(9_000)
    expect([live.edge.silentSince(9_000), live.edge.doubtSince, live.edge.isFit]).toEqual([undefined, undefined, false])
    live.answers = true
    live.runUntil(9_000)
    live.runUntil(10_100)
    expect(live.edge.isFit).toBe(true)
  })

  test('silence is counted anew from the end of the pause', () => {
    const live = silentAfterSix().runUntil(7_200)
    live.edge.resumed(7_200)
    live.runUntil(9_000)
    expect(live.edge.silentSince(9_000)).toBe(7_200)
    expect(live.edge.isFit).toBe(false)
  })

  test('a redial, too, makes it fit: the silence is then not of its own making', () => {
    const live = silentAfterSix().runUntil(7_200)
    live.edge.resumed(7_200)
    live.dials = 'fail'
    live.runUntil(20_000)
    expect(live.edge.isFit).toBe(true)
  })
})

describe('beats without a break', () => {
  test('are not broken by questions that are answered at once, as roll-calls about the subject are', () => {
    const live = new LiveEdge()
    for (let at = 1; at <= 10; at++) {
      live.runUntil(at * beatMs + beatMs / 2)
      live.hinted()
      live.acks()
    }
    expect(live.edge.unbrokenBeats).toBeGreaterThanOrEqual(10)
  })

  test('begin again after one that was answered late, and after the stream ended', () => {
    const live = new LiveEdge().runUntil(5 * beatMs)
    live.answers = false
    live.runUntil(6 * beatMs + lateMs + 50)
    live.answers = true
    live.acks()
    expect(live.edge.unbrokenBeats).toBe(1)
    live.runUntil(12 * beatMs)
    expect(live.edge.unbrokenBeats).toBeGreaterThan(4)
    live.breaks()
    expect(live.edge.unbrokenBeats).toBe(0)
  })
})
