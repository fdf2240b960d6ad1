/**
 * What is inspected: which roles, in which order, by which checks. Profiles are part of the settings document; the mesh has
 * one of its own until they say otherwise.
 */
import { z } from 'zod'
import { UsageError } from '../common/errors.ts'
import { nearest } from '../common/nearest.ts'
import { DEFAULT_PROFILE } from './default-profile.ts'
import { detectorsOf, type InspectionProfile, type Selection } from './profile-model.ts'

const PROFILES_MAX = 20
const ROLES_MAX = 20
const CHECKS_MAX = 100
const DETECTORS_MAX = 100
const TITLE_CHARS_MAX = 100

const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'names are lower-case letters, digits and dashes')
const words = z.string().trim().min(1).max(TITLE_CHARS_MAX)
const title = z.union([words, z.strictObject({ en: words, zh: words })], 'must be a text, or one each in en and zh')
const others = z.literal('others')

/** A list whose entries differ in `key`. */
const distinct = <T extends z.ZodType, K extends keyof z.infer<T> & string>(entry: T, max: number, key: K) =>
  z
    .array(entry)
    .min(1)
    .max(max)
    .refine(
      (list) => new Set(list.map((one) => (one as z.infer<T>)[key])).size === list.length,
      `the same ${key} is there twice`,
    )

const check = z.strictObject({
  check: name,
  detectors: z.union([z.array(name).min(1).max(DETECTORS_MAX), others]).exactOptional(),
  title: title.exactOptional(),
  wanted: words.exactOptional(),
})

const role = z.strictObject({
  role: name,
  of: z.union([z.array(z.string().min(1).max(253)).min(1).max(ROLES_MAX), others]).exactOptional(),
  withoutRole: z.boolean().exactOptional(),
  title: title.exactOptional(),
  checks: distinct(check, CHECKS_MAX, 'check'),
})

/** The `inspection` part of the settings, without defaults, as the document that it is part of. */
export const inspectionPart = z.strictObject({
  profiles: distinct(z.strictObject({ name, roles: distinct(role, ROLES_MAX, 'role') }), PROFILES_MAX, 'name'),
})

export type InspectionSettings = z.infer<typeof inspectionPart>

/** Those there are: the mesh's own, unless one of the settings has its name, and those of the settings. */
export function profilesOf(settings?: InspectionSettings): readonly InspectionProfile[] {
  const given: readonly InspectionProfile[] = settings?.profiles ?? []
  return given.some((one) => one.name === DEFAULT_PROFILE.name) ? given : [DEFAULT_PROFILE, ...given]
}

/** Throws UsageError for a name that none has. */
export function profileNamed(name: string, settings?: InspectionSettings): InspectionProfile {
  return found(profilesOf(settings), name, 'profile', (one) => one.name)
}

/** Throws UsageError for a role that the profile has not, and for a check that none of these roles has. */
export function requireKnown({ roles }: InspectionProfile, selection: Selection): void {
  for (const role of selection.roles ?? []) found(roles, role, 'role', (one) => one.role)
  const selected = roles.filter(({ role }) => selection.roles?.includes(role) ?? true)
  const checks = selected.flatMap((one) => one.checks)
  for (const check of selection.checks ?? []) found(checks, check, 'check', (one) => one.check)
}

/** Throws UsageError for a detector that nothing has: its check would be unknown for ever. */
export function requireDetectors(settings: InspectionSettings, known: readonly string[], where: string): void {
  for (const [index, { roles }] of settings.profiles.entries()) {
    for (const { role, checks } of roles) {
      for (const detector of checks.flatMap(detectorsOf)) {
        if (!known.includes(detector))
          throw unknown(detector, 'detector', known, `${where}.profiles.${index}: ${role}: `)
      }
    }
  }
}

function found<T>(all: readonly T[], wanted: string, what: string, nameOf: (one: T) => string): T {
  const one = all.find((each) => nameOf(each) === wanted)
  if (one !== undefined) return one
  throw unknown(wanted, what, [...new Set(all.map(nameOf))], '')
}

function unknown(wanted: string, what: string, names: readonly string[], where: string): UsageError {
  const meant = nearest(wanted, names)
  const remedy = meant === undefined ? `there are: ${names.join(', ')}` : `did you mean "${meant}"?`
  return new UsageError(`${where}there is no ${what} "${wanted}"`, remedy)
}
