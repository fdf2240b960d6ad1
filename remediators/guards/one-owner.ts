/** A node is in one pair of hands at a time: somebody else's, or one of our plans'. */
import { disturbs, otherPermits } from './disruption.ts'
import { allow, type Guard, HARD, ofMember, refuse } from './guard.ts'

/** Others take their time: a drain alone waits for pods to end. */
const TAKEN_REST_MS = 300_000
const OWN_REST_MS = 60_000

export const oneOwner: Guard = {
  name: 'one-owner',
  refuses: 'a second plan on a node, and a node that somebody else has in hand: cordoned, drained, rebooted, removed',
  reachNone: 'passes what somebody else has in hand',
  limits: () => HARD,
  judge: ofMember(({ takenBy }, view) => {
    const { node } = view.request
    const own = otherPermits(view).find((permit) => permit.node === node)
    if (own !== undefined)
      return refuse(`${own.remediator} is at work on ${node}, with plan ${own.planId}`, OWN_REST_MS)
    if (takenBy !== undefined && disturbs(view.plan))
      return refuse(`somebody else has ${node} in hand: ${takenBy}`, TAKEN_REST_MS)
    return allow(takenBy === undefined ? `nobody has ${node} in hand` : `${takenBy}, and the fix stops no process`)
  }),
}
