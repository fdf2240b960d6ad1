/** Checks a settings document against what this build has: a name or an option that nothing would read is an error. */
import { UsageError } from '../common/errors.ts'
import { keysAt } from '../common/schema-shape.ts'
import { unknownKeyError } from '../common/setting-errors.ts'
import type { Detector } from '../detectors/contract.ts'
import { readDetectorOptions } from '../detectors/engine/options.ts'
import type { Remediator } from '../remediators/contract.ts'
import { readRemediatorSettings } from '../remediators/settings.ts'
import { type SettingsDocument, settingsDocument } from './document.ts'

/** What settings can be about. */
export interface Registries {
  readonly detectors: readonly Detector[]
  readonly remediators: readonly Remediator[]
}

/**
 * The document in `value`. Throws UsageError that names `source` (the file, or whatever the value came from), the path
 * of the key, and the nearest valid key to an unknown one.
 */
export function validateSettings(value: unknown, source: string, registries: Registries): SettingsDocument {
  const document = validateShape(value, source)
  readDetectorOptions(registries.detectors, document.detectors ?? {}, `${source}: detectors`)
  readRemediatorSettings(registries.remediators, document.remediators ?? {}, `${source}: remediators`)
  return document
}

/**
 * As validateSettings, but that names are passed over that `registries` lacks, and stay in the document. For settings that
 * an aggregator once took: a plugin that is missing or broken here must not keep all other policy out.
 */
export function validateKnownSettings(value: unknown, source: string, registries: Registries): SettingsDocument {
  const document = validateShape(value, source)
  const detectors = ownSettings(document.detectors, registries.detectors)
  const remediators = ownSettings(document.remediators, registries.remediators)
  validateSettings({ ...document, detectors, remediators }, source, registries)
  return document
}

/** Of settings by name those of `known`. An agent may lack a plugin that the aggregator knows and others have. */
export function ownSettings<T>(
  byName: Readonly<Record<string, T>> | undefined,
  known: readonly { readonly name: string }[],
): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(byName ?? {}).filter(([name]) => known.some((one) => one.name === name)))
}

function validateShape(value: unknown, source: string): SettingsDocument {
  const result = settingsDocument.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  if (issue === undefined) throw new UsageError(`${source} is not valid`)
  const where = [source, issue.path.map(String).join('.')].filter((part) => part !== '').join(': ')
  if (issue.code !== 'unrecognized_keys') throw new UsageError(`${where}: ${issue.message}`)
  throw unknownKeyError(where, issue.keys[0] ?? '', keysAt(settingsDocument, issue.path))
}
