/** A detector's report as it travels over the mesh: a note by its node, one topic a detector, bounded on the way in. */
import { decode, encode } from 'cborg'
import { z } from 'zod'
import { type Finding, SEVERITIES } from '../contract.ts'
import { VERSION_LENGTH_MAX } from './bounds.ts'

const TOPIC = 'finding/'

const text = z.string().max(1_000)
/** Three intervals of a detector that looks once a day: whoever says more would never be held to it. */
const TTL_MS_MAX = 3 * 86_400_000

const figure = z.union([z.number(), text])

/** What a newer agent says beyond this is left out, so that agents can be replaced before the aggregator is. */
export const findingSchema = z.object({
  id: text,
  node: z.string().min(1).max(253),
  detector: z.string().min(1).max(63),
  reason: z.string().min(1).max(63),
  cause: text,
  status: z.enum(['ok', ...SEVERITIES, 'unknown', 'not-applicable']),
  summary: text,
  evidence: z
    .array(z.strictObject({ name: text, value: figure, limit: figure.exactOptional(), unit: z.string().max(31) }))
    .max(64),
  since: z.iso.datetime(),
  observedAt: z.iso.datetime(),
  ttlMs: z.number().min(0).max(TTL_MS_MAX),
  held: z.enum(['clearing', 'flapping']).exactOptional(),
  version: z.string().max(VERSION_LENGTH_MAX).exactOptional(),
}) satisfies z.ZodType<Finding>

/** More causes than this under one detector are one fault with many faces; the rest is in the next report's summary. */
const FINDINGS_MAX = 64

/** What the mesh carries as one note. */
const REPORT_BYTES_MAX = 64 * 1024

const reportSchema = z.array(findingSchema).max(FINDINGS_MAX)

export function reportTopic(detector: string): string {
  return `${TOPIC}${detector}`
}

export function isReportTopic(topic: string): boolean {
  return topic.startsWith(TOPIC)
}

/** As many of the findings as fit, in their order: the worst come first. */
export function encodeReport(findings: readonly Finding[]): Uint8Array {
  for (let count = Math.min(findings.length, FINDINGS_MAX); ; count = Math.floor(count / 2)) {
    const bytes = encode(findings.slice(0, count))
    if (bytes.length <= REPORT_BYTES_MAX || count === 0) return bytes
  }
}

/** What `signer` says under `topic`. Throws an Error for anything but findings of its own, of that detector. */
export function decodeReport(signer: string, topic: string, bytes: Uint8Array): readonly Finding[] {
  const findings = reportSchema.parse(decode(bytes, { strict: true, rejectDuplicateMapKeys: true }))
  const foreign = findings.find(
    ({ id, node, detector }) => node !== signer || reportTopic(detector) !== topic || !id.startsWith(`${signer}/`),
  )
  if (foreign !== undefined) throw new Error(`${signer} reported ${foreign.id} under ${topic}`)
  return findings
}
