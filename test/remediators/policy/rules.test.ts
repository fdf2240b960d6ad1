import { describe, expect, test } from 'vitest'
import type { Finding } from '../../../detectors/contract.ts'
import { ruleFor } from '../../../remediators/policy/rules.ts'
import { differs } from '../parts.ts'
import { clean, DISK, policy, restart, rules, TABLE } from './parts.ts'

const full = (parts: Partial<Finding> = {}) => differs('/', '96', '90', { reason: DISK, status: 'alarm', ...parts })

describe('a policy', () => {
  test('gives its mode, its windows and the rungs of its ladder', () => {
    const windows = [{ cron: '0 22 * * *', duration: '8h', timeZone: 'Europe/Berlin' }] as const
    const ladder = [
      { remediator: 'clean', attempts: 2 },
      { remediator: 'restart', attempts: 1, timeout: '5m' },
    ] as const
    const rule = ruleFor(rules([policy({ windows, ladder, coolDown: '1h' })]), full())
    expect(rule).toEqual({
      policy: 'a',
      mode: 'approve',
      ladder: [
        { remediator: clean, options: {}, attempts: 2, timeoutMs: 30_000 },
        { remediator: restart, options: {}, attempts: 1, timeoutMs: 300_000 },
      ],
      windows,
      coolDownMs: 3_600_000,
    })
  })

  test('leaves the timeout to the remediator', () => {
    const rule = ruleFor(rules([policy({ ladder: [{ remediator: 'restart', attempts: 1 }] })]), full())
    expect(rule?.ladder[0]?.timeoutMs).toBe(120_000)
  })

  test.each([
    ['its pool', {}, true],
    ['every node', { selector: { all: true } as const }, true],
    ['another pool', { selector: { pools: ['cpu'] } }, false],
    ['a selector that gives nothing', { selector: {} }, false],
    ['another reason', { match: [{ reason: TABLE }] }, false],
    ['one of two reasons', { match: [{ reason: TABLE }, { reason: DISK }] }, true],
    ['its severity', { match: [{ severity: 'alarm' as const }] }, true],
    ['a milder severity', { match: [{ severity: 'warn' as const }] }, false],
    ['a graver severity', { match: [{ severity: 'error' as const }] }, false],
    ['its reason and another severity', { match: [{ reason: DISK, severity: 'warn' as const }] }, false],
    ['no reason', { match: [] }, false],
  ])('for %s decides: %s', (_, parts, decides) => {
    expect(ruleFor(rules([policy(parts)]), full())?.policy === 'a').toBe(decides)
  })

  test('is the first of those that fit', () => {
    const policies = [policy({ name: 'x', selector: { pools: ['cpu'] } }), policy({ name: 'y' }), policy({ name: 'z' })]
    expect(ruleFor(rules(policies), full())?.policy).toBe('y')
  })

  test('whose ladder cannot mend the reason leaves it to the next', () => {
    const other = policy({ name: 'x', match: [{ severity: 'alarm' }], ladder: [{ remediator: 'grow', attempts: 1 }] })
    expect(ruleFor(rules([other, policy()]), full())?.policy).toBe('a')
  })

  test('has only the rungs that handle the reason', () => {
    const ladder = ['grow', 'restart', 'clean'].map((remediator) => ({ remediator, attempts: 1 }))
    const rule = ruleFor(rules([policy({ match: [{ severity: 'alarm' }], ladder })]), full())
    expect(rule?.ladder.map((rung) => rung.remediator.name)).toEqual(['restart', 'clean'])
  })

  test('of which this agent has no remediator keeps later ones from doing more', () => {
    const elsewhere = policy({ name: 'x', ladder: [{ remediator: 'plugin', attempts: 1 }] })
    expect(ruleFor(rules([elsewhere, policy({ mode: 'auto' })]), full())).toBeUndefined()
  })
})

describe('where no policy fits', () => {
  test('the mode of the remediator counts, which is observe by itself', () => {
    expect(ruleFor(rules([], { clean: { mode: 'approve' } }), full())).toMatchObject({
      policy: 'remediators.clean',
      mode: 'approve',
      ladder: [{ remediator: clean, attempts: 1, timeoutMs: 30_000 }],
      windows: [],
      coolDownMs: 600_000,
    })
    expect(ruleFor(rules([]), full())).toMatchObject({ mode: 'observe' })
  })

  test('those that may go furthest are tried, the mildest first', () => {
    const rule = ruleFor(rules([], { restart: { mode: 'suggest' }, clean: { mode: 'suggest' } }), full())
    expect(rule?.ladder.map((rung) => rung.remediator.name)).toEqual(['clean', 'restart'])
    const one = ruleFor(rules([], { restart: { mode: 'suggest' } }), full())
    expect(one).toMatchObject({ policy: 'remediators.restart', mode: 'suggest', ladder: [{ remediator: restart }] })
  })

  test('nothing is done about what no remediator handles', () => {
    expect(ruleFor(rules([]), full({ reason: 'OomKills' }))).toBeUndefined()
  })
})

test.each<Partial<Finding>>([
  { status: 'ok' },
  { status: 'info' },
  { status: 'unknown' },
  { status: 'not-applicable' },
  { held: 'clearing' },
  { held: 'flapping' },
  { node: 'node-8' },
])('%j falls under no rule', (parts) => {
  const all = [policy({ match: [{ reason: DISK }] })]
  expect(ruleFor(rules(all), full(parts))).toBeUndefined()
  expect(ruleFor(rules([]), full(parts))).toBeUndefined()
})

test('a plugin that may not go alone here waits for a person, whatever the settings were checked with', () => {
  const { byName, ...others } = rules([policy({ mode: 'auto' })])
  const here = { ...clean, reversible: false }
  const changed = new Map([...byName, ['clean', { remediator: here, mode: 'observe' as const, options: {} }]])
  expect(ruleFor({ ...others, byName }, full())?.mode).toBe('auto')
  expect(ruleFor({ ...others, byName: changed }, full())?.mode).toBe('approve')
})
