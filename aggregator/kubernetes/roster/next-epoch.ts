/** Which epoch may follow, given what is on record for all aggregators. Pure. */
import type { EpochRecord } from './epoch-record.ts'

/** An epoch that was recorded and reached nobody for so long died with its leader. */
const LOST_AFTER_MS = 60_000

export type NextEpoch =
  | { readonly kind: 'epoch'; readonly epoch: number }
  /** What was meant to be recorded is: the reply was lost, and it is to take effect now. */
  | { readonly kind: 'recorded' }
  | { readonly kind: 'wait'; readonly why: string }

export interface EpochFacts {
  readonly record: EpochRecord | undefined
  readonly inForce: Pick<EpochRecord, 'epoch' | 'hash'>
  /** The last that this leader tried to record, and does not know what became of it. */
  readonly meant: EpochRecord | undefined
  /** For how long this leader has seen this record without having the roster, ms. */
  readonly unknownForMs: number
}

export function nextEpoch({ record, inForce, meant, unknownForMs }: EpochFacts): NextEpoch {
  const after = { kind: 'epoch', epoch: Math.max(inForce.epoch, record?.epoch ?? 0) + 1 } as const
  if (record === undefined || isKnown(record, inForce)) return after
  if (isSame(record, meant) && record.epoch > inForce.epoch) return { kind: 'recorded' }
  if (unknownForMs >= LOST_AFTER_MS) return after
  return { kind: 'wait', why: `epoch ${record.epoch} is on record and has not come here yet` }
}

/** Whether the roster that it names is in force here, or was replaced by the one that is. */
export function isKnown({ epoch, hash }: EpochRecord, inForce: Pick<EpochRecord, 'epoch' | 'hash'>): boolean {
  return epoch < inForce.epoch || (epoch === inForce.epoch && hash === inForce.hash)
}

function isSame(record: EpochRecord, other: EpochRecord | undefined): boolean {
  return record.epoch === other?.epoch && record.hash === other.hash && record.term === other.term
}
