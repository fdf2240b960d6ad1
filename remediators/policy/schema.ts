/** The `policies` part of the settings: its form, and what a policy is once its defaults are filled in. */
import { z } from 'zod'
import { durationMs, isDuration } from '../../common/duration.ts'
import { messageOf } from '../../common/errors.ts'
import { selectorPart } from '../../common/selector.ts'
import { timeZone } from '../../common/time-zone.ts'
import { MODES } from '../contract.ts'
import { readCron } from './cron.ts'
import type { Policy } from './model.ts'
import { ATTEMPTS_DEFAULT, COOL_DOWN_DEFAULT } from './rules.ts'
import { nextOpening } from './windows.ts'

/** As many as anybody could keep in mind, and then some. */
const POLICIES_MAX = 256
const MATCHES_MAX = 100
const RUNGS_MAX = 10
const WINDOWS_MAX = 20
const ATTEMPTS_MAX = 10
/** A list of every minute is longer, and says what a star says. */
const CRON_CHARS_MAX = 100

const duration = (min: string, max: string) =>
  z
    .string()
    .refine(isDuration, 'must be a duration, as in 10m')
    .refine(
      (text) => !isDuration(text) || (durationMs(text) >= durationMs(min) && durationMs(text) <= durationMs(max)),
      `must lie between ${min} and ${max}`,
    )

/** Whom it is for: as every selector, or all nodes, which must be said. */
const selector = selectorPart
  .extend({ all: z.literal(true, 'must be true, or left out').exactOptional() })
  .refine(
    (given) => Object.keys(given).length > 0,
    'fits no node: give roles, pools, zones or nodes, or all: true for every node',
  )
  .refine((given) => given.all === undefined || Object.keys(given).length === 1, 'all stands alone')

const match = z
  .strictObject({
    reason: z
      .string()
      .regex(/^[A-Z][A-Za-z0-9]{0,62}$/, 'reasons are written as DiskAlmostFull')
      .exactOptional(),
    /** This one and no other: one that is graver must be named as well. */
    severity: z
      .enum(['warn', 'alarm', 'error'], 'must be warn, alarm or error: nothing is mended for less')
      .exactOptional(),
  })
  .refine((given) => Object.keys(given).length > 0, 'fits no finding: give a reason or a severity')

const rung = z.strictObject({
  remediator: z.string().min(1).max(63),
  attempts: z.int().min(1).max(ATTEMPTS_MAX).exactOptional(),
  timeout: duration('1s', '1h').exactOptional(),
})

/** Five fields that fit some day. */
export const cron = z
  .string()
  .max(CRON_CHARS_MAX)
  .superRefine((text, { addIssue }) => {
    const problem = problemOf(() => readCron(text))
    if (problem !== undefined) addIssue(problem)
    // Which zone does not matter to whether it ever opens.
    else if (nextOpening([{ cron: text, duration: '1m', timeZone: 'UTC' }], '2000-01-01T00:00:00Z') === undefined)
      addIssue('never opens: there is no such day')
  })

const policy = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'names are lower-case letters, digits and dashes'),
  selector,
  match: z.array(match).min(1, 'fits no finding: name at least one reason or severity').max(MATCHES_MAX),
  mode: z.enum(MODES, `must be one of ${MODES.join(', ')}`).exactOptional(),
  ladder: z
    .array(rung)
    .min(1, 'does nothing: name at least one remediator')
    .max(RUNGS_MAX)
    .superRefine(uniquely('remediator', 'is in this ladder already: give it more attempts there')),
  windows: z
    .array(z.strictObject({ cron, duration: duration('1m', '7d'), timeZone }))
    .min(1, 'never opens: name at least one window, or leave windows out for any time')
    .max(WINDOWS_MAX)
    .exactOptional(),
  coolDown: duration('1m', '7d').exactOptional(),
})

/** Without defaults, as the document that it is part of. What it names is checked in check.ts. */
export const policiesPart = z
  .array(policy)
  .max(POLICIES_MAX)
  .superRefine(uniquely('name', 'is the name of another policy'))

export type PoliciesSettings = z.infer<typeof policiesPart>

/** The part with its defaults, as rules ask it. */
export function readPolicies(said: PoliciesSettings = []): readonly Policy[] {
  return said.map(({ selector: { all, ...kinds }, ladder, mode, windows, coolDown, ...rest }) => ({
    ...rest,
    selector: all === undefined ? kinds : { all },
    mode: mode ?? 'observe',
    ladder: ladder.map((one) => ({ ...one, attempts: one.attempts ?? ATTEMPTS_DEFAULT })),
    windows: windows ?? [],
    coolDown: coolDown ?? COOL_DOWN_DEFAULT,
  }))
}

/** Refuses the second of two entries with the same value under `key`. */
function uniquely<K extends string>(key: K, problem: string) {
  return (entries: readonly Readonly<Record<K, string>>[], { addIssue }: z.RefinementCtx) => {
    const values = entries.map((entry) => entry[key])
    const index = values.findIndex((value, at) => values.indexOf(value) < at)
    if (index >= 0) addIssue({ code: 'custom', path: [index, key], message: `"${values[index]}" ${problem}` })
  }
}

function problemOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}
