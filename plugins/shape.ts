/** Is what a plugin exports a detector or a remediator? Written by anyone, so everything the engines rely on is checked here. */
import { z } from 'zod'
import { durationMs, isDuration } from '../common/duration.ts'
import { UsageError } from '../common/errors.ts'
import { keysAt } from '../common/schema-shape.ts'
import { unknownKeyError } from '../common/setting-errors.ts'
import { type Detector, NEEDS, OWN_REASONS, SEVERITIES } from '../detectors/contract.ts'
import type { Remediator } from '../remediators/contract.ts'

const name = z
  .string()
  .max(63)
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'must be lower-case words with dashes between them')
const clause = z.string().min(1).max(160)
const sentence = z.string().min(1).max(500)
const duration = z.string().refine(isDuration, 'write a number and ms, s, m, h or d, as in 30s')
const absolute = z.array(z.string().startsWith('/', 'must be an absolute path'))
const method = z.custom((value) => typeof value === 'function', 'must be a function')
const schema = z.custom<z.ZodType>(
  (value) => typeof value === 'object' && value !== null && 'safeParse' in value && '_zod' in value,
  'must be a zod schema, as z.strictObject({}) of starling/detector',
)

const touches = {
  paths: absolute.optional(),
  filesystems: absolute.optional(),
  commands: absolute.optional(),
  services: z.array(z.string()).optional(),
  peers: z.boolean().optional(),
}

const detectorShape = z.strictObject({
  name,
  version: z.string().max(63).optional(),
  summary: sentence,
  importance: z.enum(['vital', 'usual', 'extra']).optional(),
  every: duration,
  timeout: duration,
  needs: z.array(z.enum(NEEDS)),
  touches: z.strictObject(touches),
  options: schema,
  reasons: z.record(
    z.string().regex(/^([A-Z][a-z0-9]+)+$/, 'must be PascalCase, as DiskAlmostFull'),
    z.strictObject({
      severity: z.enum(SEVERITIES),
      summary: sentence,
      sustain: duration,
      clearAfter: duration.optional(),
      runbook: z.string().max(200),
      supersedes: z.string().optional(),
    }),
  ),
  sample: method,
  judge: method,
})

const remediatorShape = z.strictObject({
  name,
  version: z.string().max(63).optional(),
  summary: sentence,
  handles: z.array(z.string()).min(1),
  reach: z.enum(['none', 'process', 'host', 'workloads', 'machine']),
  risk: z.enum(['low', 'medium', 'dangerous']),
  reversible: z.boolean(),
  loses: clause.optional(),
  touches: z.strictObject({ ...touches, writes: absolute.optional() }),
  timeout: duration.optional(),
  options: schema,
  inspect: method.optional(),
  plan: method,
  apply: method,
  revert: method,
})

/** By what only a detector has; the rest of it can be wrong. */
export function looksLikeDetector(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('sample' in value || 'judge' in value || 'reasons' in value)
}

export function looksLikeRemediator(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('plan' in value || 'apply' in value || 'handles' in value)
}

/** Throws a UsageError that says what is missing or wrong. */
export function checkDetector(value: unknown): Detector {
  const called = check('detector', value, detectorShape)
  const detector = value as Detector
  const own = Object.keys(detector.reasons).find((reason) => OWN_REASONS.some((one) => one === reason))
  if (own !== undefined) throw new UsageError(`${called}: the reason ${own} is the engine's own`)
  if (durationMs(detector.timeout) > durationMs(detector.every)) {
    throw new UsageError(
      `${called}: its timeout of ${detector.timeout} is longer than its interval of ${detector.every}`,
    )
  }
  checkDefaults(called, detector.options)
  return detector
}

/** Throws a UsageError that says what is missing or wrong. */
export function checkRemediator(value: unknown): Remediator {
  const called = check('remediator', value, remediatorShape)
  const remediator = value as Remediator
  if (remediator.reversible && remediator.loses !== undefined) {
    throw new UsageError(`${called}: it is reversible, so it loses nothing`, 'leave loses out')
  }
  checkDefaults(called, remediator.options)
  return remediator
}

/** What to call it in an error. */
function check(kind: string, value: unknown, shape: z.ZodType): string {
  const given = (value as { name?: unknown }).name
  const called = typeof given === 'string' ? `${kind} ${given}` : `a ${kind} without a name`
  const result = shape.safeParse(value)
  if (result.success) return called
  const { issues } = result.error
  // A mistyped key first: what seems to be missing is often what it was meant to be.
  const unknown = issues.find((issue) => issue.code === 'unrecognized_keys')
  if (unknown !== undefined) {
    const place = [called, ...(unknown.path.length > 0 ? [unknown.path.map(String).join('.')] : [])].join(': ')
    throw unknownKeyError(place, unknown.keys[0] ?? '', keysAt(shape, unknown.path))
  }
  const [issue] = issues
  const path = issue?.path.map(String) ?? []
  const there = path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], value)
  const what = there === undefined ? `lacks ${path.join('.')}` : `${path.join('.')} ${issue?.message}`
  throw new UsageError(there === undefined ? `${called} ${what}` : `${called}: ${what}`)
}

function checkDefaults(called: string, options: z.ZodType): void {
  const result = options.safeParse({})
  if (result.success) return
  const path = result.error.issues[0]?.path.join('.') || 'options'
  throw new UsageError(`${called}: ${path} has no default; every option needs one`)
}
