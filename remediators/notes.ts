/** Remediations, decisions, and what is asked and granted, as they travel over the mesh: one topic a plan, bounded on the way in. */
import { decode, encode } from 'cborg'
import { z } from 'zod'
import type { Remediation } from './contract.ts'
import type { Decision, Permit, PermitRequest, Refusal } from './permits.ts'
import { hash, remediationSchema, text, verdicts } from './schema.ts'

const REMEDIATION_TOPIC = 'remediation/'
const DECISION_TOPIC = 'decision/'
const APPROVAL_TOPIC = 'approval/'
const REQUEST_TOPIC = 'permit-request/'
const PERMIT_TOPIC = 'permit/'
const REFUSAL_TOPIC = 'permit-refusal/'

const decisionSchema = z.strictObject({
  id: z.string().min(1).max(128),
  planId: z.string().min(1).max(128),
  planHash: hash,
  evidenceHash: hash,
  node: z.string().min(1).max(253),
  action: z.enum(['approve', 'reject']),
  by: z.string().min(1).max(253),
  via: z.enum(['page', 'cli', 'api', 'kubernetes']),
  reason: text,
  at: z.iso.datetime(),
  ttlMs: z.number().min(0),
}) satisfies z.ZodType<Decision>

const nonce = z.string().regex(/^[0-9a-f]{32}$/)
/** What a request and the answer to it are about. */
const asked = {
  node: z.string().min(1).max(253),
  planId: z.string().min(1).max(128),
  nonce,
}

const requestSchema = z.strictObject({
  ...asked,
  planHash: hash,
  evidenceHash: hash,
  mode: z.enum(['approve', 'auto']),
  decisionId: z.string().min(1).max(128).exactOptional(),
}) satisfies z.ZodType<PermitRequest>

export const permitSchema = z.strictObject({
  ...asked,
  id: z.string().min(1).max(128),
  planHash: hash,
  evidenceHash: hash,
  at: z.iso.datetime(),
}) satisfies z.ZodType<Permit>

const refusalSchema = z.strictObject({
  ...asked,
  guards: verdicts,
  retryAfterMs: z.number().min(0).max(86_400_000),
}) satisfies z.ZodType<Refusal>

/** It waits or runs, and has not come to its end. */
export function isOpen({ ended }: Pick<Remediation, 'ended'>): boolean {
  return !ended
}

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

/** For aggregators alone: the first of two approvals, with which no node begins anything, or the rejection that ends it. */
export function approvalTopic(planId: string): string {
  return `${APPROVAL_TOPIC}${planId}`
}

export function isApprovalTopic(topic: string): boolean {
  return topic.startsWith(APPROVAL_TOPIC)
}

export function permitRequestTopic(planId: string): string {
  return `${REQUEST_TOPIC}${planId}`
}

export function isPermitRequestTopic(topic: string): boolean {
  return topic.startsWith(REQUEST_TOPIC)
}

export function permitTopic(planId: string): string {
  return `${PERMIT_TOPIC}${planId}`
}

export function isPermitTopic(topic: string): boolean {
  return topic.startsWith(PERMIT_TOPIC)
}

export function refusalTopic(planId: string): string {
  return `${REFUSAL_TOPIC}${planId}`
}

export function isRefusalTopic(topic: string): boolean {
  return topic.startsWith(REFUSAL_TOPIC)
}

export function encodeNote(value: Remediation | Decision | PermitRequest | Permit | Refusal): Uint8Array {
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

/** What `signer` asks for a plan of its own. Throws an Error for anything else. */
export function decodePermitRequest(signer: string, topic: string, bytes: Uint8Array): PermitRequest {
  const request = requestSchema.parse(decodeStrictly(bytes))
  if (request.node !== signer) throw new Error(`${signer} asked for ${request.node}`)
  if (topic !== permitRequestTopic(request.planId))
    throw new Error(`${signer} asked for ${request.planId} under ${topic}`)
  return request
}

/** Throws an Error for anything but a permit. That its signer may grant is for the caller to check. */
export function decodePermit(bytes: Uint8Array): Permit {
  return permitSchema.parse(decodeStrictly(bytes))
}

/** Throws an Error for anything but a refusal. */
export function decodeRefusal(bytes: Uint8Array): Refusal {
  return refusalSchema.parse(decodeStrictly(bytes))
}

function decodeStrictly(bytes: Uint8Array): unknown {
  return decode(bytes, { strict: true, rejectDuplicateMapKeys: true })
}
