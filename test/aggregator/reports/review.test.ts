import { describe, expect, test } from 'vitest'
import type { EventKind, StoredEvent } from '../../../aggregator/model.ts'
import type { OutcomeCounts, RemediationReport, RuleReport } from '../../../aggregator/outcomes/model.ts'
import { htmlOf } from '../../../aggregator/reports/html.ts'
import { plainTextOf } from '../../../aggregator/reports/plain-text.ts'
import { type Review, ReviewTally } from '../../../aggregator/reports/review.ts'
import { reviewReport } from '../../../aggregator/reports/review-report.ts'
import { LANGUAGES } from '../../../common/languages.ts'
import { tookLast } from '../../../remediators/guards/budget.ts'

const SINCE = '2026-11-14T00:00:00.000Z'
const UNTIL = '2026-11-21T00:00:00.000Z'
const NONE: OutcomeCounts = { verified: 0, 'no-effect': 0, failed: 0, reverted: 0, 'revert-failed': 0 }

/** Minutes after the beginning of the week. */
const time = (minute: number) => new Date(Date.parse(SINCE) + minute * 60_000).toISOString()

let seq = 0

function event(kind: EventKind, minute: number, id: string, more: Partial<StoredEvent> = {}): StoredEvent {
  const defaults = { node: 'node-1', tone: 'bad', summary: '', causedBy: '', data: {} } as const
  return { seq: ++seq, id, at: time(minute), kind, ...defaults, ...more }
}

/** A fault that began a minute before it was seen, and was over after `lasted` minutes. */
function fault(node: string, reason: string, minute: number, lasted: number): StoredEvent[] {
  const id = `finding/${node}/some-detector/${reason}/#${time(minute - 1)}`
  return [
    event('finding', minute, id, { node }),
    event('finding', minute + lasted, `${id}/cleared`, { node, tone: 'good', causedBy: id }),
  ]
}

const EVENTS: readonly StoredEvent[] = [
  // Seen before the week, over within it.
  ...fault('node-9', 'DiskFilling', -30, 40),
  ...[10, 20, 30, 40].flatMap((minute) => fault('node-1', 'ConntrackFilling', minute, minute / 10)),
  ...fault('node-2', 'ConntrackFilling', 50, 5),
  event('suspected', 100, 'suspected/node-3', { node: 'node-3' }),
  event('verdict', 100.5, 'verdict/v1', {
    node: 'node-3',
    causedBy: 'suspected/node-3',
    data: { verdict: 'NodeDown' },
  }),
  event('recovered', 130, 'recovered/v1', { node: 'node-3', tone: 'good', causedBy: 'verdict/v1' }),
  ...fault('node-4', 'KernelParamWrong', 200, 3),
  event('plan', 200.5, 'plan/p1', {
    node: 'node-4',
    causedBy: `finding/node-4/some-detector/KernelParamWrong/#${time(199)}`,
  }),
  event('remediation', 202, 'plan/p1/verified', {
    node: 'node-4',
    tone: 'good',
    causedBy: 'plan/p1',
    data: { phase: 'verified' },
  }),
  event('permit-refused', 300, 'refused/1', {
    data: { refusal: { guards: [{ guard: 'budget-pool', allowed: false, why: '4 of 20 nodes would be' }] } },
  }),
  event('permit-refused', 310, 'refused/2', {
    data: { refusal: { guards: [{ guard: 'storm', allowed: false, why: '7 nodes say the same' }] } },
  }),
  event('permit-refused', 320, 'refused/3', {
    data: { refusal: { guards: [{ guard: 'storm', allowed: false, why: '8 nodes say the same' }] } },
  }),
  event('permit', 330, 'permit/1', {
    data: {
      verdicts: [
        {
          guard: 'budget-cluster',
          allowed: true,
          why: '3 of 20 nodes of the cluster would be disrupted, and 3 may be',
        },
        { guard: 'budget-pool', allowed: true, why: '1 of 20 nodes of pool a would be disrupted, and 2 may be' },
      ],
    },
  }),
  ...fault('node-5', 'DiskFilling', 7 * 24 * 60 + 5, 1),
]

const rule = (more: Partial<RuleReport>): RuleReport => ({
  policy: 'remediators.sysctl',
  mode: 'approve',
  remediator: 'sysctl',
  reason: 'KernelParamWrong',
  pool: 'gpu',
  faults: 9,
  plans: 9,
  wentAway: 2,
  wentAwayMedianMs: 95_000,
  begun: 6,
  refusedBy: [],
  outcomes: { ...NONE, verified: 5, reverted: 1 },
  ...more,
})

const REMEDIATION: RemediationReport = {
  since: SINCE,
  rules: [
    rule({}),
    rule({
      remediator: 'conntrack-max',
      reason: 'ConntrackFilling',
      mode: 'observe',
      pool: '',
      begun: 0,
      outcomes: NONE,
    }),
    rule({ remediator: 'restart-unit', mode: 'auto', begun: 1, outcomes: { ...NONE, failed: 1 } }),
  ],
  records: [
    {
      reason: 'KernelParamWrong',
      remediator: 'sysctl',
      pool: 'gpu',
      mode: 'approve',
      outcomes: { ...NONE, verified: 20 },
      suggestion: { what: 'promote', mode: 'auto', why: 'the last 20 helped' },
    },
  ],
}

function reviewOf(events: readonly StoredEvent[], remediation: RemediationReport): Review {
  const tally = new ReviewTally(SINCE, UNTIL, (id) => events.find((one) => one.id === id) ?? null)
  for (const one of events) tally.add(one)
  return tally.review(remediation)
}

const review = (): Review => reviewOf(EVENTS, REMEDIATION)

describe('a review', () => {
  test('says how soon faults were seen and over', () => {
    const { detectFindings, detectVerdicts, repairFindings, repairVerdicts } = review()
    expect(detectFindings).toEqual({ count: 6, meanMs: 60_000, medianMs: 60_000, worstMs: 60_000 })
    expect(detectVerdicts).toEqual({ count: 1, meanMs: 30_000, medianMs: 30_000, worstMs: 30_000 })
    // What was over in the week counts, whenever it began.
    expect(repairFindings).toMatchObject({ count: 7, medianMs: 3 * 60_000, worstMs: 40 * 60_000 })
    expect(repairVerdicts).toMatchObject({ count: 1, meanMs: (130 - 100.5) * 60_000 })
  })

  test('of a fix counts from the fault that it was for', () => {
    const plan = EVENTS.filter(({ kind }) => kind !== 'plan')
    expect(review().repairFixed).toMatchObject({ count: 1, meanMs: 120_000 })
    expect(reviewOf(plan, REMEDIATION).repairFixed.count).toBe(0)
  })

  test('names who keeps failing', () => {
    expect(review().nodes).toEqual([{ name: 'node-1', times: 4, with: [{ name: 'ConntrackFilling', times: 4 }] }])
    expect(review().reasons).toEqual([
      {
        name: 'ConntrackFilling',
        times: 5,
        with: [
          { name: 'node-1', times: 4 },
          { name: 'node-2', times: 1 },
        ],
      },
    ])
  })

  test('says what was held back and which budgets were near their end', () => {
    expect(review().refusals).toEqual([
      { guard: 'storm', times: 2, lastWhy: '8 nodes say the same' },
      { guard: 'budget-pool', times: 1, lastWhy: '4 of 20 nodes would be' },
    ])
    expect(review().budgets).toEqual([
      { guard: 'budget-cluster', refused: 0, last: 1 },
      { guard: 'budget-pool', refused: 1, last: 0 },
    ])
  })

  test('of nothing says nothing', () => {
    const empty = reviewOf([], { since: SINCE, rules: [], records: [] })
    expect(empty.repairFindings).toEqual({ count: 0, meanMs: null, medianMs: null, worstMs: null })
    const text = plainTextOf(
      reviewReport({ mesh: 'prod-a', review: empty, language: 'en', zone: 'UTC', page: undefined }),
    )
    expect(text).toContain('Nothing was begun')
    expect(text).toContain('No guard refused anything')
  })

  test.each(LANGUAGES)('is laid out as it was, in %s', async (language) => {
    const page = 'https://starling.example.org'
    const layout = reviewReport({ mesh: 'prod-a', review: review(), language, zone: 'Asia/Shanghai', page })
    await expect(htmlOf(layout)).toMatchFileSnapshot(`fixtures/review-${language}.html`)
    await expect(`${layout.subject}\n\n${plainTextOf(layout)}`).toMatchFileSnapshot(`fixtures/review-${language}.txt`)
  })

  test('shows what nodes wrote, and does nothing of it', () => {
    const hostile = '<b>x</b>\r\nBcc: all@example.org\u001b[31m\u202e\ud800'
    const events = [1, 2, 3].flatMap((minute) => fault(hostile, 'ConntrackFilling', minute, 1))
    const looked = reviewOf(events, { ...REMEDIATION, rules: [rule({ pool: hostile })] })
    const layout = reviewReport({ mesh: hostile, review: looked, language: 'zh', zone: 'UTC', page: undefined })
    expect(layout.subject).not.toMatch(/\p{Cc}|\u202e/u)
    expect(htmlOf(layout)).not.toContain('<b>')
    expect(plainTextOf(layout)).not.toMatch(/(?!\n)\p{Cc}|\u202e|^Bcc/mu)
  })
})

test('the last place of several is told from the only one', () => {
  expect(tookLast('3 of 20 nodes of the cluster would be disrupted, and 3 may be')).toBe(true)
  expect(tookLast('2 of 20 nodes of the cluster would be disrupted, and 3 may be')).toBe(false)
  expect(tookLast('1 of 3 nodes of pool a would be disrupted, and 1 may be')).toBe(false)
  expect(tookLast('counted by `reachNone` over permits of its kind only')).toBe(false)
})
