/** A person said that nothing is to be begun for a time. */
import { formatDuration } from '../../common/duration.ts'
import { ALIKE, allow, type Guard, refuse } from './guard.ts'
import type { GuardView, Pause } from './view.ts'
import { listed } from './wording.ts'

export const pause: Guard = {
  name: 'pause',
  refuses: 'everything in the scope of a pause, until it ends or a person ends it',
  reachNone: ALIKE,
  limits: () => 'none until a person sets one',
  judge(view) {
    const now = view.pauses.filter((one) => one.untilMs > view.nowMs && covers(one, view))
    if (now.length === 0) return allow('nothing is paused here')
    const restMs = Math.max(...now.map(({ untilMs }) => untilMs - view.nowMs))
    const texts = now.map(({ scope, by, reason, until }) => `${scopeText(scope)} by ${by} until ${until} (${reason})`)
    return refuse(`paused for ${formatDuration(restMs)}: ${listed(texts)}`, restMs)
  },
}

function covers({ scope }: Pause, { nodes, request }: GuardView): boolean {
  if (scope.kind === 'all') return true
  return scope.name === (scope.kind === 'node' ? request.node : nodes.get(request.node)?.pool)
}

function scopeText(scope: Pause['scope']): string {
  return scope.kind === 'all' ? 'everything' : `${scope.kind} ${scope.name}`
}
