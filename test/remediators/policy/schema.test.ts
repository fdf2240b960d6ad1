import { describe, expect, test } from 'vitest'
import { UsageError } from '../../../common/errors.ts'
import type { Severity } from '../../../detectors/contract.ts'
import { checkPolicies, knownPolicies } from '../../../remediators/policy/check.ts'
import { type PoliciesSettings, policiesPart, readPolicies } from '../../../remediators/policy/schema.ts'
import { clean, DISK, grow, remediator, restart, TABLE } from './parts.ts'

const least = { name: 'a', selector: { pools: ['gpu'] }, match: [{ reason: DISK }], ladder: [{ remediator: 'clean' }] }
const most = {
  name: 'at-night',
  selector: { all: true },
  match: [{ reason: DISK, severity: 'alarm' }, { severity: 'error' }],
  mode: 'approve',
  ladder: [
    { remediator: 'clean', attempts: 3, timeout: '2m' },
    { remediator: 'restart', attempts: 1 },
  ],
  windows: [{ cron: '0 22 * * mon-fri', duration: '8h', timeZone: 'Europe/Berlin' }],
  coolDown: '1h',
}

/** Of the first issue: its path and what it says. */
function issueOf(policies: unknown): string {
  const issue = policiesPart.safeParse(policies).error?.issues[0]
  return issue === undefined ? 'none' : `${issue.path.join('.')}: ${issue.message}`
}

describe('policies', () => {
  test('stay as they were written, since they are signed', () => {
    expect(policiesPart.parse([least, most])).toEqual([least, most])
  })

  test('are read with defaults for what they leave out', () => {
    expect(readPolicies(policiesPart.parse([least, most]))).toEqual([
      {
        ...least,
        mode: 'observe',
        ladder: [{ remediator: 'clean', attempts: 1 }],
        windows: [],
        coolDown: '10m',
      },
      most,
    ])
    expect(readPolicies()).toEqual([])
  })

  test.each([
    [{ selector: {} }, '0.selector: fits no node: give roles, pools, zones or nodes, or all: true for every node'],
    [{ selector: { pools: [] } }, '0.selector.pools: Too small: expected array to have >=1 items'],
    [{ selector: { all: false } }, '0.selector.all: must be true, or left out'],
    [{ selector: { all: true, pools: ['gpu'] } }, '0.selector: all stands alone'],
    [{ match: [] }, '0.match: fits no finding: name at least one reason or severity'],
    [{ match: [{}] }, '0.match.0: fits no finding: give a reason or a severity'],
    [{ match: [{ reason: 'disk-full' }] }, '0.match.0.reason: reasons are written as DiskAlmostFull'],
    [{ match: [{ severity: 'info' }] }, '0.match.0.severity: must be warn, alarm or error: nothing is mended for less'],
    [{ mode: 'always' }, '0.mode: must be one of observe, suggest, approve, auto'],
    [{ ladder: [] }, '0.ladder: does nothing: name at least one remediator'],
    [
      { ladder: [{ remediator: 'clean' }, { remediator: 'clean' }] },
      '0.ladder.1.remediator: "clean" is in this ladder already: give it more attempts there',
    ],
    [{ ladder: [{ remediator: 'clean', attempts: 0 }] }, '0.ladder.0.attempts: Too small: expected number to be >=1'],
    [{ ladder: [{ remediator: 'clean', attempts: 11 }] }, '0.ladder.0.attempts: Too big: expected number to be <=10'],
    [{ ladder: [{ remediator: 'clean', timeout: '2h' }] }, '0.ladder.0.timeout: must lie between 1s and 1h'],
    [{ ladder: [{ remediator: 'clean', timeout: '2 h' }] }, '0.ladder.0.timeout: must be a duration, as in 10m'],
    [{ coolDown: '10s' }, '0.coolDown: must lie between 1m and 7d'],
    [{ windows: [] }, '0.windows: never opens: name at least one window, or leave windows out for any time'],
    [{ name: 'At night' }, '0.name: names are lower-case letters, digits and dashes'],
  ])('with %j are refused: %s', (parts, said) => {
    expect(issueOf([{ ...least, ...parts }])).toBe(said)
  })

  test.each([
    [{ cron: '0 22 * *' }, 'cron: must be five fields, minute, hour, day of month, month, day of week, and not 4'],
    [{ cron: '0 0 22 * * *' }, 'cron: must be five fields, minute, hour, day of month, month, day of week, and not 6'],
    [{ cron: '60 22 * * *' }, 'cron: 60 is an invalid expression for minute'],
    [{ cron: '0 22 * * tues' }, 'cron: tues is an invalid expression for week day'],
    [{ cron: '0 22 30 2 *' }, 'cron: 30 2 is an impossible day of month for the given month'],
    [{ cron: '0 22 L-30 2 *' }, 'cron: never opens: there is no such day'],
    [
      { cron: '0 22 * * *; reboot' },
      'cron: must be five fields, minute, hour, day of month, month, day of week, and not 6',
    ],
    [{ cron: '0-999999999999 * * * *' }, 'cron: 999999999999 is too large for any field'],
    [{ cron: `0${',1'.repeat(50)} * * * *` }, 'cron: Too big: expected string to have <=100 characters'],
    [{ timeZone: 'Europe/Berln' }, 'timeZone: unknown time zone "Europe/Berln", did you mean "Europe/Berlin"?'],
    [{ timeZone: 'here' }, 'timeZone: unknown time zone "here", as in Europe/Berlin or UTC'],
    [{ timeZone: '+01:00' }, 'timeZone: unknown time zone "+01:00", as in Europe/Berlin or UTC'],
    [{ duration: '30s' }, 'duration: must lie between 1m and 7d'],
    [{ duration: '25h' }, 'none'],
  ])('with a window of %j are refused: %s', (parts, said) => {
    const window = { cron: '0 22 * * *', duration: '8h', timeZone: 'UTC', ...parts }
    expect(issueOf([{ ...least, windows: [window] }]).replace('0.windows.0.', '')).toBe(said)
  })

  test('of one name are refused', () => {
    expect(issueOf([least, most, least])).toBe('2.name: "a" is the name of another policy')
  })
})

const oneWay = remediator('one-way', [DISK], { reversible: false })
const heavy = remediator('heavy', [DISK], { risk: 'dangerous' })
const drain = remediator('drain', [DISK], { reach: 'workloads' })
const words = {
  remediators: [clean, restart, grow, oneWay, heavy, drain],
  reasons: new Map<string, Severity>([
    [DISK, 'alarm'],
    [TABLE, 'alarm'],
    ['KernelOld', 'info'],
    ['OomKills', 'warn'],
  ]),
}

function problemOf(parts: object): string {
  try {
    checkPolicies([{ ...least, ...parts }] as PoliciesSettings, words, 'policies')
  } catch (error) {
    if (error instanceof UsageError) return [error.message, error.remedy].filter(Boolean).join(' | ')
    throw error
  }
  return 'none'
}

describe('what policies name', () => {
  test.each([
    [{}, 'none'],
    [{ mode: 'auto', ladder: [{ remediator: 'clean' }, { remediator: 'restart' }] }, 'none'],
    [{ match: [{ severity: 'warn' }] }, 'none'],
    [
      { ladder: [{ remediator: 'clen' }] },
      'policies.0.ladder.0.remediator: unknown remediator "clen" | did you mean "clean"?',
    ],
    [
      { ladder: [{ remediator: 'reboot-the-node' }] },
      'policies.0.ladder.0.remediator: unknown remediator "reboot-the-node" | there are: clean, restart, grow, one-way, heavy, drain',
    ],
    [
      { match: [{ reason: 'DiskAlmostFul' }] },
      'policies.0.match.0.reason: unknown reason "DiskAlmostFul" | did you mean "DiskAlmostFull"?',
    ],
    [
      { match: [{ reason: DISK }, { reason: DISK, severity: 'warn' }] },
      'policies.0.match.1: DiskAlmostFull is alarm, never warn | leave severity out',
    ],
    [{ match: [{ reason: 'KernelOld' }] }, 'policies.0.match.0: KernelOld is info, and nothing is mended for that'],
    [
      { match: [{ reason: DISK }, { reason: TABLE }] },
      'policies.0.match.1: none of the ladder handles ConntrackAlmostFull | these do: restart, grow',
    ],
    [
      { match: [{ reason: 'OomKills' }] },
      'policies.0.match.0: none of the ladder handles OomKills | no remediator does',
    ],
    [
      { ladder: [{ remediator: 'clean' }, { remediator: 'grow' }] },
      'policies.0.ladder.1: grow handles nothing that this policy matches | it handles ConntrackAlmostFull',
    ],
    [
      { mode: 'auto', ladder: [{ remediator: 'clean' }, { remediator: 'one-way' }] },
      'policies.0.mode: auto is not for one-way: what it does cannot be undone | write mode: approve',
    ],
    [
      { mode: 'auto', ladder: [{ remediator: 'heavy' }] },
      'policies.0.mode: auto is not for heavy: it is dangerous | write mode: approve',
    ],
    [
      { mode: 'auto', ladder: [{ remediator: 'drain' }] },
      'policies.0.mode: auto is not for drain: it reaches the workloads of the node | write mode: approve',
    ],
    [{ mode: 'approve', ladder: [{ remediator: 'heavy' }, { remediator: 'drain' }] }, 'none'],
  ])('%j: %s', (parts, said) => {
    expect(problemOf(parts)).toBe(said)
  })

  test('and is not known here is passed over where others have checked it', () => {
    const policies = policiesPart.parse([
      least,
      { ...least, name: 'b', ladder: [{ remediator: 'clean' }, { remediator: 'plugin' }] },
      { ...least, name: 'c', match: [{ reason: DISK }, { reason: 'JobQueueLong' }] },
    ])
    expect(knownPolicies(policies, words).map(({ name }) => name)).toEqual(['a'])
  })
})
