/** A leader that may decide nothing permits nothing: frozen, without a quorum, or blind. */
import { ALIKE, allow, type Guard, HARD, refuse } from './guard.ts'

const REST_MS = 60_000

export const restrained: Guard = {
  name: 'restrained',
  refuses: 'everything while the leader is frozen, has no quorum, or is blind',
  reachNone: ALIKE,
  limits: () => HARD,
  judge({ restrained: why }) {
    if (why === undefined) return allow('the leader may decide')
    return refuse(`the leader may decide nothing now: ${why}`, REST_MS)
  },
}
