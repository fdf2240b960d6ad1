import { describe, expect, it, test } from 'vitest'
import { builtinDetectors } from '../../../detectors/index.ts'
import { DEFAULT_PROFILE } from '../../../inspection/default-profile.ts'
import { INSPECTED_ROLES } from '../../../inspection/model.ts'
import { inspectionPart, profileNamed, profilesOf, requireKnown } from '../../../inspection/profile.ts'
import { detectorsOf } from '../../../inspection/profile-model.ts'
import { validateKnownSettings, validateSettings } from '../../../settings/validate.ts'

const known = builtinDetectors.map(({ name }) => name)
const registries = { detectors: builtinDetectors, remediators: [] }
const withChecks = (...checks: readonly object[]) => ({
  version: 1,
  mesh: 'm',
  inspection: { profiles: [{ name: 'night', roles: [{ role: 'etcd', checks }] }] },
})

test('the default profile has the four roles and every detector that ships, and is a valid setting itself', () => {
  expect(DEFAULT_PROFILE.roles.map(({ role }) => role)).toEqual(INSPECTED_ROLES)
  const named = DEFAULT_PROFILE.roles.flatMap(({ checks }) => checks.flatMap(detectorsOf))
  expect([...new Set(named)].sort()).toEqual([...known].sort())
  expect(inspectionPart.parse({ profiles: [DEFAULT_PROFILE] })).toEqual({ profiles: [DEFAULT_PROFILE] })
})

test('a profile of the settings stands beside the default one, or in its place', () => {
  const night = { name: 'night', roles: DEFAULT_PROFILE.roles.slice(0, 1) }
  expect(profilesOf({ profiles: [night] } as never).map(({ name }) => name)).toEqual(['default', 'night'])
  expect(profilesOf({ profiles: [{ ...night, name: 'default' }] } as never)[0]?.roles).toHaveLength(1)
  expect(profileNamed('default')).toBe(DEFAULT_PROFILE)
})

describe('settings', () => {
  it('are signed as they were given: nothing is filled in', () => {
    const given = withChecks({
      check: 'disks',
      detectors: ['disk-usage'],
      title: { en: 'a', zh: '甲' },
      wanted: '< 80 %',
    })
    expect(validateSettings(given, 'file', registries)).toEqual(given)
  })

  it.each([
    [[{ check: 'disk-usag' }], 'etcd: there is no detector "disk-usag"'],
    [[{ check: 'load' }, { check: 'load' }], 'the same check is there twice'],
    [[], 'Too small'],
    [[{ check: 'load', titel: 'x' }], 'titel'],
    [[{ check: 'load', title: { en: 'only' } }], 'must be a text, or one each in en and zh'],
    [[{ check: 'Load' }], 'lower-case'],
  ])('are refused with %j', (checks, message) => {
    expect(() => validateSettings(withChecks(...checks), 'file', registries)).toThrow(message)
  })

  it('that were taken once keep a check whose plugin is missing', () => {
    const given = withChecks({ check: 'my-plugin' })
    expect(validateKnownSettings(given, 'file', registries)).toEqual(given)
  })
})

test('a role or check that there is not is said with the one that was meant', () => {
  expect(() => profileNamed('defualt')).toThrow('there is no profile "defualt"')
  expect(() => requireKnown(DEFAULT_PROFILE, { roles: ['computer'] })).toThrow('there is no role "computer"')
  expect(() => requireKnown(DEFAULT_PROFILE, { checks: ['conntrak'] })).toThrow('there is no check "conntrak"')
  expect(() => requireKnown(DEFAULT_PROFILE, { roles: ['compute'], checks: ['etcd-health'] })).toThrow('no check')
  requireKnown(DEFAULT_PROFILE, { roles: ['etcd'], checks: ['etcd-health'] })
})
