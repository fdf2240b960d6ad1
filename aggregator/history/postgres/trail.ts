/** The trail of a history in PostgreSQL: the same links and heads as in a file. */
import { type HeadSigner, headIn, type SignedHead, signHead } from '../../audit/head.ts'
import { TRAIL_PAGE, type Trail, type TrailFrame } from '../../audit/trail.ts'
import { chainedOf } from './event-rows.ts'
import { lockChain, type PostgresServer, type Session } from './server.ts'

export interface PostgresTrail extends Trail {
  /** As of a trail on this machine's disk. */
  seal(signer: HeadSigner): Promise<SignedHead | undefined>
  cut(signer: HeadSigner, place: number): Promise<void>
}

export function postgresTrail(server: PostgresServer): PostgresTrail {
  return {
    frame: () => frameOf(server),

    async rows(after) {
      const sql = `SELECT * FROM starling.events WHERE seq > $1 ORDER BY seq LIMIT ${TRAIL_PAGE}`
      return (await server.rows(sql, [after])).map(chainedOf)
    },

    async signed(after) {
      const sql = `SELECT * FROM starling.heads WHERE number > $1 ORDER BY number LIMIT ${TRAIL_PAGE}`
      return (await server.rows(sql, [after])).map(headIn)
    },

    seal: (signer) =>
      server.inTransaction(async (session) => {
        await lockChain(session)
        const { first, given } = await frameOf(session)
        const last = await soundHead(session)
        return given < first || last?.seq === given ? undefined : await sign(session, signer, first)
      }),

    cut: (signer, place) =>
      server.inTransaction(async (session) => {
        await lockChain(session)
        const { first, given } = await frameOf(session)
        // Another aggregator was first.
        if (place <= first) return
        if (place > given) throw new Error(`the chain ends at ${given}: it cannot begin at ${place}`)
        await soundHead(session)
        const hash = await hashAt(session, place - 1)
        await sign(session, signer, place)
        await session.rows('UPDATE starling.chain SET first = $1, cut = $1, before = $2', [place, hash])
      }),
  }
}

async function frameOf(session: Session): Promise<TrailFrame> {
  const [row] = await session.rows(`
    SELECT first, before, given, (SELECT count(*) FROM starling.events WHERE seq < first) AS earlier,
      (SELECT coalesce(max(number), 0) FROM starling.heads) AS heads
    FROM starling.chain`)
  if (row === undefined) throw new Error('the history says nowhere where its chain begins')
  const { first, before, given, earlier, heads } = row
  const counts = { earlier: Number(earlier), given: Number(given), heads: Number(heads) }
  return { first: Number(first), before: String(before), ...counts }
}

/** The last head, which fits what stands there. */
async function soundHead(session: Session): Promise<SignedHead | undefined> {
  const [row] = await session.rows('SELECT * FROM starling.heads ORDER BY number DESC LIMIT 1')
  if (row === undefined) return undefined
  const last = headIn(row)
  if ((await hashAt(session, last.seq)) === last.hash) return last
  throw new Error(`event ${last.seq} is not what head ${last.number} was signed for: the history was changed`)
}

async function sign(session: Session, signer: HeadSigner, first: number): Promise<SignedHead> {
  const { given, heads } = await frameOf(session)
  const hash = await hashAt(session, given)
  const head = signHead(signer, { number: heads + 1, first, seq: given, hash, at: new Date().toISOString() })
  const { number, seq, at, node, signer: key, signature } = head
  const values = [number, seq, first, hash, at, node, key, signature]
  await session.rows('INSERT INTO starling.heads VALUES ($1, $2, $3, $4, $5, $6, $7, $8)', values)
  return head
}

async function hashAt(session: Session, seq: number): Promise<string> {
  const [row] = await session.rows('SELECT hash FROM starling.events WHERE seq = $1', [seq])
  if (row === undefined) throw new Error(`event ${seq} is gone: the history was changed`)
  return Buffer.from(row.hash as Uint8Array).toString('hex')
}
