/** Remediations and decisions as they travel over the mesh, one topic a plan, bounded on the way in. */
import { decode, encode } from 'cborg'
import { z } from 'zod'
import type { Remediation } from './contract.ts'
import type { Decision } from './permits.ts'
import { hash, remediationSchema, text } from './schema.ts'

const REMEDIATION_TOPIC = 'remediation/'
const DECISION_TOPIC = 'decision/'

const decisionSchema = z.strictObject({
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
}) satisfies z.ZodType<Decision>

export function remediationTopic(planId: string): string {
  return `${REMEDIATION_TOPIC}${planId}`
}

export function isRemediationTopic(topic: string): boolean {
  return topic.startsWith(REMEDIATION_TOPIC)
}

export function decisionTopic(planId: string): string {
  return `${DECISION_TOPIC}${planId}`
}

export function isDecisionTopic(topic: string): boolean {
  return topic.startsWith(DECISION_TOPIC)
}

export function encodeNote(value: Remediation | Decision): Uint8Array {
  return encode(value)
}

/** What `signer` says under `topic` about a plan of its own. Throws an Error for anything else. */
export function decodeRemediation(signer: string, topic: string, bytes: Uint8Array): Remediation {
  const remediation = remediationSchema.parse(decodeStrictly(bytes))
  const { plan } = remediation
  if (plan.node !== signer) throw new Error(`${signer} spoke for ${plan.node}`)
  if (topic !== remediationTopic(plan.id)) throw new Error(`${signer} spoke of plan ${plan.id} under ${topic}`)
  return remediation
}

/** Throws an Error for anything but a decision. That its signer may decide is for the caller to check. */
export function decodeDecision(bytes: Uint8Array): Decision {
  return decisionSchema.parse(decodeStrictly(bytes))
}

function decodeStrictly(bytes: Uint8Array): unknown {
  return decode(bytes, { strict: true, rejectDuplicateMapKeys: true })
}
