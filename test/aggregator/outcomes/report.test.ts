/** What remediation did and would have done, told from events as the recorder writes them. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { explainNode } from '../../../aggregator/explain.ts'
import type { MemberView } from '../../../aggregator/model.ts'
import { remediationReport } from '../../../aggregator/outcomes/report.ts'
import { Recorder } from '../../../aggregator/recorder.ts'
import { openJournal, type SqliteJournal } from '../../../aggregator/store/sqlite.ts'
import type { Finding } from '../../../detectors/contract.ts'
import type { Plan, Remediation, RemediationPhase } from '../../../remediators/contract.ts'

const START = Date.parse('2026-03-01T00:00:00.000Z')
const DAY = 86_400_000

let store: SqliteJournal
let recorder: Recorder
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: START })
  store = openJournal(':memory:')
  recorder = new Recorder(store, 'aggregator-1.1', () => {})
})
afterEach(() => {
  store.close()
  vi.useRealTimers()
})

const later = (ms: number) => vi.setSystemTime(Date.now() + ms)
const poolOf = (node: string) => (node.startsWith('web') ? 'web' : '')
const report = (since = new Date(START).toISOString()) =>
  remediationReport(store, since, new Date().toISOString(), poolOf)

let plans = 0
function planFor(node: string, findingId: string, over: Partial<Plan> = {}): Plan {
  const changes = [{ what: 'a', before: '1', after: '2', undo: 'a=1' }]
  const hashes = { planHash: 'a'.repeat(64), evidenceHash: 'b'.repeat(64) }
  const about = { node, remediator: 'sysctl', detector: 'd', reason: 'QueueShort', cause: 'c', findingId, changes }
  const createdAt = new Date().toISOString()
  return { id: `p${++plans}`, ...about, reach: 'none', risk: 'low', ...hashes, createdAt, ...over }
}

const FINDING: Finding = {
  id: 'f',
  node: 'web-1',
  detector: 'd',
  reason: 'QueueShort',
  cause: 'c',
  status: 'warn',
  summary: 'short',
  evidence: [],
  since: '',
  observedAt: '',
} as unknown as Finding

const found = (node: string, ...ids: string[]) =>
  recorder.report(
    node,
    'd',
    ids.map((id) => ({ ...FINDING, id, node })),
  )

function say(plan: Plan, mode: Remediation['mode'], ...phases: readonly RemediationPhase[]): void {
  for (const phase of phases) {
    const at = new Date().toISOString()
    const guards = [
      { guard: 'budget-pool', allowed: false, why: '3 of 3 are in use' },
      { guard: 'pause', allowed: true, why: 'nothing is paused' },
    ]
    const more = phase === 'refused' ? { guards } : {}
    recorder.remediation({ plan, phase, why: 'so', at, policy: 'queues', mode, rung: 1, attempt: 1, ...more })
  }
}

/** One that was begun and came to this. */
function course(...phases: readonly RemediationPhase[]): void {
  later(60_000)
  say(planFor('web-1', `f${plans}`), 'approve', 'proposed', 'awaiting-approval', 'applying', 'verifying', ...phases)
}

describe('the rules', () => {
  it('say how many faults each would have acted on, and how many were over by themselves', () => {
    for (const [id, ms] of [
      ['f1', 10_000],
      ['f2', 30_000],
      ['f3', 20_000],
      ['f4', 0],
    ] as const) {
      found('web-1', id)
      say(planFor('web-1', id), 'observe', 'proposed')
      if (ms === 0) continue
      later(ms)
      found('web-1')
    }
    // Planned anew, since the host had changed: it is one fault still.
    say(planFor('web-1', 'f4'), 'observe', 'proposed', 'withdrawn')
    found('db-1', 'g1')
    say(planFor('db-1', 'g1'), 'observe', 'proposed')
    const { rules, records } = report()
    expect(rules).toHaveLength(2)
    expect(rules[0]).toMatchObject({ policy: 'queues', mode: 'observe', remediator: 'sysctl', reason: 'QueueShort' })
    expect(rules[0]).toMatchObject({
      pool: 'web',
      faults: 4,
      plans: 5,
      wentAway: 3,
      wentAwayMedianMs: 20_000,
      begun: 0,
    })
    expect(rules[1]).toMatchObject({ pool: '', faults: 1, wentAway: 0, wentAwayMedianMs: null })
    expect(records).toEqual([])
  })

  it('say what was begun and what it came to, by the last word on each, and who refused', () => {
    found('web-1', 'f1', 'f2', 'f3')
    const [first, second] = [planFor('web-1', 'f1'), planFor('web-1', 'f2')]
    say(first, 'auto', 'proposed', 'refused', 'permitted', 'applying', 'verifying', 'verified')
    say(second, 'auto', 'proposed', 'permitted', 'applying', 'verifying', 'no-effect', 'reverted', 'escalated')
    say(planFor('web-1', 'f3'), 'auto', 'proposed', 'refused')
    const refusal = {
      node: 'web-1',
      planId: second.id,
      nonce: 'n',
      retryAfterMs: 1,
      guards: [{ guard: 'storm', allowed: false, why: 'all' }],
    }
    const request = {
      node: 'web-1',
      planId: second.id,
      planHash: '',
      evidenceHash: '',
      nonce: 'n',
      mode: 'auto',
    } as const
    recorder.permits.refused(refusal, request, second, refusal.guards)
    later(5_000)
    // What was begun for is not said to have gone by itself.
    found('web-1')
    const [rule] = report().rules
    expect(rule).toMatchObject({ faults: 3, begun: 2, wentAway: 1, wentAwayMedianMs: 5_000 })
    expect(rule?.outcomes).toEqual({ verified: 1, 'no-effect': 0, failed: 0, reverted: 1, 'revert-failed': 0 })
    expect(rule?.refusedBy).toEqual([
      { guard: 'budget-pool', plans: 2 },
      { guard: 'storm', plans: 1 },
    ])
  })

  it('are those of the plans since then', () => {
    say(planFor('web-1', 'f1'), 'observe', 'proposed')
    later(DAY)
    expect(report(new Date().toISOString()).rules).toEqual([])
    expect(report().rules).toHaveLength(1)
  })

  it('take events from before there were policies for plans that wait for a person', () => {
    const plan = planFor('web-1', 'f1')
    const about = { at: '2026-03-01T00:00:01.000Z', node: 'web-1', tone: 'info', summary: '', causedBy: '' } as const
    store.append({ ...about, id: 'plan/x', kind: 'plan', data: { plan } })
    store.append({ ...about, id: 'plan/x/verified', kind: 'remediation', data: { planId: plan.id, phase: 'verified' } })
    expect(report().rules[0]).toMatchObject({
      policy: 'remediators.sysctl',
      mode: 'approve',
      outcomes: { verified: 1 },
    })
  })
})

describe('what each has earned', () => {
  const suggestion = () => report().records[0]?.suggestion

  it('is to go by itself after twenty that helped in a row, and not before', () => {
    for (let n = 0; n < 19; n++) course('verified')
    expect(suggestion()).toMatchObject({ what: 'keep', why: '19 of the last 19 helped; 20 in a row are asked for' })
    course('verified')
    expect(suggestion()).toMatchObject({ what: 'promote', mode: 'auto' })
    course('no-effect', 'reverted')
    expect(suggestion()).toMatchObject({ what: 'keep', why: '19 of the last 20 helped; 20 in a row are asked for' })
  })

  it('is to wait for a person again, or not to be begun, after two that did not help or one that could not be put back', () => {
    for (let n = 0; n < 20; n++) course('verified')
    course('failed', 'reverted')
    course('no-effect', 'reverted')
    expect(suggestion()).toEqual({ what: 'demote', mode: 'suggest', why: '2 of the last 20 did not help' })
    for (let n = 0; n < 20; n++) course('verified')
    course('failed', 'revert-failed')
    expect(suggestion()).toEqual({ what: 'demote', mode: 'suggest', why: '1 of the last 20 could not be put back' })
    later(60_000)
    say(planFor('web-1', 'last'), 'auto', 'applying', 'verified')
    expect(suggestion()).toMatchObject({ what: 'demote', mode: 'approve' })
    expect(report().records[0]?.outcomes).toMatchObject({ verified: 41, reverted: 2, 'revert-failed': 1 })
  })

  it('is never more than a person each time for what is dangerous', () => {
    for (let n = 0; n < 20; n++) say(planFor('web-1', `f${n}`, { risk: 'dangerous' }), 'approve', 'verified')
    expect(suggestion()).toMatchObject({ what: 'keep', mode: 'approve' })
  })

  it('is forgotten after 90 days', () => {
    course('verified')
    later(89 * DAY)
    expect(report().records).toHaveLength(1)
    later(DAY + 1)
    expect(report().records).toEqual([])
  })
})

it('shows in the chain of the finding why a guard refused', () => {
  found('web-1', 'f1')
  const plan = planFor('web-1', 'f1')
  say(plan, 'auto', 'proposed')
  const guards = [{ guard: 'storm', allowed: false, why: '4 of 9 nodes have the same fault' }]
  const refusal = { node: 'web-1', planId: plan.id, nonce: 'n', retryAfterMs: 1, guards }
  const request = { node: 'web-1', planId: plan.id, planHash: '', evidenceHash: '', nonce: 'n', mode: 'auto' } as const
  recorder.permits.refused(refusal, request, plan, guards)
  const { chains } = explainNode({ node: 'web-1' } as MemberView, store)
  expect(chains.map(({ title }) => title)).toEqual(['What was found on it'])
  expect(chains[0]?.events.map(({ kind }) => kind)).toEqual(['finding', 'plan', 'permit-refused'])
  expect(chains[0]?.events.at(-1)?.summary).toBe('sysctl may not begin now: storm: 4 of 9 nodes have the same fault')
})
