/**
 * Many nodes that ask for something new within a short time are a storm, whatever each of them asks for: nothing is begun
 * until it is over. It is over when no more than half as many have asked for a while, so it does not end and begin again
 * with each request. What puts a change back is no request and is never stopped by a storm.
 */
import { counted } from '../../common/counted.ts'
import { formatDuration } from '../../common/duration.ts'
import { ALIKE, allow, type Guard, memberCount, refuse } from './guard.ts'
import type { GuardSettings, Share } from './settings.ts'
import { type Happening, levels } from './sliding.ts'
import { larger } from './wording.ts'

export const storm: Guard = {
  name: 'storm',
  refuses: 'everything once many nodes asked for something new within a time, until it was quiet; never what puts back',
  reachNone: ALIKE,
  limits: ({ storm: { withinMs, quietMs, ...share } }) =>
    `${larger(share)}, within ${formatDuration(withinMs)}; quiet for ${formatDuration(quietMs)}`,
  judge(view, settings) {
    const { nowMs, requests } = view
    const { withinMs } = settings.storm
    const limit = stormAbove(settings.storm, memberCount(view))
    const asking = new Set(requests.filter(({ atMs }) => nowMs - atMs <= withinMs).map(({ node }) => node)).size
    const asked = `${counted(asking, 'node')} asked for something new within ${formatDuration(withinMs)}`
    const restMs = stormEnd(firsts(requests), settings.storm, limit) - nowMs
    if (restMs <= 0) return allow(`${asked}, and more than ${limit} would be a storm`)
    return refuse(`${asked}: it is a storm since more than ${limit} did, for ${formatDuration(restMs)} more`, restMs)
  },
}

/** More nodes than this: the larger of the two. */
export function stormAbove({ percent, nodes }: Share, size: number): number {
  return Math.max(nodes, Math.floor((percent * size) / 100))
}

/** Of each plan the first request: to ask again is nothing new. */
function firsts(requests: readonly (Happening & { readonly planId: string })[]): readonly Happening[] {
  const byPlan = new Map(requests.toSorted((a, b) => b.atMs - a.atMs).map((request) => [request.planId, request]))
  return [...byPlan.values()]
}

/** When the last storm is over, if nothing new comes; in the past for one that is over, -Infinity when there was none. */
function stormEnd(asked: readonly Happening[], { withinMs, quietMs }: GuardSettings['storm'], limit: number): number {
  const calmAt = Math.floor(limit / 2)
  let end = Number.NEGATIVE_INFINITY
  let isRaging = false
  for (const { atMs, nodes } of levels(asked, withinMs)) {
    if (nodes > limit || (nodes > calmAt && atMs < end)) isRaging = true
    if (nodes <= calmAt && isRaging) {
      isRaging = false
      end = atMs + quietMs
    }
  }
  return end
}
