/** Remediations and permits as they travel over the mesh, one topic a plan, bounded on the way in. */
import { decode, encode } from 'cborg'
import { z } from 'zod'
import type { Permit, Remediation } from './contract.ts'
import { hashPlan, planIdOf } from './plan.ts'

const REMEDIATION_TOPIC = 'remediation/'
const PERMIT_TOPIC = 'permit/'

const text = z.string().max(1_000)
const hash = z.string().regex(/^[0-9a-f]{64}$/)

const planSchema = z.strictObject({
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

const remediationSchema = z.strictObject({
  plan: planSchema,
  phase: z.enum([
    'awaiting-approval',
    'applying',
    'verifying',
    'verified',
    'reverted',
    'revert-failed',
    'failed',
    'refused',
    'rejected',
    'withdrawn',
  ]),
  why: text,
  at: z.iso.datetime(),
  permitId: z.string().min(1).max(128).exactOptional(),
}) satisfies z.ZodType<Remediation>

const permitSchema = z.strictObject({
  id: z.string().min(1).max(128),
  planId: z.string().min(1).max(128),
  planHash: hash,
  evidenceHash: hash,
  node: z.string().min(1).max(253),
  action: z.enum(['approve', 'reject']),
  by: z.string().min(1).max(253),
  via: z.enum(['page', 'cli', 'api']),
  reason: text,
  at: z.iso.datetime(),
  ttlMs: z.number().min(0),
}) satisfies z.ZodType<Permit>

export function remediationTopic(planId: string): string {
  return `${REMEDIATION_TOPIC}${planId}`
}

export function isRemediationTopic(topic: string): boolean {
  return topic.startsWith(REMEDIATION_TOPIC)
}

export function permitTopic(planId: string): string {
  return `${PERMIT_TOPIC}${planId}`
}

export function isPermitTopic(topic: string): boolean {
  return topic.startsWith(PERMIT_TOPIC)
}

export function encodeNote(value: Remediation | Permit): Uint8Array {
  return encode(value)
}

/** What `signer` says under `topic` about a plan of its own. Throws an Error for anything else. */
export function decodeRemediation(signer: string, topic: string, bytes: Uint8Array): Remediation {
  const remediation = remediationSchema.parse(decodeStrictly(bytes))
  const { plan } = remediation
  if (plan.node !== signer) throw new Error(`${signer} spoke for ${plan.node}`)
  // The id is made of the node's name among other things, so nobody can take over another's plan.
  if (topic !== remediationTopic(plan.id) || plan.id !== planIdOf(plan) || plan.planHash !== hashPlan(plan)) {
    throw new Error(`${signer} gave plan ${plan.id} another content than its id and hash say`)
  }
  return remediation
}

/** Throws an Error for anything but a permit. That its signer may permit is for the caller to check. */
export function decodePermit(bytes: Uint8Array): Permit {
  return permitSchema.parse(decodeStrictly(bytes))
}

function decodeStrictly(bytes: Uint8Array): unknown {
  return decode(bytes, { strict: true, rejectDuplicateMapKeys: true })
}
