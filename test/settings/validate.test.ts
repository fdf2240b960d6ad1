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
      { remediators: { sysctl: { mode: 'auto' } } },
      'prod.yaml: remediators.sysctl.mode: auto is not available in this version',
    ],
    [
      { remediators: { reboot: { mode: 'observe' } } },
      'prod.yaml: remediators: unknown key "reboot" | valid keys: sysctl',
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
