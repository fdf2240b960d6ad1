/**
 * When much of a zone is unhealthy at once the zone is at fault, or whoever looks at it: as the node lifecycle controller
 * of Kubernetes, which then evicts slowly or not at all. A zone without a healthy node is no better than a partial one.
 */
import { counted } from '../../common/counted.ts'
import { disturbs, otherPermits } from './disruption.ts'
import { allow, type Guard, type Judgement, ofMember, refuse } from './guard.ts'
import type { GuardSettings } from './settings.ts'
import type { GuardView } from './view.ts'

const REST_MS = 300_000

/** As there (ComputeZoneState): one or two unhealthy nodes say nothing about a zone. It keeps tiny fleets mendable. */
const TELLING_MIN = 3

export const zoneState: Guard = {
  name: 'zone-state',
  refuses:
    'in a small cluster what disturbs a zone that is mostly unhealthy, in a large one all but one at a time; everything once no node of any zone is healthy',
  reachNone: 'passes, unless no node of any zone is healthy',
  limits: ({ zones }) =>
    `from ${zones.unhealthyPercent} % on, ${TELLING_MIN} nodes at least; small are up to ${counted(zones.smallCluster, 'node')}`,
  judge: ofMember(({ zone }, view, { zones }) => {
    const members = [...view.nodes.values()]
    const isHealthy = members.some(({ isDown }) => !isDown)
    if (!isHealthy && members.length >= TELLING_MIN)
      return refuse(`none of ${members.length} nodes is healthy in any zone: nobody may be seeing right`, REST_MS)
    const own = members.filter((facts) => facts.zone === zone)
    const down = own.filter(({ isDown }) => isDown).length
    const state = `${down} of ${counted(own.length, 'node')} of zone ${zone} ${down === 1 ? 'is' : 'are'} unhealthy`
    const isTelling = down >= TELLING_MIN && down * 100 >= zones.unhealthyPercent * own.length
    if (!(isTelling && disturbs(view.plan))) return allow(state)
    if (down === own.length) return refuse(`${state}, all of it`, REST_MS)
    return judgePartial(state, zone, view, zones)
  }),
}

function judgePartial(state: string, zone: string, view: GuardView, zones: GuardSettings['zones']): Judgement {
  const size = view.nodes.size
  if (size <= zones.smallCluster)
    return refuse(
      `${state}, ${zones.unhealthyPercent} % or more, in a cluster of only ${counted(size, 'node')}`,
      REST_MS,
    )
  const other = otherPermits(view).find(
    (permit) => disturbs(permit) && view.nodes.get(permit.node)?.zone === zone && permit.node !== view.plan.node,
  )
  if (other === undefined) return allow(`${state}, and no other fix is under way there`)
  return refuse(`${state}, so one fix at a time: ${other.node} is in the hands of ${other.remediator}`, REST_MS)
}
