/** The columns of a row of events that mean the same to all who read it; its data is text to some and a value to others. */
import type { SQLOutputValue } from 'node:sqlite'
import type { EventKind, StoredEvent } from '../model.ts'

export function columnsOf(row: Record<string, SQLOutputValue>): Omit<StoredEvent, 'data'> {
  return {
    seq: Number(row.seq),
    id: String(row.id),
    at: String(row.at),
    kind: String(row.kind) as EventKind,
    node: String(row.node),
    tone: String(row.tone) as StoredEvent['tone'],
    summary: String(row.summary),
    causedBy: String(row.caused_by),
  }
}
