/** What the API says of inspections. */
import type { Deltas } from '../../inspection/deltas.ts'
import type { Counts, InspectionRun } from '../../inspection/model.ts'
import type { InspectionHead } from '../history/history.ts'
import type { FreshProgress } from './fresh-rows.ts'

/** What becomes of an order: fresh ones take a while. */
export type InspectionState =
  | { readonly kind: 'done'; readonly run: InspectionRun }
  | { readonly kind: 'running'; readonly id: string; readonly progress: FreshProgress }
  | { readonly kind: 'failed'; readonly id: string; readonly why: string }

/** With what changed since the one before; null when there is none to hold it against. A failed one is a problem document. */
export type InspectionAnswer =
  | Extract<InspectionState, { kind: 'running' }>
  | (Extract<InspectionState, { kind: 'done' }> & { readonly deltas: Deltas | null })

/** One of a list: counts over all roles, a node with several counted in each. */
export type InspectionSummary = Omit<InspectionHead, 'sections'> & { readonly counts: Counts }

/** What is asked for; without roles or checks all of the profile. */
export interface InspectionOrderBody {
  readonly profile?: string
  readonly roles?: readonly string[]
  readonly checks?: readonly string[]
  readonly fresh?: boolean
}
