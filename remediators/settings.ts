/** What settings may say about remediators, checked against the remediators there are. */
import { z } from 'zod'
import { UsageError } from '../common/errors.ts'
import { settingError, unknownKeyError } from '../common/setting-errors.ts'
import { MODES, type Mode, type Remediator } from './contract.ts'

/** Settings by remediator name. What is left out stays at mode observe and the remediator's own defaults. */
export type RemediatorSettings = Readonly<Record<string, { readonly mode?: Mode; readonly options?: unknown }>>

/** A remediator and how it is to be used. */
export interface RemediatorSetting {
  readonly remediator: Remediator
  /** Where no policy says otherwise. */
  readonly mode: Mode
  readonly options: unknown
}

const entrySchema = z.strictObject({
  mode: z.enum(MODES, `must be one of ${MODES.join(', ')}`).optional(),
  options: z.unknown().optional(),
})
const entryExample = { mode: 'observe', options: {} }

/**
 * One for each remediator, by name. Throws a UsageError that names the place and, for an unknown name, the nearest valid
 * one; `where` is what the place is called in the document, such as `remediators`.
 */
export function readRemediatorSettings(
  remediators: readonly Remediator[],
  settings: unknown,
  where = 'remediators',
): ReadonlyMap<string, RemediatorSetting> {
  const entries = z.record(z.string(), z.unknown()).safeParse(settings)
  if (!entries.success) throw new UsageError(`${where} must map names of remediators to their settings`)
  const names = remediators.map((remediator) => remediator.name)
  for (const name of Object.keys(entries.data)) {
    if (!names.includes(name)) throw unknownKeyError(where, name, names)
  }
  return new Map(
    remediators.map((remediator) => [
      remediator.name,
      readRule(remediator, entries.data[remediator.name] ?? {}, where),
    ]),
  )
}

function readRule(remediator: Remediator, entry: unknown, where: string): RemediatorSetting {
  const place = `${where}.${remediator.name}`
  const parsed = entrySchema.safeParse(entry)
  if (!parsed.success) throw settingError(place, parsed.error, entryExample)
  const options = remediator.options.safeParse(parsed.data.options ?? {})
  if (!options.success) throw settingError(`${place}.options`, options.error, remediator.options.parse({}))
  const { mode = 'observe' } = parsed.data
  const why = mode === 'auto' ? whyNotAuto(remediator) : undefined
  if (why !== undefined) throw new UsageError(`${place}.mode: auto is not for ${remediator.name}: ${why}`, AUTO_REMEDY)
  return { remediator, mode, options: options.data }
}

/** What to write where auto is refused. */
export const AUTO_REMEDY = 'write mode: approve'

/** Why nothing of this remediator's may be done without a person; undefined when it may. */
export function whyNotAuto({ reversible, loses, risk, reach }: Remediator): string | undefined {
  if (!reversible && loses === undefined) return 'what it does cannot be undone'
  if (risk === 'dangerous') return 'it is dangerous'
  return reach === 'workloads' || reach === 'machine' ? `it reaches ${REACHED[reach]}` : undefined
}

const REACHED = { workloads: 'the workloads of the node', machine: 'the whole machine' } as const
