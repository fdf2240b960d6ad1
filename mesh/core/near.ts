/**
 * Notes for neighbours only: those with an edge to this node. They go over that edge and no further, so that what they cost
 * does not grow with the mesh, and neighbours hear one another also when there is no leader. Each is said anew to a peer
 * whose edge opens. An agent that does not know of them takes them for notes to the leader, which drops them.
 */
import type { SignedStatement, StatementBody } from './model.ts'

/** What their topics begin with. */
export const NEAR_TOPICS = 'near/'

export function isNear(body: StatementBody): boolean {
  return body.kind === 'note' && body.topic.startsWith(NEAR_TOPICS)
}

/** It was for `from`, who should have kept it: taken here it would hide what its signer says to this node. */
export function wentTooFar({ statement }: SignedStatement, from: string): boolean {
  return isNear(statement.body) && statement.signer !== from
}
