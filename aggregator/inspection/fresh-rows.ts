/** Rows that nodes make anew when they are asked: all of them at once, over the mesh. */
import type { SilentWhy } from '../../inspection/model.ts'
import type { SummaryRow } from '../../inspection/row.ts'

export interface FreshQuery {
  /** Whom to ask. */
  readonly nodes: readonly string[]
  /** By name, what they are to look at; without it everything. */
  readonly detectors?: readonly string[]
  /** Told while answers come in. */
  readonly onProgress?: (progress: FreshProgress) => void
}

export interface FreshProgress {
  readonly answered: number
  readonly of: number
}

export interface FreshAnswer {
  /** Each verified as the node's own word for this question, and each node once. */
  readonly rows: readonly SummaryRow[]
  readonly missing: readonly { readonly node: string; readonly why: SilentWhy }[]
}

export interface FreshRows {
  /** Rejects with StarlingError when nobody can be asked at present. */
  rows(query: FreshQuery): Promise<FreshAnswer>
}
