/** The trail of a history on SQLite: its rows as they stand, and its signed heads. */
import type { DatabaseSync } from 'node:sqlite'
import { type HeadSigner, headIn, type SignedHead, signHead } from '../audit/head.ts'
import { type SealedTrail, TRAIL_PAGE, type TrailFrame } from '../audit/trail.ts'
import { eventRowsOf } from './event-rows.ts'
import { inTransaction } from './transaction.ts'

export function trailOf(database: DatabaseSync): SealedTrail {
  const selectFrame = database.prepare(`
    SELECT first, before,
      (SELECT count(*) FROM events WHERE seq < first) AS earlier,
      max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0),
          coalesce((SELECT max(seq) FROM events), 0)) AS given,
      coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'heads'), 0) AS heads
    FROM chain`)
  const selectRows = database.prepare(`SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT ${TRAIL_PAGE}`)
  const selectHeads = database.prepare(`SELECT * FROM heads WHERE number > ? ORDER BY number LIMIT ${TRAIL_PAGE}`)
  const selectLastHead = database.prepare('SELECT * FROM heads ORDER BY number DESC LIMIT 1')
  const selectHash = database.prepare('SELECT hash FROM events WHERE seq = ?')
  const insertHead = database.prepare(`
    INSERT INTO heads (number, seq, first, hash, at, node, signer, signature) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)

  const selectCut = database.prepare('SELECT cut FROM chain')
  const moveCut = database.prepare('UPDATE chain SET cut = ?, first = ?, before = ?')
  const { chained } = eventRowsOf(database)

  const frame = (): TrailFrame => {
    const row = selectFrame.get()
    if (row === undefined) throw new Error('the history says nowhere where its chain begins')
    const { first, before, earlier, given, heads } = row
    const counts = { earlier: Number(earlier), given: Number(given), heads: Number(heads) }
    return { first: Number(first), before: String(before), ...counts }
  }
  const lastHead = (): SignedHead | undefined => {
    const row = selectLastHead.get()
    return row === undefined ? undefined : headIn(row)
  }
  const hashAt = (seq: number): string | undefined => {
    const hash = selectHash.get(seq)?.hash
    return hash instanceof Uint8Array ? Buffer.from(hash).toString('hex') : undefined
  }
  /** The last head, which fits what stands there. */
  const soundHead = (): SignedHead | undefined => {
    const last = lastHead()
    if (last !== undefined && hashAt(last.seq) !== last.hash)
      throw new Error(`event ${last.seq} is not what head ${last.number} was signed for: the history was changed`)
    return last
  }
  const sign = (signer: HeadSigner, first: number): SignedHead => {
    const { given, heads } = frame()
    const hash = hashAt(given)
    if (hash === undefined) throw new Error(`event ${given} is gone, or its hash: the history was changed`)
    const head = signHead(signer, { number: heads + 1, first, seq: given, hash, at: new Date().toISOString() })
    const { number, seq, at, node, signer: key, signature } = head
    insertHead.run(number, seq, first, hash, at, node, key, signature)
    return head
  }

  return {
    frame,
    rows: (after) => selectRows.all(after).map(chained),
    signed: (after) => selectHeads.all(after).map(headIn),

    unsealed() {
      const { first, given } = frame()
      return given - (lastHead()?.seq ?? first - 1)
    },

    seal(signer: HeadSigner) {
      return inTransaction(database, () => {
        const { first, given } = frame()
        const last = soundHead()
        return given < first || last?.seq === given ? undefined : sign(signer, first)
      })
    },

    cut(signer: HeadSigner, place: number) {
      inTransaction(database, () => {
        const { first, before, given } = frame()
        if (place > given) throw new Error(`the chain ends at ${given}: it cannot begin at ${place}`)
        // A crash came before what may go had gone.
        if (place <= Number(selectCut.get()?.cut)) return
        soundHead()
        if (place <= first) return void moveCut.run(place, first, String(before))
        const hash = hashAt(place - 1)
        if (hash === undefined) throw new Error(`event ${place - 1} is gone, or its hash: the history was changed`)
        sign(signer, place)
        moveCut.run(place, place, hash)
      })
    },
  }
}
