/** A leader that may decide nothing permits nothing: frozen, without a quorum, or blind. */
import { allow, type Guard, refuse } from './guard.ts'

const REST_MS = 60_000

export const restrained: Guard = {
  name: 'restrained',
  looksAt: 'whether the leader may decide anything: no freeze, a quorum, and sight of the mesh',
  reachNone: 'the same',
  limits: () => 'hard',
  judge({ restrained }) {
    if (restrained === undefined) return allow('the leader may decide')
    return refuse(`the leader may decide nothing now: ${restrained}`, REST_MS)
  },
}
