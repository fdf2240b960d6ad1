/** Twenty-four hours of figures in 8 MB, whatever comes and goes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { answerUsage, means, rounded, shownFigure, sparkline, worstBy } from '../../detectors/usage/answer.ts'
import { withUsage } from '../../detectors/usage/evidence.ts'
import { type Figures, pack, unpack } from '../../detectors/usage/figures.ts'
import { decodeAsk, decodeTold, encodeAsk, encodeTold, usageQuerySchema } from '../../detectors/usage/notes.ts'
import { MINUTES, SUBJECTS_MAX, UsageRing } from '../../detectors/usage/ring.ts'

const seen = (figures: Readonly<Record<string, Figures>>) => new Map(Object.entries(figures))
const MEBI = 1_048_576

describe('a figure in two bytes', () => {
  it('is read back within 0.03 % of what was kept', () =>
    fc.assert(
      fc.property(fc.double({ min: 0, max: 2 ** 50, noNaN: true }), (value) => {
        const back = unpack(pack(value)) ?? Number.NaN
        expect(Math.abs(back - value)).toBeLessThanOrEqual(0.0003 * value + 0.0003)
      }),
    ))

  it('tells nothing from zero, and holds what is too large at the largest', () => {
    expect(unpack(pack(undefined))).toBeUndefined()
    expect(unpack(pack(Number.NaN))).toBeUndefined()
    expect(unpack(pack(-1))).toBeUndefined()
    expect(unpack(pack(0))).toBe(0)
    expect(unpack(pack(Number.POSITIVE_INFINITY))).toBeCloseTo(2 ** 50, -3)
    expect(pack(2 ** 50)).toBeLessThan(2 ** 16)
  })
})

describe('the ring', () => {
  it('takes less than 8 MB when it is full', () => {
    expect(new UsageRing().bytesMax).toBeLessThanOrEqual(8_000_000)
  })

  it('gives back what was kept, minute by minute', () => {
    const ring = new UsageRing()
    ring.keep(100, seen({ node: { cpu: 500, memory: 7 * MEBI } }))
    ring.keep(101, seen({ node: { cpu: 600 }, 'service/a': { cpu: 1 } }))
    expect(ring.series('node', 'cpu', 60)).toEqual({
      minutes: [100, 101],
      values: [expect.closeTo(500, 0), expect.closeTo(600, 0)],
    })
    expect(ring.series('node', 'memory', 60).values).toEqual([expect.closeTo(7 * MEBI, -4), undefined])
    expect(ring.series('service/a', 'cpu', 1).values).toEqual([expect.closeTo(1, 2)])
    expect(ring.series('service/b', 'cpu', 1).values).toEqual([undefined])
  })

  it('forgets what is older than a day, and says nothing of a minute in which a subject was not seen', () => {
    const ring = new UsageRing()
    ring.keep(0, seen({ node: { cpu: 9 }, 'service/a': { cpu: 9 } }))
    for (let minute = 1; minute <= MINUTES; minute += 1) ring.keep(minute, seen({ node: { cpu: 1 } }))
    const { minutes, values } = ring.series('node', 'cpu', 10_000)
    expect([minutes.length, minutes[0], minutes.at(-1)]).toEqual([MINUTES, 1, MINUTES])
    expect(values.every((value) => value !== undefined && value < 2)).toBe(true)
    expect(ring.series('service/a', 'cpu', 10_000).values.every((value) => value === undefined)).toBe(true)
    expect(ring.names).toEqual(['node'])
  })

  it('lets those give way that were not seen for longest, never one that is seen now', () => {
    const ring = new UsageRing()
    const containers = (from: number, count: number) =>
      seen(
        Object.fromEntries(Array.from({ length: count }, (_, index) => [`container/${from + index}`, { cpu: from }])),
      )
    ring.keep(1, containers(0, SUBJECTS_MAX))
    ring.keep(2, containers(1, SUBJECTS_MAX - 1))
    ring.keep(3, new Map([...containers(1, SUBJECTS_MAX - 1), ...seen({ 'container/new': { cpu: 7 } })]))
    expect(ring.names).toHaveLength(SUBJECTS_MAX)
    expect(ring.names).not.toContain('container/0')
    expect(ring.series('container/new', 'cpu', 3).values).toEqual([undefined, undefined, expect.closeTo(7, 1)])
    expect(ring.keep(4, containers(1_000, SUBJECTS_MAX + 5))).toBe(5)
    expect(ring.names).toHaveLength(SUBJECTS_MAX)
  })

  it('keeps what an array of arrays would, over any coming and going', () =>
    fc.assert(
      fc.property(
        fc.array(fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 4 }), { maxLength: 40 }),
        (minutes) => {
          const ring = new UsageRing()
          for (const [minute, names] of minutes.entries())
            ring.keep(minute, new Map(names.map((name) => [name, { cpu: minute }])))
          for (const name of ['a', 'b', 'c', 'd'] as const) {
            const values = ring.series(name, 'cpu', 100).values.map((value) => value && Math.round(value))
            expect(values).toEqual(minutes.map((names, minute) => (names.includes(name) ? minute : undefined)))
          }
        },
      ),
      { numRuns: 20 },
    ))
})

/** An hour in which one container grew, and one was busy. */
function hour(): UsageRing {
  const ring = new UsageRing()
  for (let minute = 0; minute < 60; minute += 1) {
    const grows = { cpu: 20, memory: (100 + minute * 30) * MEBI }
    const busy = { cpu: 1_500 + minute, memory: 50 * MEBI, received: minute * 1_000 }
    const small = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`service/s${index}`, { memory: MEBI, cpu: 1 }]),
    )
    ring.keep(
      29_000_000 + minute,
      seen({
        node: { cpu: 1_600, memory: 4_096 * MEBI },
        'container/shop/api/grows': grows,
        'container/shop/job/busy': busy,
        ...small,
      }),
    )
  }
  return ring
}

describe('an answer', () => {
  const ask = (query: object) => answerUsage('node-7', hour(), usageQuerySchema.parse(query))

  it('is of the node and its worst, when nothing is named', () => {
    const { subjects, held, step, from, to } = ask({})
    expect(subjects.map(({ name }) => name).slice(0, 3)).toEqual([
      'node',
      'container/shop/job/busy',
      'container/shop/api/grows',
    ])
    expect([held, step]).toEqual([23, 2])
    expect([from, to]).toEqual([
      new Date(29_000_000 * 60_000).toISOString(),
      new Date(29_000_059 * 60_000).toISOString(),
    ])
  })

  it('is of what is named, and says how many there are', () => {
    expect(ask({ subject: 'grows' }).subjects.map(({ name }) => name)).toEqual(['container/shop/api/grows'])
    expect(ask({ subject: 'service/' })).toMatchObject({ matching: 20 })
    expect(ask({ subject: 'service/' }).subjects).toHaveLength(8)
    expect(ask({ subject: 'nothing' }).subjects).toEqual([])
  })

  it('is a few KB at most, also of a day of names and figures as long as can be', () => {
    const ring = new UsageRing()
    const figures = {
      cpu: 123_456.789,
      memory: 1.234567e12,
      read: 1.23e9,
      written: 1.23e9,
      received: 1.23e9,
      sent: 1.23e9,
    }
    const many = Object.fromEntries(
      Array.from({ length: 400 }, (_, index) => [`container/${'n'.repeat(100)}${index}`, figures]),
    )
    for (let minute = 0; minute < MINUTES; minute += 1) ring.keep(minute, seen({ node: figures, ...many }))
    const answer = answerUsage('node-7', ring, usageQuerySchema.parse({ minutes: MINUTES }))
    expect(answer.step).toBe(30)
    const bytes = encodeTold({ id: 'x', answer })
    expect(bytes.length).toBeLessThan(9 * 1024)
    expect(decodeTold('node-7', bytes).answer).toEqual(answer)
  })

  it('is of an agent that has just started', () => {
    expect(answerUsage('node-7', new UsageRing(), usageQuerySchema.parse({}))).toEqual({
      node: 'node-7',
      from: null,
      to: null,
      step: 1,
      held: 0,
      matching: 0,
      subjects: [],
    })
  })

  it('is of its signer alone, and a question is one', () => {
    const answer = ask({})
    expect(() => decodeTold('node-8', encodeTold({ id: 'x', answer }))).toThrow('node-8 spoke for node-7')
    for (const bytes of [
      Uint8Array.of(),
      Uint8Array.of(1, 2, 3),
      new Uint8Array(70_000),
      encodeTold({ id: '', answer }),
    ])
      expect(() => decodeTold('node-7', bytes)).toThrow(Error)
    const question = { id: 'x', node: 'node-7', query: { subject: 'api', minutes: 60 } }
    expect(decodeAsk(encodeAsk(question))).toEqual(question)
    expect(() => decodeAsk(encodeAsk({ ...question, query: { subject: '', minutes: 9_999 } }))).toThrow(Error)
  })
})

describe('a point of an answer', () => {
  it('is the same after it has travelled', () =>
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e14, noNaN: true }), (value) => {
        const cpu = [rounded(value), null]
        const answer = {
          ...answerUsage('node-7', new UsageRing(), { subject: '', minutes: 60 }),
          subjects: [{ name: 'node', figures: { cpu } }],
        }
        expect(decodeTold('node-7', encodeTold({ id: 'x', answer })).answer).toEqual(answer)
      }),
    ))
})

describe('what a person sees', () => {
  it('is means, in a picture from zero to the most', () => {
    expect(means([1, 3, undefined, 5, undefined, undefined], 2)).toEqual([2, 5, null])
    expect(sparkline([0, 1, null, 7, 8])).toBe('▁▁ ██'.replace('▁▁', '▁▂').replace('██', '██'))
    expect(sparkline([0, 0])).toBe('▁▁')
    expect(sparkline([])).toBe('')
  })

  it.each([
    ['cpu', 250.4, '250m'],
    ['cpu', 1_250, '1.25'],
    ['memory', 310 * MEBI, '310 MiB'],
    ['sent', 0, '0.00 B/s'],
    ['received', 4.1 * MEBI, '4.10 MiB/s'],
  ] as const)('of %s %d is %s', (figure, value, expected) => {
    expect(shownFigure(figure, value)).toBe(expected)
  })

  it('is the worst container beside an alarm, and beside nothing else', () => {
    const finding = {
      id: 'i',
      node: 'node-7',
      detector: 'memory',
      reason: 'MemoryAlmostFull',
      cause: '',
      status: 'alarm',
      summary: 's',
      evidence: [],
      since: '2026-11-22T00:00:00Z',
      observedAt: '2026-11-22T00:00:00Z',
      ttlMs: 1,
    } as const
    const ring = hour()
    const others = [
      { ...finding, status: 'warn' },
      { ...finding, reason: 'Ok', status: 'ok' },
    ] as const
    const [alarm, ...same] = withUsage([finding, ...others], ring)
    expect(alarm?.evidence).toEqual([
      {
        name: 'memory of container/shop/api/grows, last 15 min',
        value: expect.stringMatching(/^[▁▂▃▄▅▆▇█]{15} 1\.4\d GiB to 1\.83 GiB \(node 4\.00 GiB\)$/),
        unit: '',
      },
    ])
    expect(same).toEqual(others)
    expect(withUsage([{ ...finding, reason: 'LoadExtreme' }], ring)[0]?.evidence[0]?.name).toContain('busy')
    expect(withUsage([finding], new UsageRing())).toEqual([finding])
    expect(worstBy(ring, 'received', 15, 3)).toEqual(['container/shop/job/busy'])
  })
})
