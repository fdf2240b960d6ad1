/**
 * The configuration of a process: defaults from the schema, then the file, then `STARLING_*` variables, then flags.
 * Anything wrong ends in a UsageError that says where it was written, what is wrong, and what was probably meant.
 */
import { existsSync } from 'node:fs'
import type { z } from 'zod'
import { UsageError } from './errors.ts'
import { keysAt, leavesOf, partsOf } from './schema-shape.ts'
import { unknownKeyError } from './setting-errors.ts'
import { readYamlFile, type YamlFile } from './yaml-file.ts'

/** One value given on the command line. `from` is the flag as the person wrote it, such as `--log-level`. */
export interface Flag {
  readonly from: string
  readonly path: readonly string[]
  /** `undefined`: not given. */
  readonly value: unknown
}

export interface ConfigSources {
  readonly file: string
  /** Whether the person named the file. The default file may be missing, a named one may not. */
  readonly fileRequired: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly flags: readonly Flag[]
}

interface Override {
  readonly from: string
  readonly path: readonly string[]
  readonly value: unknown
}

/** The checked configuration. Throws UsageError. Every key of `schema` can be given in the file and in the environment. */
export function loadConfig<T>(schema: z.ZodType<T>, sources: ConfigSources): T {
  const file = sources.fileRequired || existsSync(sources.file) ? readYamlFile(sources.file) : null
  const overrides: Override[] = [
    ...environmentOverrides(schema, sources.env),
    ...sources.flags.filter((flag) => flag.value !== undefined),
  ]
  const written = withEmptyParts(schema, file?.value ?? {})
  const value = overrides.reduce<object>((below, top) => withValueAt(below, top.path, top.value), written)
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw explain(schema, value, result.error, overrides, file, sources.file)
}

/** The variable that sets the value at `path`: `STARLING_STATE_DIR` for `stateDir`, `STARLING_LOG_LEVEL` for `log.level`. */
export function environmentName(path: readonly string[]): string {
  return `STARLING_${path.map((key) => key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()).join('_')}`
}

/**
 * Only variables that name a value of the schema are read; others are let be, since Kubernetes adds
 * `STARLING_AGGREGATOR_SERVICE_HOST` and the like to every pod near a service of that name.
 */
function environmentOverrides(schema: z.ZodType, env: ConfigSources['env']): Override[] {
  return leavesOf(schema).flatMap((leaf) => {
    const from = environmentName(leaf.path)
    const text = env[from]
    return text === undefined || text === '' ? [] : [{ from, path: leaf.path, value: readText(leaf.schema, text) }]
  })
}

/** A variable is always text; it becomes the first of text, number, truth value and comma-separated list that fits. */
function readText(schema: z.ZodType, text: string): unknown {
  const list = text.split(',').map((item) => item.trim())
  const readings = [text, Number(text), text === 'true' ? true : text === 'false' ? false : text, list]
  return readings.find((reading) => schema.safeParse(reading).success) ?? text
}

/**
 * A part that is absent, or a key with nothing after it, is an empty part: what it lacks can then be named. An optional part
 * that is absent stays so.
 */
function withEmptyParts(schema: z.ZodType, value: object): object {
  return partsOf(schema).reduce((below, { path, isOptional }) => {
    const given = valueAt(below, path)
    const isWanted = !isOptional && valueAt(below, path.slice(0, -1)) !== undefined
    return given === null || (given === undefined && isWanted) ? withValueAt(below, path, {}) : below
  }, value)
}

/** A copy, since in YAML one mapping may stand in several places. What is no object on the way is replaced by one. */
function withValueAt(target: object, path: readonly string[], value: unknown): object {
  const [key, ...rest] = path
  if (key === undefined) return target
  const inner = (target as Record<string, unknown>)[key]
  const below = typeof inner === 'object' && inner !== null ? inner : {}
  return { ...target, [key]: rest.length === 0 ? value : withValueAt(below, rest, value) }
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let here = value
  for (const key of path) {
    if (typeof here !== 'object' || here === null) return undefined
    here = (here as Record<PropertyKey, unknown>)[key]
  }
  return here
}

function explain(
  schema: z.ZodType,
  value: object,
  error: z.ZodError,
  overrides: readonly Override[],
  file: YamlFile | null,
  fileName: string,
): UsageError {
  // A mistyped key first: the value that seems to be missing is often the one behind it.
  const issue = error.issues.find((candidate) => candidate.code === 'unrecognized_keys') ?? error.issues[0]
  if (issue === undefined) return new UsageError(`${fileName} is not valid`)
  const keyPath = issue.path.map(String)
  // The last one wins, as it did when the values were laid over each other.
  const override = overrides.findLast((candidate) => candidate.path.every((key, index) => key === keyPath[index]))
  const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined
  const place = override?.from ?? file?.placeOf(issue.path, unknownKey) ?? fileName
  const where = keyPath.length === 0 ? place : `${place}: ${keyPath.join('.')}`
  if (unknownKey !== undefined) return unknownKeyError(where, unknownKey, keysAt(schema, issue.path))
  if (valueAt(value, issue.path) !== undefined) return new UsageError(`${where}: ${issue.message}`)
  return new UsageError(
    `${where} is not set`,
    `set ${keyPath.join('.')} in ${fileName}, or ${environmentName(keyPath)} in the environment`,
  )
}
