/** Remediations and permits as they travel over the mesh, one topic a plan, bounded on the way in. */
import { decode, encode } from 'cborg'
import { z } from 'zod'
import type { Permit, Remediation, RemediationPhase } from './contract.ts'
import { hash, remediationSchema, text } from './schema.ts'

const REMEDIATION_TOPIC = 'remediation/'
const PERMIT_TOPIC = 'permit/'

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

const OPEN: ReadonlySet<RemediationPhase> = new Set(['awaiting-approval', 'applying', 'verifying'])

/** It waits or runs, and has not come to its end. */
export function isOpen({ phase }: Pick<Remediation, 'phase'>): boolean {
  return OPEN.has(phase)
}

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
  if (topic !== remediationTopic(plan.id)) throw new Error(`${signer} spoke of plan ${plan.id} under ${topic}`)
  return remediation
}

/** Throws an Error for anything but a permit. That its signer may permit is for the caller to check. */
export function decodePermit(bytes: Uint8Array): Permit {
  return permitSchema.parse(decodeStrictly(bytes))
}

function decodeStrictly(bytes: Uint8Array): unknown {
  return decode(bytes, { strict: true, rejectDuplicateMapKeys: true })
}
