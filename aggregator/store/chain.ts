/** Puts an event into its place at the end of the chain. */
import type { DatabaseSync } from 'node:sqlite'
import { CHAIN_ROOT, linkHash } from '../audit/chain.ts'
import type { Event } from '../model.ts'

/** Called within a transaction; answers the place that it gave, and throws as SQLite does. */
export function chainOf(database: DatabaseSync): (event: Event) => number {
  const selectGiven = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
  const selectEnd = database.prepare('SELECT hash FROM events ORDER BY seq DESC LIMIT 1')
  const insert = database.prepare(`
    INSERT INTO events (seq, id, at, kind, node, tone, summary, caused_by, data, hash)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  return ({ id, at, kind, node, tone, summary, causedBy, data }) => {
    const seq = Number(selectGiven.get()?.seq ?? 0) + 1
    const before = selectEnd.get()?.hash ?? CHAIN_ROOT
    const row = {
      seq,
      id: id.toWellFormed(),
      at,
      kind,
      node: node.toWellFormed(),
      tone,
      // SQLite keeps UTF-8, in which half a surrogate pair has no form: hashed is what will be read again.
      summary: summary.toWellFormed(),
      causedBy: causedBy.toWellFormed(),
      data: JSON.stringify(data),
    }
    const hash = linkHash(String(before), row)
    insert.run(seq, row.id, at, kind, row.node, tone, row.summary, row.causedBy, row.data, hash)
    return seq
  }
}
