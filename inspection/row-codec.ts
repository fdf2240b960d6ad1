/** A node's row of an inspection as bytes: compact, since ten thousand go to one place, and bounded on the way in. */
import { z } from 'zod'
import { decodeValue, encodeValue } from '../mesh/wire/codec.ts'
import { ROW_BYTES_MAX } from '../mesh/wire/convergecast.ts'
import { MEASURES, type MeasureName, type Measures } from './measures.ts'
import type { RowFinding, RowStatus, SummaryRow } from './row.ts'

/** What nodes are asked for. */
export const INSPECTION_TOPIC = 'inspection'

/** Characters that a summary is cut to, the first that let the row fit; the whole of it is in the node's findings. */
const SUMMARY_LENGTHS = [200, 80, 30, 0] as const
const SUMMARY_LENGTH_MAX = SUMMARY_LENGTHS[0]

/** In the order of their numbers on the wire, worst first. */
const STATUSES = ['error', 'alarm', 'warn', 'info', 'unknown', 'not-applicable'] as const satisfies RowStatus[]

/** Detectors of one node, plugins among them. */
const DETECTORS_MAX = 256

const name = z.string().min(1).max(63)
const measure = z.enum(Object.keys(MEASURES) as [MeasureName, ...MeasureName[]])

const rowSchema = z.tuple([
  z.iso.datetime(),
  z.array(name).max(DETECTORS_MAX),
  z
    .array(
      z.tuple([
        name,
        z
          .int()
          .min(0)
          .max(STATUSES.length - 1),
        name,
        z.string().max(2 * SUMMARY_LENGTH_MAX),
      ]),
    )
    .max(DETECTORS_MAX),
  z.partialRecord(measure, z.number()),
  z.record(name, z.int().min(0)),
])

/** What is asked of each node: how these detectors are, or all of them. More than so many are asked for as all. */
export interface RowQuery {
  readonly detectors?: readonly string[] | undefined
}

const NAMED_MAX = 200
const querySchema = z.strictObject({ detectors: z.array(name).max(NAMED_MAX).optional() })

export function encodeRowQuery({ detectors }: RowQuery): Uint8Array {
  return encodeValue(detectors === undefined || detectors.length > NAMED_MAX ? {} : { detectors })
}

/** Throws an Error for anything else, as `decodeRow`. */
export function decodeRowQuery(bytes: Uint8Array): RowQuery {
  return decodeValue(querySchema, bytes)
}

/**
 * Of at most ROW_BYTES_MAX bytes: summaries are shortened as far as it takes, and findings left out from the last when
 * nothing else helps.
 */
export function encodeRow(row: Omit<SummaryRow, 'node'>): Uint8Array {
  for (const length of SUMMARY_LENGTHS) {
    const bytes = encodeWith(row, row.findings, length)
    if (bytes.length <= ROW_BYTES_MAX) return bytes
  }
  for (let findings = row.findings; ; findings = findings.slice(0, -1)) {
    const bytes = encodeWith(row, findings, 0)
    if (bytes.length <= ROW_BYTES_MAX || findings.length === 0) return bytes
  }
}

export function decodeRow(node: string, bytes: Uint8Array): SummaryRow {
  const [at, fine, findings, measures, older] = decodeValue(rowSchema, bytes)
  return {
    node,
    at,
    fine,
    findings: findings.map(([detector, status, reason, summary]) => {
      return { detector, status: STATUSES[status] ?? 'unknown', reason, summary }
    }),
    measures: measures as Measures,
    older,
  }
}

function encodeWith(row: Omit<SummaryRow, 'node'>, findings: readonly RowFinding[], length: number): Uint8Array {
  const { at, fine, measures, older = {} } = row
  const said = findings.map(({ detector, status, reason, summary }) => {
    return [detector, STATUSES.indexOf(status), reason, cut(summary, length)]
  })
  // Seven figures are enough, and half the bytes.
  const figures = Object.entries(measures).filter(([, value]) => Number.isFinite(value))
  return encodeValue([
    at,
    fine,
    said,
    Object.fromEntries(figures.map(([each, value]) => [each, Math.fround(value)])),
    older,
  ])
}

/** Whole characters, and the dots that say that there was more. */
function cut(text: string, length: number): string {
  const characters = [...text.toWellFormed()]
  if (characters.length <= length) return characters.join('')
  return length === 0 ? '' : `${characters.slice(0, length - 1).join('')}…`
}
