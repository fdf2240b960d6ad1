/** Whether a history in PostgreSQL still is the one that was seen: a server that is set back to a backup forgets the end of it. */
import { randomBytes } from 'node:crypto'
import { lockChain, type PostgresServer, type Session } from './server.ts'

/** An end of the chain: the hash vouches for all that is before it. */
export interface ChainEnd {
  readonly seq: number
  readonly hash: string
}

export interface Standing {
  /** What cursors call it: in another one, numbers mean other events. */
  readonly name: string
  readonly end: ChainEnd
  /** What was seen is there still, or was let go of in its time. */
  readonly isAsSeen: boolean
}

/** Without `seen` all is as it was seen. */
export async function standingOf(session: Session, seen: ChainEnd | undefined): Promise<Standing> {
  const [row] = await session.rows(
    'SELECT *, (SELECT hash FROM starling.events WHERE seq = $1) AS there FROM starling.chain',
    [seen?.seq ?? 0],
  )
  if (row === undefined) throw new Error('the history says nowhere where its chain ends')
  const there = row.there instanceof Uint8Array ? Buffer.from(row.there).toString('hex') : undefined
  const isAsSeen = seen === undefined || (there === undefined ? seen.seq < Number(row.first) : there === seen.hash)
  return { name: String(row.name), end: { seq: Number(row.given), hash: String(row.hash) }, isAsSeen }
}

/** Gives it a new name, so that cursors of before are refused. */
export async function rename(server: PostgresServer): Promise<void> {
  await server.inTransaction(async (session) => {
    await lockChain(session)
    await session.rows('UPDATE starling.chain SET name = $1', [randomBytes(16).toString('hex')])
  })
}
