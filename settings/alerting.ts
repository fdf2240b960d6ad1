/**
 * The `alerting` part of the settings: what people are told of, who is, and for how long they may ask for silence. Where the
 * sinks are and their secrets stand in the aggregator's own configuration.
 */
import { z } from 'zod'
import { durationMs, isDuration } from '../common/duration.ts'
import { LANGUAGES, type Language } from '../common/languages.ts'
import { type Selector, selectorPart } from '../common/selector.ts'
import { timeZone } from '../common/time-zone.ts'
import { SEVERITIES, type Severity } from '../detectors/contract.ts'
import { ExpressionError, type MeasureExpression, readExpression } from './alert-expression.ts'

/** What the mesh itself says, without any rule; a rule of this name in `builtIn` changes how grave it is, or turns it off. */
export const BUILT_IN = {
  NodeDown: 'error',
  HostHung: 'error',
  Isolated: 'error',
  AgentDown: 'alarm',
  Frozen: 'error',
  NoQuorum: 'error',
  Blind: 'alarm',
  SingleCopy: 'warn',
  Undelivered: 'warn',
  LabelUnknown: 'warn',
} as const satisfies Record<string, Severity>
export type BuiltIn = keyof typeof BUILT_IN

const RULES_MAX = 256
const ROUTES_MAX = 100
const REPEAT_DEFAULT = '4h'
const SILENCE_DEFAULT = '30d'
/** A value that is a little below the limit is not yet well again. */
const CLEAR_SHARE = 0.05
const CLEAR_AFTER_DEFAULT = '1m'

const duration = (min: string, max: string) =>
  z
    .string()
    .refine(isDuration, 'must be a duration, as in 10m')
    .refine(
      (text) => !isDuration(text) || (durationMs(text) >= durationMs(min) && durationMs(text) <= durationMs(max)),
      `must lie between ${min} and ${max}`,
    )

const severity = z.enum(SEVERITIES)
const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'names are lower-case letters, digits and dashes')
const reason = z.string().regex(/^[A-Z][A-Za-z0-9]{0,62}$/, 'reasons are written as DiskAlmostFull')
const listOf = <T extends z.ZodType>(what: T) => z.array(what).min(1).max(100)

const when = z
  .string()
  .max(1_000)
  .superRefine((text, { addIssue }) => {
    try {
      readExpression(text)
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error
      addIssue(error.message)
    }
  })

const rule = z
  .strictObject({
    name,
    /** Over measures. */
    when: when.exactOptional(),
    /** Over findings: of each kind that is given one must fit. */
    findings: z
      .strictObject({
        detectors: listOf(z.string().min(1).max(63)).exactOptional(),
        reasons: listOf(reason).exactOptional(),
        severities: listOf(severity).exactOptional(),
        selector: selectorPart.exactOptional(),
      })
      .exactOptional(),
    /** How long it must last before it is one; 0s when not given, since findings and averages have lasted. */
    for: duration('0s', '1d').exactOptional(),
    /** Of measures: it is over when the value is back beyond this; 5 % within the limit when not given. */
    clear: z.number().exactOptional(),
    /** How long it must be gone before it is over. */
    clearAfter: duration('0s', '1d').exactOptional(),
    /** Of measures; findings have their own. `alarm` when not given. */
    severity: severity.exactOptional(),
  })
  .refine(
    (given) => (given.when === undefined) !== (given.findings === undefined),
    'give when or findings, one of them',
  )
  .refine((given) => given.when !== undefined || given.clear === undefined, 'clear is for rules over measures')
  .superRefine((given, { addIssue }) => {
    const expression = given.when === undefined ? undefined : readOrNothing(given.when)
    if (expression === undefined || given.clear === undefined) return
    const { comparison, limit } = expression
    if (comparison.startsWith('>') ? given.clear > limit : given.clear < limit)
      addIssue({ code: 'custom', path: ['clear'], message: `must not lie beyond the limit, ${limit}` })
  })

const route = z.strictObject({
  /** What it is for; everything when it is not given. Of each kind that is given one must fit. */
  match: z
    .strictObject({
      severities: listOf(severity).exactOptional(),
      reasons: listOf(reason).exactOptional(),
      rules: listOf(z.string().min(1).max(63)).exactOptional(),
      selector: selectorPart.exactOptional(),
    })
    .exactOptional(),
  /** Names in `sinks` of the aggregator's configuration. */
  sinks: listOf(name),
  /** Of those who read it there: English and UTC when not given. */
  language: z.enum(LANGUAGES).exactOptional(),
  zone: timeZone.exactOptional(),
  /** How often it is said again while it lasts. */
  repeat: duration('5m', '7d').exactOptional(),
})

/** Without defaults, as the document that it is part of. */
export const alertingPart = z.strictObject({
  rules: z
    .array(rule)
    .max(RULES_MAX)
    .refine((rules) => new Set(rules.map((one) => one.name)).size === rules.length, 'two rules have the same name')
    .exactOptional(),
  /** `off`, or how grave it is. */
  builtIn: z
    .partialRecord(z.enum(Object.keys(BUILT_IN) as [BuiltIn, ...BuiltIn[]]), z.enum(['off', ...SEVERITIES]))
    .exactOptional(),
  /** Whoever is named in any route that fits is told, of what the route fits; of several with the same sink the first says how. */
  routes: z.array(route).max(ROUTES_MAX).exactOptional(),
  silences: z.strictObject({ longest: duration('1m', '365d').exactOptional() }).exactOptional(),
})

export type AlertingSettings = z.infer<typeof alertingPart>

export interface FindingMatch {
  readonly detectors?: readonly string[]
  readonly reasons?: readonly string[]
  readonly severities?: readonly Severity[]
  readonly selector?: Selector
}

export interface AlertRule {
  readonly name: string
  readonly forMs: number
  readonly clearAfterMs: number
  readonly over:
    | ({ readonly kind: 'findings' } & FindingMatch)
    | {
        readonly kind: 'measures'
        readonly text: string
        readonly expression: MeasureExpression
        readonly clear: number
        readonly severity: Severity
      }
}

export interface AlertMatch {
  readonly severities?: readonly Severity[]
  readonly reasons?: readonly string[]
  readonly rules?: readonly string[]
  readonly selector?: Selector
}

export interface AlertRoute {
  readonly match: AlertMatch
  readonly sinks: readonly string[]
  readonly language: Language
  /** By its IANA name. */
  readonly zone: string
  readonly repeatMs: number
}

/** The part with its defaults. */
export interface Alerting {
  readonly rules: readonly AlertRule[]
  /** Null: nobody is to hear of it. */
  readonly builtIn: Readonly<Record<BuiltIn, Severity | null>>
  readonly routes: readonly AlertRoute[]
  readonly longestSilenceMs: number
}

/** Where no rule is given. */
const DEFAULT_RULES: NonNullable<AlertingSettings['rules']> = [
  { name: 'findings', findings: { severities: ['alarm', 'error'] } },
]

export function readAlerting(settings: AlertingSettings = {}): Alerting {
  const { rules = DEFAULT_RULES, builtIn = {}, routes = [], silences = {} } = settings
  const grave = Object.entries(BUILT_IN).map(([key, usual]) => {
    const said = builtIn[key as BuiltIn]
    return [key, said === 'off' ? null : (said ?? usual)] as const
  })
  return {
    rules: rules.map(readRule),
    builtIn: Object.fromEntries(grave) as Record<BuiltIn, Severity | null>,
    routes: routes.map(({ match = {}, sinks, language = 'en', zone = 'UTC', repeat = REPEAT_DEFAULT }) => {
      return { match, sinks, language, zone, repeatMs: durationMs(repeat) }
    }),
    longestSilenceMs: durationMs(silences.longest ?? SILENCE_DEFAULT),
  }
}

function readRule(rule: NonNullable<AlertingSettings['rules']>[number]): AlertRule {
  const { name, when: text, findings = {}, severity: grave = 'alarm' } = rule
  const times = { forMs: durationMs(rule.for ?? '0s') }
  // A finding is held by its node until it is surely over.
  if (text === undefined) {
    return {
      name,
      ...times,
      clearAfterMs: durationMs(rule.clearAfter ?? '0s'),
      over: { kind: 'findings', ...findings },
    }
  }
  const expression = readExpression(text)
  const { limit, comparison } = expression
  const within = Math.abs(limit) * CLEAR_SHARE
  const clear = rule.clear ?? (comparison.startsWith('>') ? limit - within : limit + within)
  const clearAfterMs = durationMs(rule.clearAfter ?? CLEAR_AFTER_DEFAULT)
  return { name, ...times, clearAfterMs, over: { kind: 'measures', text, expression, clear, severity: grave } }
}

function readOrNothing(text: string): MeasureExpression | undefined {
  try {
    return readExpression(text)
  } catch {
    return undefined
  }
}
