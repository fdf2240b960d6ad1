/** Checking and writing out a history, from a file or from an aggregator that is asked. */
import type { AuditResult, Trust } from '../../aggregator/audit/check.ts'
import type { Trail } from '../../aggregator/audit/trail.ts'
import { checkTrail, walk } from '../../aggregator/audit/walk.ts'
import { withTrailIn } from '../../aggregator/store/trail-file.ts'
import { createClient } from '../client.ts'
import { type ConnectionFlags, resolveConnection } from '../connection.ts'
import { print, showProgress } from '../output.ts'
import { signersOf, type TrustOptions } from './trust.ts'

export interface Source extends ConnectionFlags {
  readonly store?: string
}

export async function verify(source: Source, trust: TrustOptions, noted: Trust['noted']): Promise<AuditResult> {
  const signers = signersOf(trust)
  const progress = showProgress('checking the history')
  try {
    const given = { mesh: trust.mesh, signers, ...(noted === undefined ? {} : { noted }) }
    return await withTrail(source, (trail) => checkTrail(trail, given, progress.tell))
  } finally {
    progress.end()
  }
}

/** One JSON object a line: the frame, then each event with its hash, and after it the heads that were signed for it. */
export async function write(source: Source): Promise<void> {
  await withTrail(source, async (trail) => {
    const frame = await trail.frame()
    print(`${JSON.stringify({ frame })}\n`)
    for await (const { row, head } of walk(trail, frame)) {
      print(`${JSON.stringify(row === undefined ? { head } : { event: row })}\n`)
    }
  })
}

async function withTrail<T>({ store, ...flags }: Source, look: (trail: Trail) => Promise<T>): Promise<T> {
  if (store !== undefined && /^postgres(ql)?:/.test(store)) {
    const { openPostgres } = await import('../../aggregator/history/postgres/history.ts')
    const history = openPostgres({ url: store, isReadOnly: true })
    return await look(history.trail).finally(() => history.close())
  }
  if (store !== undefined) return await withTrailIn(store, look)
  return await look(createClient(resolveConnection(flags)).trail)
}
