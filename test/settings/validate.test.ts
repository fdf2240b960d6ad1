import { describe, expect, test } from 'vitest'
import { UsageError } from '../../common/errors.ts'
import { builtinDetectors } from '../../detectors/index.ts'
import { builtinRemediators } from '../../remediators/index.ts'
import { validateKnownSettings, validateSettings } from '../../settings/validate.ts'
import { sampleDocument } from './sample.ts'

const registries = { detectors: builtinDetectors, remediators: builtinRemediators }

function problemOf(value: unknown): string {
  try {
    validateSettings(value, 'prod.yaml', registries)
  } catch (error) {
    if (error instanceof UsageError) return [error.message, error.remedy].filter(Boolean).join(' | ')
    throw error
  }
  return 'none'
}

describe('a settings document', () => {
  test('comes back as it is when everything in it exists', () => {
    expect(validateSettings(sampleDocument(), 'prod.yaml', registries)).toEqual(sampleDocument())
    expect(validateSettings({ version: 1, mesh: 'a' }, 'prod.yaml', registries)).toEqual({ version: 1, mesh: 'a' })
  })

  test.each([
    [{ detector: {} }, 'prod.yaml: unknown key "detector" | did you mean "detectors"?'],
    [{ version: 0 }, 'prod.yaml: version: Too small: expected number to be >=1'],
    [{ detectors: { conntrak: {} } }, 'prod.yaml: detectors: unknown key "conntrak" | did you mean "conntrack"?'],
    [
      { detectors: { 'clock-skew': { evry: '1s' } } },
      'prod.yaml: detectors.clock-skew: unknown key "evry" | did you mean "every"?',
    ],
    [
      { detectors: { conntrack: { options: { warnRatoi: 0.5 } } } },
      'prod.yaml: detectors.conntrack.options: unknown key "warnRatoi" | did you mean "warnRatio"?',
    ],
    [
      { detectors: { conntrack: { options: { warnRatio: 1.1 } } } },
      'prod.yaml: detectors.conntrack.options.warnRatio: Too big: expected number to be <=1',
    ],
    [
      { detectors: { conntrack: { every: '10ms' } } },
      'prod.yaml: detectors.conntrack.every: must lie between 1s and 1d',
    ],
    [
      { remediators: { sysctl: { mode: 'always' } } },
      'prod.yaml: remediators.sysctl.mode: must be one of observe, suggest, approve, auto',
    ],
    [
      { remediators: { reboot: { mode: 'observe' } } },
      `prod.yaml: remediators: unknown key "reboot" | valid keys: ${builtinRemediators.map(({ name }) => name).join(', ')}`,
    ],
  ])('with %j is refused: %s', (change, problem) => {
    expect(problemOf({ ...sampleDocument(), ...change })).toBe(problem)
  })
})

describe('settings of plugins that are not here', () => {
  const elsewhere = { version: 1, mesh: 'a', detectors: { 'job-queue': { options: { limit: 1 } } } }

  test('are refused where they are written', () => {
    expect(() => validateSettings(elsewhere, 'prod.yaml', registries)).toThrow('unknown key "job-queue"')
  })

  test('are passed over where others have taken them, and kept', () => {
    expect(validateKnownSettings(elsewhere, 'version 1', registries)).toEqual(elsewhere)
  })

  test('do not hide what is wrong with those that are', () => {
    const wrong = { ...elsewhere, detectors: { ...elsewhere.detectors, conntrack: { evry: '1s' } } }
    expect(() => validateKnownSettings(wrong, 'version 1', registries)).toThrow('unknown key "evry"')
  })
})

describe('policies', () => {
  const policy = {
    name: 'params',
    selector: { all: true },
    match: [{ reason: 'KernelParamDiffers' }],
    ladder: [{ remediator: 'sysctl' }],
  }
  const withPolicy = (parts: object) => ({ ...sampleDocument(), policies: [{ ...policy, ...parts }] })

  test('are fine when everything in them exists, and stay as they are', () => {
    const document = withPolicy({ mode: 'auto' })
    expect(validateSettings(document, 'prod.yaml', registries)).toEqual(document)
  })

  test.each([
    [{ ladders: [] }, 'prod.yaml: policies.0: unknown key "ladders" | did you mean "ladder"?'],
    [{ selector: { pool: ['a'] } }, 'prod.yaml: policies.0.selector: unknown key "pool" | did you mean "pools"?'],
    [
      { windows: [{ cron: '0 9 * * *', duration: '8h', timezone: 'UTC' }] },
      'prod.yaml: policies.0.windows.0: unknown key "timezone" | did you mean "timeZone"?',
    ],
    [
      { ladder: [{ remediator: 'sysctls' }] },
      'prod.yaml: policies.0.ladder.0.remediator: unknown remediator "sysctls" | did you mean "sysctl"?',
    ],
    [
      { match: [{ reason: 'KernelParamsDiffer' }] },
      'prod.yaml: policies.0.match.0.reason: unknown reason "KernelParamsDiffer" | did you mean "KernelParamDiffers"?',
    ],
  ])('with %j are refused: %s', (parts, said) => {
    expect(problemOf(withPolicy(parts))).toBe(said)
  })

  test('about plugins that are not here are passed over where others have taken them, and kept', () => {
    const document = withPolicy({ ladder: [{ remediator: 'sysctl' }, { remediator: 'plugin' }] })
    expect(problemOf(document)).toContain('unknown remediator "plugin"')
    expect(validateKnownSettings(document, 'version 1', registries)).toEqual(document)
  })
})

test.each([
  [{ budget: {} }, 'prod.yaml: guards: unknown key "budget" | did you mean "budgets"?'],
  [{ budgets: { pools: {} } }, 'prod.yaml: guards.budgets: unknown key "pools" | did you mean "pool"?'],
  [{ coolDown: '2d' }, 'prod.yaml: guards.coolDown: must be 0s to 1d'],
])('guards of %j are refused: %s', (guards, said) => {
  expect(problemOf({ ...sampleDocument(), guards })).toBe(said)
})

describe('overrides', () => {
  const detectors = { conntrack: { options: { warnRatio: 0.7, alarmRatio: 0.9 } } }
  const over = (selector: object, said: object) => ({ selector, detectors: { conntrack: said } })
  const problem = (...overrides: object[]) => problemOf({ ...sampleDocument(), detectors, overrides })

  test('are fine when everything in them exists, and what they make together is valid', () => {
    expect(problem(over({ pools: ['gpu'] }, { options: { warnRatio: 0.8 } }), over({}, { enabled: false }))).toBe(
      'none',
    )
  })

  test.each([
    [over({ pool: ['gpu'] }, {}), 'prod.yaml: overrides.0.selector: unknown key "pool" | did you mean "pools"?'],
    [over({ pools: [] }, {}), 'prod.yaml: overrides.0.selector.pools: Too small: expected array to have >=1 items'],
    [
      { selector: { zones: ['a'] }, detectors: { conntrak: {} } },
      'prod.yaml: overrides.0.detectors: unknown key "conntrak" | did you mean "conntrack"?',
    ],
    [
      over({ zones: ['a'] }, { options: { warnRatoi: 0.5 } }),
      'prod.yaml: overrides.0.detectors.conntrack.options: unknown key "warnRatoi" | did you mean "warnRatio"?',
    ],
    [
      over({ zones: ['a'] }, { every: '1ms' }),
      'prod.yaml: overrides.0.detectors.conntrack.every: must lie between 1s and 1d',
    ],
    [
      { selector: { zones: ['a'] }, remediators: { sysctl: { mode: 'always' } } },
      'prod.yaml: overrides.0.remediators.sysctl.mode: must be one of observe, suggest, approve, auto',
    ],
  ])('%j are refused: %s', (override, said) => {
    expect(problem(override)).toBe(said)
  })

  test('that are right alone and wrong together are refused where a node could have both', () => {
    const high = { options: { warnRatio: 0.85 } }
    const low = { options: { alarmRatio: 0.8 } }
    expect(problem(over({ pools: ['a'] }, high), over({ pools: ['b'] }, low))).toBe('none')
    expect(problem(over({ pools: ['a'] }, high), over({ zones: ['b'] }, low))).toMatch(
      /^prod\.yaml: overrides\.1 \(on nodes of overrides\.0, too\)\.detectors\.conntrack\.options/,
    )
  })

  test('that could meet in too many ways are refused', () => {
    const roles = Array.from({ length: 11 }, (_, index) => over({ roles: [`role-${index}`] }, { every: '1m' }))
    expect(problem(...roles)).toContain('more than 1024 combinations of overrides about conntrack')
  })
})
