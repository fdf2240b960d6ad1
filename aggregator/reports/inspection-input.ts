/** What the report of an inspection is made of, and how its columns look. Pure. */
import { type Language, say } from '../../common/languages.ts'
import type { CheckRow, Column, InspectionRun } from '../../inspection/model.ts'
import type { Tone } from './layout.ts'
import { SILENT_WHYS } from './texts.ts'

export interface InspectionReportInput {
  readonly run: InspectionRun
  /** The one before it, for what changed. */
  readonly before: Pick<InspectionRun, 'finishedAt' | 'sections'> | undefined
  readonly role: string
  readonly language: Language
  /** IANA name. */
  readonly zone: string
  /** Where people open the page, without a slash at its end; without it nothing is linked. */
  readonly page: string | undefined
}

/** What somebody has to look at; the others are fine, do not apply, or are nodes rather than findings. */
export const TROUBLES = ['error', 'alarm', 'warn', 'unknown'] as const
export type TroubleColumn = (typeof TROUBLES)[number]

export const TONES: Readonly<Record<Column, Tone>> = {
  error: 'error',
  alarm: 'alarm',
  warn: 'warn',
  info: 'plain',
  unknown: 'unknown',
  silent: 'silent',
  notApplicable: 'muted',
}

export function silentWhy(why: string, language: Language): string {
  const known = Object.hasOwn(SILENT_WHYS, why) ? SILENT_WHYS[why] : undefined
  return known === undefined ? why : say(known, language)
}

/** By errors, then alarms, and so on; else in the profile's order. */
export function worstFirst(a: CheckRow, b: CheckRow): number {
  for (const column of TROUBLES) {
    const difference = b.counts[column] - a.counts[column]
    if (difference !== 0) return difference
  }
  return 0
}
