/** Turns a failed check of settings into one sentence that names the place, and the word that was probably meant. */
import type { z } from 'zod'
import { UsageError } from './errors.ts'
import { nearest } from './nearest.ts'

/**
 * The first thing wrong with a setting. `where` is the place of the checked value, such as `detectors.conntrack.options`;
 * `example` is a valid value of the same shape, whose keys are offered in place of an unknown one.
 */
export function settingError(where: string, error: z.ZodError, example: unknown): UsageError {
  const issue = error.issues[0]
  if (issue === undefined) return new UsageError(`${where} is not valid`)
  const place = [where, ...issue.path.map(String)].join('.')
  if (issue.code !== 'unrecognized_keys') return new UsageError(`${place}: ${issue.message}`)
  return unknownKeyError(place, issue.keys[0] ?? '', Object.keys(valueAt(example, issue.path) ?? {}))
}

/** `key` at `where` is none of `valid`; the nearest of them is named. */
export function unknownKeyError(where: string, key: string, valid: readonly string[]): UsageError {
  const meant = nearest(key, valid)
  const remedy = meant === undefined ? `valid keys: ${valid.join(', ')}` : `did you mean "${meant}"?`
  return new UsageError(`${where}: unknown key "${key}"`, remedy)
}

function valueAt(value: unknown, path: readonly PropertyKey[]): object | undefined {
  let here: unknown = value
  for (const key of path) {
    if (typeof here !== 'object' || here === null) return undefined
    here = (here as Record<PropertyKey, unknown>)[key]
  }
  return typeof here === 'object' && here !== null ? here : undefined
}
