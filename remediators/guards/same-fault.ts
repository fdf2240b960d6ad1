/**
 * One fault on many nodes at about the same time has one cause, and it is not on the nodes: a roll-out, a mirror, a switch.
 * People are told; mending each node would hide it or make it worse. It counts by when the faults began, so waiting does
 * not help: it holds for as long as they stand, or until a person who has looked releases the reason.
 */
import { counted } from '../../common/counted.ts'
import { formatDuration } from '../../common/duration.ts'
import { ALIKE, allow, type Guard, memberCount, refuse } from './guard.ts'
import { wasCarriedOut } from './outcomes.ts'
import type { Share } from './settings.ts'
import { levels } from './sliding.ts'
import type { GuardView } from './view.ts'
import { larger } from './wording.ts'

const REST_MS = 600_000
/** One node alone shares nothing. */
const SHARED_MIN = 2

export const sameFault: Guard = {
  name: 'same-fault',
  refuses: 'a fault that many nodes got at about the same time, or all nodes of a tiny fleet',
  reachNone: ALIKE,
  limits: (settings) => `${larger(settings.sameFault)}, within ${formatDuration(settings.sameFault.withinMs)}`,
  judge(view, settings) {
    const { withinMs } = settings.sameFault
    const size = memberCount(view)
    const count = mostAtOnce(view, withinMs)
    const limit = systemicFrom(settings.sameFault, size)
    const got = `${count} of ${counted(size, 'node')} got ${view.plan.reason} within ${formatDuration(withinMs)}`
    if (count < limit) return allow(`${got}, and ${limit} would be systemic`)
    const command = `starling remediations release --fault ${view.plan.reason} --reason TEXT`
    return refuse(
      `${got}: from ${limit} on it is systemic, and people are to look; once they have: ${command}`,
      REST_MS,
    )
  },
}

/** From so many nodes on: the larger of the two, but never more than there are, and never one. */
export function systemicFrom({ percent, nodes }: Share, size: number): number {
  return Math.max(SHARED_MIN, Math.min(size, Math.max(nodes, Math.ceil((percent * size) / 100))))
}

/**
 * The most nodes that got the plan's reason within any such time in which its own fault began. One that was mended has it no
 * more, and counts by when it was: else what spreads as fast as it is mended would never be seen.
 */
function mostAtOnce({ faults, ended, plan, releases, nowMs }: GuardView, withinMs: number): number {
  const released = releases
    .filter(({ scope }) => scope.kind === 'all' || (scope.kind === 'reason' && scope.name === plan.reason))
    .map(({ atMs }) => atMs)
  const since = Math.max(...released)
  const alike = faults.filter(({ reason }) => reason === plan.reason)
  const own = alike.find(({ node, cause }) => node === plan.node && cause === plan.cause)?.sinceMs ?? nowMs
  const mended = ended.filter((fix) => fix.reason === plan.reason && wasCarriedOut(fix))
  const others = [...alike.map(({ node, sinceMs }) => ({ node, atMs: sinceMs })), ...mended].filter(
    ({ node, atMs }) => node !== plan.node && atMs > since,
  )
  return levels([...others, { node: plan.node, atMs: own }], withinMs)
    .filter(({ atMs }) => atMs >= own && atMs <= own + withinMs)
    .reduce((most, { nodes }) => Math.max(most, nodes), 1)
}
