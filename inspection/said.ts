/** What a node says of itself, as an inspection counts it: the worst of each detector, from its findings or from a fresh row. */
import type { Finding, FindingStatus } from '../detectors/contract.ts'
import type { Column } from './model.ts'
import type { SummaryRow } from './row.ts'

/** A column that one check of a node that is heard can be in. */
export type SaidColumn = Exclude<Column, 'silent'>

export interface Said {
  readonly column: SaidColumn
  readonly reason: string
  readonly summary: string
  /** Findings beside this one in the same column. */
  readonly more: number
}

/** By detector. */
export type SaidBy = ReadonlyMap<string, Said>

const COLUMN_OF: Readonly<Record<FindingStatus, SaidColumn>> = {
  error: 'error',
  alarm: 'alarm',
  warn: 'warn',
  unknown: 'unknown',
  info: 'info',
  ok: 'info',
  'not-applicable': 'notApplicable',
}

/** What is not known comes before what is fine: it may be anything. */
const RANK: Readonly<Record<SaidColumn, number>> = {
  error: 0,
  alarm: 1,
  warn: 2,
  unknown: 3,
  info: 4,
  notApplicable: 5,
}

/** Of a node that lives and has never said this. */
export const NOT_REPORTED: Said = { column: 'unknown', reason: 'NotReported', summary: '', more: 0 }
/** Of a check that this node has nothing for: nobody expects an answer. */
export const NOT_EXPECTED: Said = { column: 'notApplicable', reason: 'NotApplicable', summary: '', more: 0 }

/** By node. What expired must be `unknown` already, as whoever received it says. */
export function saidByFindings(findings: readonly Finding[]): ReadonlyMap<string, SaidBy> {
  const nodes = new Map<string, Map<string, Said>>()
  for (const { node, detector, status, reason, summary } of findings) {
    const said = nodes.get(node) ?? new Map<string, Said>()
    nodes.set(node, said)
    add(said, detector, { column: COLUMN_OF[status] ?? 'unknown', reason, summary, more: 0 })
  }
  return nodes
}

/** By node. */
export function saidByRows(rows: readonly SummaryRow[]): ReadonlyMap<string, SaidBy> {
  return new Map(
    rows.map(({ node, fine, findings }) => {
      const said = new Map<string, Said>()
      for (const detector of fine) add(said, detector, { column: 'info', reason: 'Ok', summary: '', more: 0 })
      for (const { detector, status, reason, summary } of findings) {
        add(said, detector, { column: COLUMN_OF[status] ?? 'unknown', reason, summary, more: 0 })
      }
      return [node, said]
    }),
  )
}

function add(said: Map<string, Said>, detector: string, one: Said): void {
  const before = said.get(detector)
  said.set(detector, before === undefined ? one : worse(before, one))
}

/** The worse of two; of the same column the first, knowing of the other. */
export function worse(a: Said, b: Said): Said {
  if (a.column === b.column) return isQuiet(a.column) ? a : { ...a, more: a.more + b.more + 1 }
  return RANK[a.column] < RANK[b.column] ? a : b
}

/** Nobody counts how often all is well. */
function isQuiet(column: SaidColumn): boolean {
  return column === 'info' || column === 'notApplicable'
}
