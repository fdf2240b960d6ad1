/** What may stand in a plugin's manifest, /etc/starling/plugins.d/NAME.yaml. docs/plugins.md says it with examples. */
import { z } from 'zod'
import { type Duration, durationMs, isDuration } from '../../common/duration.ts'
import { messageOf } from '../../common/errors.ts'
import { SEVERITIES } from '../contract.ts'
import { requiredLiterals } from '../logs/pattern-syntax.ts'
import { TIMES_MAX } from '../logs/tally.ts'

const MIB = 1024 * 1024

const duration = z
  .string()
  .refine(isDuration, 'write a number and ms, s, m, h or d, as in 30s')
  .transform((text) => text as Duration)

export const within = (least: Duration, most: Duration) =>
  duration.refine(
    (text) => !isDuration(text) || (durationMs(text) >= durationMs(least) && durationMs(text) <= durationMs(most)),
    `must lie between ${least} and ${most}`,
  )

const SIZE_UNITS: Readonly<Record<string, number>> = { '': 1, Ki: 1024, Mi: MIB, Gi: 1024 * MIB }

/** As Kubernetes writes them: `64Ki`, `256Mi`. Bounds and default in bytes. */
const size = (least: number, most: number, byDefault: string) =>
  z
    .string()
    .regex(/^\d{1,9}(Ki|Mi|Gi)?$/, 'write a whole number and Ki, Mi or Gi, as in 64Ki')
    .transform((text) => Number.parseInt(text, 10) * (SIZE_UNITS[text.replace(/^\d+/, '')] ?? Number.NaN))
    .refine((bytes) => bytes >= least && bytes <= most, `must lie between ${least} and ${most} bytes`)
    .prefault(byDefault)

const absolute = z
  .string()
  .max(4_096)
  .regex(/^\/(?!.*(?:^|\/)\.\.(?:\/|$))[^\0]*$/, 'must be an absolute path without ..')

/** PascalCase; words in capitals, such as NTPProblem, keep them. */
export const reasonName = z.string().regex(/^[A-Z][A-Za-z0-9]{0,62}$/, 'must be PascalCase, as in FanStopped')

export const sentence = z.string().trim().min(1).max(500)

const reasonSchema = z.strictObject({
  severity: z.enum(SEVERITIES),
  summary: sentence,
  sustain: within('0s', '1d').prefault('0s'),
  /** The address of a page that says what to do, or that in words. */
  runbook: z.string().trim().min(1).max(4_000),
  supersedes: reasonName.exactOptional(),
})

export const common = {
  name: z
    .string()
    .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'must be kebab-case, as in check-fans')
    .max(63),
  version: z.string().min(1).max(63),
  summary: sentence,
  every: within('1s', '1d').prefault('1m'),
  timeout: within('1ms', '1h').prefault('10s'),
  reasons: z.record(reasonName, reasonSchema).refine((reasons) => Object.keys(reasons).length > 0, 'names no reason'),
}

/** What people are shown before they let it run. Of a program the agent can only hold it to `network` and to `user`. */
export const touches = z
  .strictObject({
    paths: z.array(absolute).max(64).default([]),
    commands: z.array(absolute).max(64).default([]),
    /** Whom it speaks to, as in `udp/ntp.example.org:123`. */
    peers: z.array(z.string().trim().min(1).max(300)).max(64).default([]),
  })
  .prefault({})

export const caps = z
  .strictObject({
    /** Of each of stdout and stderr. 4 KiB is what node-problem-detector reads, a status page of a RAID is longer. */
    output: size(1, 16 * MIB, '64Ki'),
    /** Of data and heap of each process, setrlimit(2) RLIMIT_DATA. A shell with its tools takes a few MiB. */
    memory: size(MIB, 64 * 1024 * MIB, '256Mi'),
    /** Processor time of each process, in whole seconds: RLIMIT_CPU. */
    cpu: within('1s', '1h').prefault('10s'),
    /** To which size it may write any one file: RLIMIT_FSIZE. */
    writes: size(0, 1024 * MIB, '1Mi'),
  })
  .prefault({})

export const program = {
  /** The absolute path of the program, then its arguments, as the program gets them. */
  command: z.tuple([absolute], z.string().max(4_096)).refine((words) => words.length <= 256, 'is over 256 words'),
  caps,
  touches,
  /** Takes effect where the agent is root. */
  user: z.enum(['nobody', 'agent']).default('nobody'),
  /** `none`: a network of its own with nothing in it, where the agent is root. */
  network: z.enum(['host', 'none']).default('host'),
}

const label = z.string().regex(/^[A-Za-z_]\w*$/, 'is no label of a metric')
const metricRule = z
  .strictObject({
    metric: z.string().regex(/^[A-Za-z_:][\w:]*$/, 'is no name of a metric'),
    labels: z.record(label, z.string()).default({}),
    above: z.number().exactOptional(),
    below: z.number().exactOptional(),
    equals: z.number().exactOptional(),
    reason: reasonName,
    cause: z.array(label).max(8).default([]),
    optional: z.boolean().default(false),
  })
  .refine(
    ({ above, below, equals }) => [above, below, equals].filter((figure) => figure !== undefined).length === 1,
    'must have one of above, below and equals',
  )
const metricRules = z.array(metricRule).min(1).max(256)

export const npdSchema = z.strictObject({
  dialect: z.literal('npd'),
  ...common,
  ...program,
  states: z.strictObject({ problem: reasonName }),
})

export const nagiosSchema = z.strictObject({
  dialect: z.literal('nagios'),
  ...common,
  ...program,
  states: z.strictObject({ warning: reasonName, critical: reasonName }),
})

export const jsonSchema = z.strictObject({ dialect: z.literal('json'), ...common, ...program })

export const textfileSchema = z.strictObject({
  dialect: z.literal('textfile'),
  ...common,
  ...program,
  /** In place of a file a program may write the metrics to its stdout. */
  command: program.command.exactOptional(),
  /** A file, or all of a folder with a `*` in the name. */
  file: absolute.exactOptional(),
  /** A file that was last written longer ago is not known: what writes it has stopped. */
  maxAge: within('1s', '30d').prefault('15m'),
  rules: metricRules,
})

const logPattern = z.string().superRefine((pattern, context) => {
  try {
    requiredLiterals(pattern)
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) })
  }
})

function isExpression(text: string): boolean {
  try {
    new RegExp(text)
    return true
  } catch {
    return false
  }
}

const logRule = z.strictObject({
  /** A regular expression; its group `cause`, if it has one, tells apart several causes. */
  pattern: logPattern,
  ignoreCase: z.boolean().default(false),
  reason: reasonName,
  /** How many lines within `hold` it takes. */
  times: z.int().min(1).max(TIMES_MAX).default(1),
  /** How long it is reported after the line that made it one: a log does not say that a fault is over. */
  hold: within('10s', '7d').prefault('10m'),
  /** A line that says that it is over; its group `cause`, if it has one, of which cause. */
  clear: logPattern.exactOptional(),
})

const sourceSchema = z.discriminatedUnion('from', [
  z.strictObject({ from: z.literal('kmsg') }),
  z.strictObject({
    from: z.literal('file'),
    path: absolute,
    /** Matches the part of a line that says when it was written. Without it only lines from now on are looked at. */
    timestamp: z.string().max(200).refine(isExpression, 'is no regular expression').exactOptional(),
  }),
  z.strictObject({
    from: z.literal('journal'),
    /** That entries must have, as in `_SYSTEMD_UNIT: kubelet.service`. */
    fields: z.record(z.string().regex(/^[A-Z0-9_]{1,64}$/, 'is no field of the journal'), z.string().max(300)),
  }),
])

export const logSchema = z.strictObject({
  dialect: z.literal('log'),
  ...common,
  source: sourceSchema,
  rules: z.array(logRule).min(1).max(128),
})

export const manifestSchema = z.discriminatedUnion('dialect', [
  npdSchema,
  nagiosSchema,
  jsonSchema,
  textfileSchema,
  logSchema,
])

export type Manifest = z.infer<typeof manifestSchema>
export type TextfileManifest = z.infer<typeof textfileSchema>
export type LogManifest = z.infer<typeof logSchema>
/** One that runs a program. */
export type ProgramManifest =
  | Exclude<Manifest, TextfileManifest | LogManifest>
  | (TextfileManifest & { readonly command: [string, ...string[]] })
