/**
 * A pool in which a fix failed is left alone until a person has looked. A fault whose mildest fix had no effect may still
 * climb its ladder on its own node; what could not be put back, or has nothing left to be tried, stops that as well.
 */
import { counted } from '../../common/counted.ts'
import { formatDuration } from '../../common/duration.ts'
import { ALIKE, allow, type Guard, ofMember, refuse } from './guard.ts'
import { hasFailed, isGrave, isSameFault } from './outcomes.ts'
import type { EndedFix, GuardView } from './view.ts'
import { listed } from './wording.ts'

export const stopOnFailure: Guard = {
  name: 'stop-on-failure',
  refuses: 'everything in a pool where fixes failed, until a person releases it or the time is over',
  reachNone: ALIKE,
  limits: ({ stopOnFailure: { nodes, forMs } }) => `${counted(nodes, 'node')}, for ${formatDuration(forMs)}`,
  judge: ofMember(({ pool }, view, { stopOnFailure: { nodes, forMs } }) => {
    const where = pool === undefined ? 'the nodes in no pool' : `pool ${pool}`
    const failures = lastFailures(view, pool).filter(({ atMs }) => view.nowMs - atMs < forMs)
    const decisive = failures[nodes - 1]
    const failed = `fixes failed lately on ${counted(failures.length, 'node')} of ${where}`
    if (decisive === undefined) return allow(`${failed}, and ${nodes} would stop it`)
    const who = listed(failures.map(({ node, remediator, phase }) => `${remediator} on ${node} ${phase}`))
    const restMs = decisive.atMs + forMs - view.nowMs
    const command = `starling remediations release ${pool === undefined ? '' : `--pool ${pool} `}--reason TEXT`
    return refuse(`${failed}: ${who}; stopped for ${formatDuration(restMs)}, or until ${command}`, restMs)
  }),
}

/** Of each node of the pool the last, newest first, since a person released it. */
function lastFailures({ ended, releases, plan }: GuardView, pool: string | undefined): readonly EndedFix[] {
  const released = releases
    .filter(({ scope }) => scope.kind === 'all' || (scope.kind === 'pool' && scope.name === pool))
    .map(({ atMs }) => atMs)
  const since = Math.max(...released)
  const counting = ended.filter(
    (fix) => fix.pool === pool && fix.atMs > since && hasFailed(fix) && (isGrave(fix) || !isSameFault(fix, plan)),
  )
  const byNode = new Map(counting.toSorted((a, b) => a.atMs - b.atMs).map((fix) => [fix.node, fix]))
  return [...byNode.values()].toSorted((a, b) => b.atMs - a.atMs)
}
