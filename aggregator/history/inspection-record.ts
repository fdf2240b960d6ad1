/** An inspection as it is kept: what a list of them shows as text, and the long rest packed. */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { InspectionRun } from '../../inspection/model.ts'
import type { InspectionHead } from './history.ts'

/** Far above what a run over a large fleet fills. */
const DETAILS_BYTES_MAX = 256 * 1024 * 1024

export interface InspectionRecord {
  readonly head: string
  readonly details: Uint8Array
}

export function packInspection({ troubles, silent, ...head }: InspectionRun): InspectionRecord {
  return { head: JSON.stringify(head), details: deflateRawSync(JSON.stringify({ troubles, silent })) }
}

export function headOf(head: string): InspectionHead {
  return JSON.parse(head) as InspectionHead
}

export function unpackInspection({ head, details }: InspectionRecord): InspectionRun {
  const text = inflateRawSync(details, { maxOutputLength: DETAILS_BYTES_MAX }).toString()
  return { ...headOf(head), ...(JSON.parse(text) as Pick<InspectionRun, 'troubles' | 'silent'>) }
}
