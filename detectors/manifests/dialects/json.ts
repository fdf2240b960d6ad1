/**
 * Our own dialect: exit code 0, and on stdout one result or a list of them as JSON:
 * `{"status": "problem", "reason": "FanStopped", "cause": "fan2", "message": "fan 2 stands still", "metrics": {"rpm": 0}}`.
 */
import { z } from 'zod'
import { messageOf } from '../../../common/errors.ts'
import { keysAt } from '../../../common/schema-shape.ts'
import { unknownKeyError } from '../../../common/setting-errors.ts'
import { complaint, type PluginOutput, type PluginResult, printable, requireWhole } from '../result.ts'

const RESULTS_MAX = 1_000

const fact = z.union([z.number(), z.string()])
const resultSchema = z.strictObject({
  status: z.enum(['ok', 'problem', 'unknown']),
  /** Of the manifest's reasons; with `problem`. */
  reason: z.string().min(1).exactOptional(),
  cause: z.string().default(''),
  message: z.string().default(''),
  /** Figures by name, without a unit. */
  metrics: z.record(z.string(), z.number()).default({}),
  evidence: z
    .array(z.strictObject({ name: z.string(), value: fact, limit: fact.exactOptional(), unit: z.string().default('') }))
    .default([]),
})
const outputSchema = z.array(resultSchema).max(RESULTS_MAX)

type Result = z.infer<typeof resultSchema>

export function parseJson(output: PluginOutput): readonly PluginResult[] {
  if (requireWhole(output) !== 0) throw new Error(complaint(output))
  const results = read(output.stdout)
  const unknown = results.find(({ status }) => status === 'unknown')
  if (unknown !== undefined) throw new Error(printable(unknown.message) || 'it says that it does not know')
  return results.map(resultOf)
}

function resultOf({ status, reason, cause, message, metrics, evidence }: Result): PluginResult {
  if (status === 'problem' && reason === undefined) throw new Error('a problem in its answer has no reason')
  const figures = Object.entries(metrics).map(([name, value]) => ({ name, value, unit: '' }))
  return {
    state: status === 'ok' ? 'ok' : (reason ?? ''),
    cause: printable(cause),
    message: printable(message) || `${reason ?? 'fine'}`,
    evidence: [...evidence, ...figures],
  }
}

function read(stdout: string): readonly Result[] {
  let value: unknown
  try {
    value = JSON.parse(stdout)
  } catch (error) {
    const what = stdout.trim() === '' ? 'it said nothing' : `its answer is no JSON: ${messageOf(error)}`
    throw new Error(printable(what).slice(0, 200))
  }
  const list = Array.isArray(value) ? value : [value]
  const parsed = outputSchema.safeParse(list)
  if (parsed.success) return parsed.data
  throw explain(list)
}

/** By the first wrong result: with one result alone its place is not a number. */
function explain(list: readonly unknown[]): Error {
  if (list.length > RESULTS_MAX) return new Error(`its answer has over ${RESULTS_MAX} results`)
  for (const [index, item] of list.entries()) {
    const issue = resultSchema.safeParse(item).error?.issues[0]
    if (issue === undefined) continue
    const place = ['its answer', ...(list.length > 1 ? [String(index)] : []), ...issue.path.map(String)].join('.')
    if (issue.code !== 'unrecognized_keys') return new Error(printable(`${place}: ${issue.message}`))
    const { message, remedy } = unknownKeyError(place, issue.keys[0] ?? '', keysAt(resultSchema, issue.path))
    return new Error(printable(`${message}; ${remedy}`))
  }
  return new Error('its answer is not of the form')
}
