/** What a connection tells its ends, and when: the kernel's part, whatever runs on the machines. */
import { describe, expect, it } from 'vitest'
import { End } from '../../mesh/sim/connection.ts'
import { around, between } from '../../mesh/sim/network.ts'
import { type HostState, Stage } from '../../mesh/sim/stage.ts'

/** Two machines with a connection, and what each end was told, with the time. */
class Line {
  readonly stage: Stage
  readonly ends: readonly [End<number>, End<number>]
  readonly told: { readonly end: 'here' | 'there'; readonly what: number | 'reset'; readonly at: number }[] = []

  constructor(seed = 1) {
    this.stage = new Stage(seed)
    this.ends = End.pair<number>(this.stage, this.stage.add('here', ''), this.stage.add('there', ''))
    for (const [index, end] of (['here', 'there'] as const).entries()) {
      const note = (what: number | 'reset') => void this.told.push({ end, what, at: this.stage.agenda.now })
      const holder = { received: note, reset: () => note('reset') }
      Object.assign(this.ends[index] ?? {}, { holder })
    }
  }

  get here(): End<number> {
    return this.ends[0]
  }

  get there(): End<number> {
    return this.ends[1]
  }

  passes(ms: number): this {
    this.stage.agenda.runUntil(this.stage.agenda.now + ms)
    return this
  }

  becomes(host: HostState): this {
    this.stage.setHost('there', host)
    return this
  }

  heard(end: 'here' | 'there'): readonly (number | 'reset')[] {
    return this.told.filter((line) => line.end === end).map(({ what }) => what)
  }
}

describe('a connection', () => {
  it('keeps the order through a fault that begins and ends between messages', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const line = new Line(seed)
      const sent = Array.from({ length: 300 }, (_, index) => index)
      for (const number of sent) line.stage.agenda.at(number * 0.7, () => line.here.send(number))
      line.stage.agenda.at(50, () => {
        const heal = line.stage.network.impair(around(new Set(['there']), 0.5))
        line.stage.agenda.at(90, heal)
      })
      expect(line.passes(60_000).heard('there')).toEqual(sent)
    }
  })

  it('delivers after a cut what was sent into it, later by what TCP backs off', () => {
    const line = new Line()
    const heal = line.stage.network.impair(around(new Set(['there']), 1))
    line.here.send(1)
    line.passes(5_000)
    expect(line.told).toEqual([])
    heal()
    line.passes(60_000)
    expect(line.heard('there')).toEqual([1])
    // Resent after 0.2, 0.6, 1.5, 3.1, 6.4 s or about that: the timeout doubles.
    expect(line.told[0]?.at).toBeGreaterThan(5_500)
    expect(line.told[0]?.at).toBeLessThan(8_000)
  })

  it('is quick again when all has arrived', () => {
    const line = new Line()
    line.stage.network.impair(around(new Set(['there']), 1))()
    const heal = line.stage.network.impair(around(new Set(['there']), 1))
    line.here.send(1)
    line.passes(100)
    heal()
    line.passes(1_000)
    const from = line.stage.agenda.now
    line.here.send(2)
    line.passes(1_000)
    expect((line.told.at(-1)?.at ?? 0) - from).toBeLessThanOrEqual(2)
  })

  it('of which the host was down is reset by the first packet after that', () => {
    const line = new Line()
    line.becomes('down').there.vanish()
    line.here.send(1)
    line.passes(3_000)
    expect(line.told).toEqual([])
    line.becomes('up').passes(30_000)
    expect(line.told.map(({ end, what }) => [end, what])).toEqual([['here', 'reset']])
    expect(line.here.isOpen).toBe(false)
  })

  it('that is aborted tells the other side, unless that one packet is lost', () => {
    const line = new Line()
    line.here.abort()
    expect(line.passes(10).heard('there')).toEqual(['reset'])

    const cut = new Line()
    const heal = cut.stage.network.impair(between(new Set(['here']), new Set(['there']), 1, true))
    cut.here.abort()
    heal()
    expect(cut.passes(10_000).heard('there')).toEqual([])
    cut.there.send(1)
    expect(cut.passes(10).heard('there')).toEqual(['reset'])
  })
})
