/** Leads a check along a trail page by page, wherever the trail comes from: a file, or an aggregator that is asked. */
import type { ChainedRow } from './chain.ts'
import { type AuditResult, ChainCheck, type Trust } from './check.ts'
import type { SignedHead } from './head.ts'
import type { Trail, TrailFrame } from './trail.ts'

/** `onProgress`: how many places of how many are behind. Rejects as the trail does. */
export async function checkTrail(
  trail: Trail,
  trust: Trust,
  onProgress: (done: number, of: number) => void = () => {},
): Promise<AuditResult> {
  const frame = await trail.frame()
  const check = new ChainCheck(frame, trust)
  for await (const { row, head } of walk(trail, frame)) {
    if (row !== undefined) {
      check.row(row)
      if ((row.seq - frame.first) % 1_000 === 0) onProgress(row.seq - frame.first, frame.given - frame.first + 1)
    } else check.head(head)
    if (check.isOver) break
  }
  return check.end()
}

type Step = { readonly row: ChainedRow; readonly head?: never } | { readonly row?: never; readonly head: SignedHead }

/** Each event of the frame, and after it the heads that were signed for it. What is stored meanwhile is left out. */
export async function* walk(trail: Trail, { first, given, heads: signed }: TrailFrame): AsyncGenerator<Step> {
  const heads = paged(
    async (after) => await trail.signed(after),
    ({ number }: SignedHead) => number,
    0,
  )
  const rows = paged(
    async (after) => await trail.rows(after),
    ({ seq }: ChainedRow) => seq,
    first - 1,
  )
  let head = (await heads.next()).value
  for await (const row of rows) {
    if (row.seq > given) break
    // One for events that are gone is told before the next that is there.
    for (; head !== undefined && head.seq < row.seq; head = (await heads.next()).value) yield { head }
    yield { row }
  }
  for (; head !== undefined && head.number <= signed; head = (await heads.next()).value) yield { head }
}

async function* paged<T>(
  read: (after: number) => Promise<readonly T[]>,
  placeOf: (item: T) => number,
  from: number,
): AsyncGenerator<T, undefined> {
  for (let after = from; ; ) {
    const page = await read(after)
    yield* page
    const last = page.at(-1)
    if (last === undefined) return undefined
    after = placeOf(last)
  }
}
