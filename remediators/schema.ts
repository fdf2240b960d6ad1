/** Plans and remediations as they come from elsewhere, another node or the disk: bounded, and true to their hashes. */
import { z } from 'zod'
import { MODES, PHASES, type Plan, type Remediation } from './contract.ts'
import { EARLIER_MAX } from './earlier.ts'
import { hashPlan, planIdOf } from './plan.ts'

export const text = z.string().max(1_000)
export const hash = z.string().regex(/^[0-9a-f]{64}$/)

/** The id is made of the node's name among other things, so nobody can take over another's plan. */
export const planSchema: z.ZodType<Plan> = z
  .strictObject({
    id: z.string().min(1).max(128),
    node: z.string().min(1).max(253),
    remediator: z.string().min(1).max(63),
    detector: z.string().min(1).max(63),
    reason: z.string().min(1).max(63),
    cause: text,
    findingId: text,
    changes: z.array(z.strictObject({ what: text, before: text, after: text, undo: text })).max(64),
    reach: z.enum(['none', 'process', 'host', 'workloads', 'machine']),
    risk: z.enum(['low', 'medium', 'dangerous']),
    planHash: hash,
    evidenceHash: hash,
    createdAt: z.iso.datetime(),
  })
  .refine((plan) => plan.planHash === hashPlan(plan), 'the plan does not match its hash')
  .refine((plan) => plan.id === planIdOf(plan), 'the plan does not match its id')

/** Of one answer; there are fewer guards than that. */
export const verdicts = z
  .array(
    z.strictObject({
      guard: z.string().min(1).max(63),
      allowed: z.boolean(),
      why: text,
      restMs: z.number().min(0).max(86_400_000).exactOptional(),
    }),
  )
  .min(1)
  .max(32)

const id = z.string().min(1).max(128)
/** More than any ladder is long, and than any rung is tried. */
const count = z.int().min(1).max(1_000)

export const remediationSchema: z.ZodType<Remediation> = z.strictObject({
  plan: planSchema,
  phase: z.enum(PHASES),
  why: text,
  at: z.iso.datetime(),
  policy: id,
  mode: z.enum(MODES),
  rung: count,
  attempt: count,
  decisionId: id.exactOptional(),
  permitId: id.exactOptional(),
  guards: verdicts.exactOptional(),
  ended: z.literal(true).exactOptional(),
  earlier: z
    .array(
      z.strictObject({
        plannedAt: z.iso.datetime(),
        reason: z.string().min(1).max(63),
        cause: text,
        phase: z.enum(PHASES),
        at: z.iso.datetime(),
      }),
    )
    .max(EARLIER_MAX)
    .exactOptional(),
})
