/** What settings may say about detectors, checked against the detectors there are. */
import { z } from 'zod'
import { type Duration, durationMs, isDuration } from '../../common/duration.ts'
import { UsageError } from '../../common/errors.ts'
import { settingError, unknownKeyError } from '../../common/setting-errors.ts'
import type { Detector } from '../contract.ts'

/** Settings by detector name. What is left out keeps the detector's own default. */
export type DetectorOptions = Readonly<
  Record<string, { readonly enabled?: boolean; readonly every?: Duration; readonly options?: unknown }>
>

/** How one detector is to be run. */
export interface DetectorSetting {
  readonly enabled: boolean
  readonly everyMs: number
  readonly options: unknown
  /** The options as they were written, in JSON; what a schema makes of them need not fit into that. */
  readonly written: string
}

/** Whether a detector may go on as it is. */
export function isSameSetting(a: DetectorSetting, b: DetectorSetting): boolean {
  return a.enabled === b.enabled && a.everyMs === b.everyMs && a.written === b.written
}

/** More often, and looking costs more than it tells; more rarely, and a finding would outlive a day. */
const EVERY_MIN: Duration = '1s'
const EVERY_MAX: Duration = '1d'

const every = z
  .string()
  .refine(isDuration, 'write a number and ms, s, m, h or d, as in 30s')
  .refine((text) => !isDuration(text) || isWithin(text), `must lie between ${EVERY_MIN} and ${EVERY_MAX}`)

const entrySchema = z.strictObject({
  enabled: z.boolean().optional(),
  every: every.optional(),
  options: z.unknown().optional(),
})
const entryExample = { enabled: true, every: '15s', options: {} }

/**
 * The setting of every detector in `detectors`, defaults filled in. Throws a UsageError that names the place and, for an
 * unknown name, the nearest valid one; `where` is what the place is called in the document, such as `detectors`.
 */
export function readDetectorOptions(
  detectors: readonly Detector[],
  options: unknown,
  where = 'detectors',
): ReadonlyMap<string, DetectorSetting> {
  const entries = z.record(z.string(), z.unknown()).safeParse(options)
  if (!entries.success) throw new UsageError(`${where} must map names of detectors to their settings`)
  const names = detectors.map((detector) => detector.name)
  for (const name of Object.keys(entries.data)) {
    if (!names.includes(name)) throw unknownKeyError(where, name, names)
  }
  return new Map(
    detectors.map((detector) => [detector.name, readEntry(detector, entries.data[detector.name] ?? {}, where)]),
  )
}

function readEntry(detector: Detector, entry: unknown, where: string): DetectorSetting {
  const place = `${where}.${detector.name}`
  const parsed = entrySchema.safeParse(entry)
  if (!parsed.success) throw settingError(place, parsed.error, entryExample)
  const options = detector.options.safeParse(parsed.data.options ?? {})
  if (!options.success) throw settingError(`${place}.options`, options.error, detector.options.parse({}))
  return {
    enabled: parsed.data.enabled ?? true,
    everyMs: durationMs(parsed.data.every ?? detector.every),
    options: options.data,
    written: JSON.stringify(parsed.data.options ?? {}),
  }
}

function isWithin(text: Duration): boolean {
  return durationMs(text) >= durationMs(EVERY_MIN) && durationMs(text) <= durationMs(EVERY_MAX)
}
