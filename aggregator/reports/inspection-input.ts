/** What the report of an inspection is made of, and how its columns look. Pure. */
import type { Language } from '../../common/languages.ts'
import type { Deltas } from '../../inspection/deltas.ts'
import { type InspectionPlace, inspectionPath } from '../../inspection/links.ts'
import { type CheckRow, type Column, type InspectionRun, TROUBLE_COLUMNS } from '../../inspection/model.ts'
import type { Tone } from './layout.ts'

export interface InspectionReportInput {
  readonly run: InspectionRun
  /** Against the one before it; undefined when there is none. */
  readonly deltas: Deltas | undefined
  readonly role: string
  readonly language: Language
  /** IANA name. */
  readonly zone: string
  /** Where people open the page, without a slash at its end; without it nothing is linked. */
  readonly page: string | undefined
}

export const TONES: Readonly<Record<Column, Tone>> = {
  error: 'error',
  alarm: 'alarm',
  warn: 'warn',
  info: 'plain',
  unknown: 'unknown',
  silent: 'silent',
  notApplicable: 'muted',
}

/** Where on the page a figure of this role is explained. */
export function linkTo({ page, run, role }: InspectionReportInput, place: Omit<InspectionPlace, 'id' | 'role'> = {}) {
  return page === undefined ? undefined : page + inspectionPath({ id: run.id, role, ...place })
}

/** By errors, then alarms, and so on; else in the profile's order. */
export function worstFirst(a: CheckRow, b: CheckRow): number {
  for (const column of TROUBLE_COLUMNS) {
    const difference = b.counts[column] - a.counts[column]
    if (difference !== 0) return difference
  }
  return 0
}
