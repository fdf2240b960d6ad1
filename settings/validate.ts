/** Checks a settings document against what this build has: a name or an option that nothing would read is an error. */
import { UsageError } from '../common/errors.ts'
import { keysAt } from '../common/schema-shape.ts'
import { unknownKeyError } from '../common/setting-errors.ts'
import type { Detector, Severity } from '../detectors/contract.ts'
import { readDetectorOptions } from '../detectors/engine/options.ts'
import { requireDetectors } from '../inspection/profile.ts'
import type { Remediator } from '../remediators/contract.ts'
import { checkPolicies, knownPolicies, type PolicyWords } from '../remediators/policy/check.ts'
import { readRemediatorSettings } from '../remediators/settings.ts'
import { combinations } from './combinations.ts'
import { type SettingsDocument, settingsDocument } from './document.ts'
import { merged, type Said } from './overrides.ts'

/** What settings can be about. */
export interface Registries {
  readonly detectors: readonly Detector[]
  readonly remediators: readonly Remediator[]
}

/** Of overrides about one detector, that may come together on a node: a few milliseconds to check. */
const COMBINATIONS_MAX = 1_024

/**
 * The document in `value`. Throws UsageError that names `source` (the file, or whatever the value came from), the path
 * of the key, and the nearest valid key to an unknown one. Also what overrides make of it together must be valid, on any
 * node that there could be.
 */
export function validateSettings(value: unknown, source: string, registries: Registries): SettingsDocument {
  const document = validateShape(value, source)
  validatePart('detectors', document, source, registries.detectors, readDetectorOptions)
  validatePart('remediators', document, source, registries.remediators, readRemediatorSettings)
  checkPolicies(document.policies ?? [], wordsOf(registries), `${source}: policies`)
  const names = registries.detectors.map(({ name }) => name)
  if (document.inspection !== undefined) requireDetectors(document.inspection, names, `${source}: inspection`)
  return document
}

/**
 * As validateSettings, but that names are passed over that `registries` lacks, and stay in the document. For settings that
 * an aggregator once took: a plugin that is missing or broken here must not keep all other policy out.
 */
export function validateKnownSettings(value: unknown, source: string, registries: Registries): SettingsDocument {
  const document = validateShape(value, source)
  const own = <P extends Pick<SettingsDocument, 'detectors' | 'remediators'>>(part: P): P => ({
    ...part,
    detectors: ownSettings(part.detectors, registries.detectors),
    remediators: ownSettings(part.remediators, registries.remediators),
  })
  const policies = knownPolicies(document.policies ?? [], wordsOf(registries))
  // A check of a detector that is not known here is unknown, and does no harm.
  const { inspection: _, ...rest } = document
  const known = { ...own(rest), overrides: (document.overrides ?? []).map(own), policies }
  validateSettings(known, source, registries)
  return document
}

/** Of settings by name those of `known`. An agent may lack a plugin that the aggregator knows and others have. */
export function ownSettings<T>(
  byName: Readonly<Record<string, T>> | undefined,
  known: readonly { readonly name: string }[],
): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(byName ?? {}).filter(([name]) => known.some((one) => one.name === name)))
}

function wordsOf({ detectors, remediators }: Registries): PolicyWords {
  const reasons = detectors.flatMap((one) => Object.entries(one.reasons) as [string, { severity: Severity }][])
  return { remediators, reasons: new Map(reasons.map(([reason, { severity }]) => [reason, severity])) }
}

function validatePart<T extends { readonly name: string }>(
  key: 'detectors' | 'remediators',
  document: SettingsDocument,
  source: string,
  known: readonly T[],
  read: (known: readonly T[], said: Said, where: string) => unknown,
): void {
  const base: Said = document[key] ?? {}
  read(known, base, `${source}: ${key}`)
  const overrides = (document.overrides ?? []).map((override, index) => ({ index, ...override }))
  for (const { index, [key]: said = {} } of overrides) {
    const place = `${source}: overrides.${index}`
    const unknown = Object.keys(said).find((name) => !known.some((one) => one.name === name))
    if (unknown !== undefined)
      throw unknownKeyError(
        `${place}.${key}`,
        unknown,
        known.map(({ name }) => name),
      )
  }
  for (const one of known) {
    const parts = overrides.flatMap((override) => {
      const said = (override[key] as Said | undefined)?.[one.name]
      return said === undefined ? [] : [{ ...override, said }]
    })
    const sets = combinations(parts, COMBINATIONS_MAX)
    if (sets === undefined) {
      const many = `more than ${COMBINATIONS_MAX} combinations of overrides about ${one.name} could meet on a node`
      throw new UsageError(`${source}: overrides: ${many}`, 'give them selectors that exclude each other, as pools')
    }
    for (const set of sets) {
      const said = set.reduce((below, part) => merged(below, part.said), base[one.name] ?? {})
      read([one], { [one.name]: said }, `${source}: ${placeOf(set.map(({ index }) => index))}.${key}`)
    }
  }
}

/** The last of them is where the mistake shows; it may take the others to make it one. */
function placeOf(indices: readonly number[]): string {
  const others = indices.slice(0, -1)
  const last = `overrides.${indices.at(-1)}`
  return others.length === 0 ? last : `${last} (on nodes of overrides.${others.join(' and ')}, too)`
}

function validateShape(value: unknown, source: string): SettingsDocument {
  const result = settingsDocument.safeParse(value)
  if (result.success) return result.data
  const { issues } = result.error
  // A mistyped key also makes the right one missing, which would be said first.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]
  if (issue === undefined) throw new UsageError(`${source} is not valid`)
  const where = [source, issue.path.map(String).join('.')].filter((part) => part !== '').join(': ')
  if (issue.code !== 'unrecognized_keys') throw new UsageError(`${where}: ${issue.message}`)
  throw unknownKeyError(where, issue.keys[0] ?? '', keysAt(settingsDocument, issue.path))
}
