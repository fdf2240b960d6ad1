/** What is not known as of now is not decided on: a cordon of a second ago counts. */
import { ALIKE, allow, type Guard, HARD, ofMember, refuse } from './guard.ts'

const REST_MS = 60_000

export const freshView: Guard = {
  name: 'fresh-view',
  refuses: 'everything while the cluster cannot be read as of now, and nodes that are no members',
  reachNone: ALIKE,
  limits: () => HARD,
  judge: ofMember((_, { stale, nodes }) =>
    stale === undefined
      ? allow(`all that is asked of ${nodes.size} nodes was read at the request`)
      : refuse(`the cluster could not be read as of now: ${stale}`, REST_MS),
  ),
}
