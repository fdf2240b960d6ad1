/**
 * The `reports` part of an aggregator's own file: when which report goes where. Whom it goes to are addresses, and webhooks have
 * secrets in theirs: every agent holds the signed settings, so they are no place for them. What is inspected is policy, and
 * stands there.
 */
import { z } from 'zod'
import { LANGUAGES } from '../../common/languages.ts'
import { timeZone } from '../../common/time-zone.ts'
import { INSPECTED_ROLES } from '../../inspection/model.ts'
import { cron } from '../../remediators/policy/schema.ts'

const REPORTS_MAX = 50
const TARGETS_MAX = 50
const ROLES_MAX = 20

const reader = {
  language: z.enum(LANGUAGES).default('en'),
  /** In which its times are written, with their offset. */
  zone: timeZone.default('UTC'),
}

/** One address, so that one that is refused does not keep the mail from others. */
const mailTarget = z.strictObject({ mail: z.email('must be an address, as ops@example.org'), ...reader })

/** A folder: each report puts a page and its text there, and lets go of those of its own that are older than `keep` runs. */
const fileTarget = z.strictObject({
  file: z.string().startsWith('/', 'must be a folder by its full path'),
  keep: z.int().min(1).max(10_000).default(90),
  ...reader,
})

/** Gets the whole report in JSON, with the text beside it. */
const webhookTarget = z.strictObject({ webhook: z.url({ protocol: /^https?$/ }), ...reader })

const target = z.union(
  [mailTarget, fileTarget, webhookTarget],
  'must have mail, file or webhook, and language and zone',
)

export const reportPart = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'names are lower-case letters, digits and dashes'),
  kind: z.enum(['inspection', 'remediation-review']),
  schedule: z.strictObject({ cron, timeZone: timeZone.default('UTC') }),
  /** Of an inspection: what is looked at, by its name in the signed settings. */
  profile: z.string().min(1).max(63).default('default'),
  /** Of an inspection: whether every node looks anew, which takes seconds, or what they said before counts. */
  fresh: z.boolean().default(true),
  /** Of an inspection: each has a report of its own. */
  roles: z
    .array(z.string().min(1).max(63))
    .min(1)
    .max(ROLES_MAX)
    .default([...INSPECTED_ROLES]),
  to: z.array(target).min(1, 'goes nowhere: name at least one mail, file or webhook').max(TARGETS_MAX),
})

export const reportsPart = z
  .array(reportPart)
  .max(REPORTS_MAX)
  .superRefine((reports, { addIssue }) => {
    const names = reports.map(({ name }) => name)
    const index = names.findIndex((name, at) => names.indexOf(name) < at)
    if (index >= 0)
      addIssue({ code: 'custom', path: [index, 'name'], message: `"${names[index]}" is the name of another report` })
  })

export type ReportConfig = z.infer<typeof reportPart>
export type Target = z.infer<typeof target>

/** Where it goes, for people: without what may be secret in an address. */
export function targetName(to: Target): string {
  if ('mail' in to) return to.mail
  return 'file' in to ? to.file : new URL(to.webhook).origin
}
