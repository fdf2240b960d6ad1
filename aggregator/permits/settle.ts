/** The record with all taken into account that nodes have said since, and that the mesh has decided about them. Pure. */
import { afterDeath, afterWord, type Book, KEPT_MS, pruned } from './book.ts'
import type { Said } from './said.ts'
import type { MeshNow } from './view.ts'

export interface SettleInit {
  readonly said: readonly Said[]
  readonly mesh: Pick<MeshNow, 'members' | 'standing'>
  /** Monotonic and wall clock, ms. */
  readonly nowMs: number
  readonly wallMs: number
}

/** `book` itself when nothing is new. */
export function settle(book: Book, { said, mesh, nowMs, wallMs }: SettleInit): Book {
  const pools = new Map(mesh.members.map(({ node, pool }) => [node, pool]))
  let settled = book
  for (const one of said) {
    const heard = (ageMs: number) => heardAt(one, ageMs, nowMs, wallMs)
    settled = afterWord(settled, one, heard, pools.get(one.remediation.plan.node))
  }
  const isDead = (node: string) => mesh.standing.get(node)?.kind === 'NodeDown'
  return pruned(afterDeath(settled, isDead), wallMs)
}

/** Of what was so old when it was said. RFC 3339; undefined when it was so long ago that nobody asks. */
function heardAt({ heardMs, remediation }: Said, ageMs: number, nowMs: number, wallMs: number): string | undefined {
  // What another life of this process heard has only its node's own time.
  const said = heardMs === Number.NEGATIVE_INFINITY ? Date.parse(remediation.at) : wallMs - (nowMs - heardMs)
  const heard = said - ageMs
  return wallMs - heard < KEPT_MS ? new Date(Math.min(heard, wallMs)).toISOString() : undefined
}
