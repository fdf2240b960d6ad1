/** Configuration of node-problem-detector's monitors, read as that program does: unknown keys are passed over, but said. */
import { z } from 'zod'
import { messageOf, UsageError } from '../../../common/errors.ts'
import { nearest } from '../../../common/nearest.ts'
import { keysAt } from '../../../common/schema-shape.ts'

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}

/** Ms of a duration as Go writes it: `30s`, `1m30s`. */
const goDuration = z
  .string()
  .regex(/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/, 'is no duration, as in 30s or 1m30s')
  .transform((text) =>
    [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|[smh])/g)].reduce(
      (sum, [, figure, unit = '']) => sum + Number(figure) * (UNIT_MS[unit] ?? 0),
      0,
    ),
  )

const condition = z.object({ type: z.string().min(1), reason: z.string().default(''), message: z.string().default('') })
const ruleType = z.enum(['temporary', 'permanent'])
const anything = z.unknown().optional()

export const customSchema = z.object({
  plugin: z.literal('custom'),
  pluginConfig: z
    .object({
      invoke_interval: goDuration.default(30_000),
      timeout: goDuration.default(5_000),
      max_output_length: z.int().optional(),
      concurrency: z.int().optional(),
      enable_message_change_based_condition_update: z.boolean().optional(),
      skip_initial_status: z.boolean().optional(),
    })
    .prefault({}),
  source: z.string().min(1),
  metricsReporting: anything,
  conditions: z.array(condition).default([]),
  rules: z
    .array(
      z.object({
        type: ruleType,
        condition: z.string().optional(),
        reason: z.string().min(1),
        path: z.string().min(1),
        args: z.array(z.string()).nullish(),
        timeout: goDuration.optional(),
        invoke_interval: goDuration.optional(),
      }),
    )
    .min(1),
})

export const logSchema = z.object({
  plugin: z.enum(['kmsg', 'filelog', 'journald']),
  pluginConfig: z.record(z.string(), z.string()).default({}),
  logPath: z.string().optional(),
  lookback: goDuration.optional(),
  delay: goDuration.optional(),
  bufferSize: z.int().optional(),
  skipList: anything,
  source: z.string().min(1),
  metricsReporting: anything,
  conditions: z.array(condition).default([]),
  rules: z
    .array(
      z.object({
        type: ruleType,
        condition: z.string().optional(),
        reason: z.string().min(1),
        pattern: z.string().min(1),
        patternGeneratedMessageSuffix: anything,
      }),
    )
    .min(1),
})

export type CustomConfig = z.infer<typeof customSchema>
export type LogConfig = z.infer<typeof logSchema>
export type NpdCondition = z.infer<typeof condition>

export interface NpdConfig<C> {
  readonly config: C
  /** Keys that the program would pass over, in words. */
  readonly strange: readonly string[]
}

/** Throws a UsageError that names `file` and the place. */
export function parseNpdConfig(text: string, file: string): NpdConfig<CustomConfig | LogConfig> {
  const value = readObject(text, file)
  const { plugin } = value
  const schema = plugin === 'custom' ? customSchema : logSchema
  if (plugin === undefined && ('cpu' in value || 'disk' in value || 'memory' in value || 'metricsConfigs' in value)) {
    throw new UsageError(`${file} is of a system-stats-monitor, which has figures only: there is nothing to find in it`)
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success) {
    throw explain(file, value, schema, parsed.error.issues[0])
  }
  requireConditions(parsed.data, file)
  return { config: parsed.data, strange: strangeKeys(value, schema) }
}

/** What to write where a key is missing; by its name, which means the same wherever it stands but for `type`. */
const REMEDIES: Readonly<Record<string, string>> = {
  source: 'the name of the monitor, as in "source": "kernel-monitor"',
  rules: 'a list of what it looks for, with one rule or more',
  reason: 'a word for what the rule finds, as in "reason": "OOMKilling"',
  path: 'the program that the rule runs, as in "path": "/opt/check_ntp.sh"',
  pattern: 'the regular expression of the lines that the rule looks for',
  type: 'of a rule "temporary" or "permanent", of a condition a word for it, as in "type": "KernelDeadlock"',
}
const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  boolean: 'true or false',
  int: 'a whole number',
}

function explain(file: string, value: unknown, schema: z.ZodType, issue: z.core.$ZodIssue | undefined): UsageError {
  if (issue === undefined) return new UsageError(`${file} is no configuration of a monitor`)
  const place = issue.path.map(String).join('.')
  const key = String(issue.path.at(-1))
  if (place === 'plugin') return new UsageError(`${file}: plugin must be custom, kmsg, filelog or journald`)
  const parent = valueAt(value, issue.path.slice(0, -1))
  const given = valueAt(parent, [key])
  if (given === undefined || given === null || given === '' || (Array.isArray(given) && given.length === 0)) {
    const known = keysAt(schema, issue.path.slice(0, -1), value)
    const strange = Object.keys(parent ?? {}).filter((name) => !known.includes(name))
    const typo = nearest(key, strange)
    const remedy = typo === undefined ? REMEDIES[key] : `is "${typo}" meant to be it?`
    return new UsageError(`${file}: ${place} is ${given === undefined ? 'missing' : 'empty'}`, remedy)
  }
  if (issue.code === 'invalid_value') return new UsageError(`${file}: ${place} must be ${issue.values.join(' or ')}`)
  const kind = issue.code === 'invalid_type' ? KINDS[issue.expected] : undefined
  return new UsageError(`${file}: ${place}${kind === undefined ? `: ${issue.message}` : ` must be ${kind}`}`)
}

function valueAt(value: unknown, path: readonly PropertyKey[]): object | string | null | undefined {
  let here: unknown = value
  for (const key of path) here = (here as Record<PropertyKey, unknown> | null | undefined)?.[key]
  return here as object | string | null | undefined
}

function readObject(text: string, file: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new UsageError(`${file} is no JSON: ${messageOf(error)}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`${file} is no configuration of a monitor`)
  }
  return value as Record<string, unknown>
}

/** As that program does at its start. */
function requireConditions({ conditions, rules }: CustomConfig | LogConfig, file: string): void {
  const types = conditions.map(({ type }) => type)
  for (const [index, { type, condition: wanted = '' }] of rules.entries()) {
    if (type === 'temporary' || types.includes(wanted)) continue
    const meant = nearest(wanted, types)
    const why = wanted === '' ? 'a permanent rule names its condition' : `${wanted} is none of the conditions`
    throw new UsageError(
      `${file}: rules.${index}.condition: ${why}`,
      meant === undefined ? undefined : `did you mean "${meant}"?`,
    )
  }
}

function strangeKeys(value: Record<string, unknown>, schema: typeof customSchema | typeof logSchema): string[] {
  const rules = Array.isArray(value.rules) ? value.rules : []
  const ruleKeys = Object.keys(schema.shape.rules.element.shape)
  return [
    ...strangeIn('', value, Object.keys(schema.shape)),
    ...rules.flatMap((rule, index) => strangeIn(`rules.${index}.`, rule as object, ruleKeys)),
  ]
}

function strangeIn(place: string, value: object, known: readonly string[]): string[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const meant = nearest(key, known)
      return `${place}${key} is no key of it and is passed over${meant === undefined ? '' : `; ${meant} was meant?`}`
    })
}
