/** Of the control plane one node at a time is disturbed, by anyone. */
import { counted } from '../../common/counted.ts'
import { disrupted, disturbs } from './disruption.ts'
import { allow, type Guard, HARD, ofMember, PASSES, refuse } from './guard.ts'
import type { NodeFacts } from './view.ts'
import { listed } from './wording.ts'

const REST_MS = 120_000

/** The label of a node's role, and what it was called up to Kubernetes 1.23. */
const ROLES: readonly string[] = ['control-plane', 'master']

export const controlPlaneOneAtATime: Guard = {
  name: 'control-plane-one-at-a-time',
  refuses: 'a node of the control plane while another of it is disrupted, by anyone',
  reachNone: PASSES,
  limits: () => HARD,
  judge: ofMember((facts, view) => {
    if (!isOfControlPlane(facts)) return allow('the node is not of the control plane')
    if (!disturbs(view.plan)) return allow('the fix stops no process')
    const others = [...view.nodes].filter(([name, other]) => name !== view.plan.node && isOfControlPlane(other))
    const gone = disrupted(view)
    const who = others.flatMap(([name]) => (gone.has(name) ? `${name} (${gone.get(name)})` : []))
    const figures = `${who.length} of the ${counted(others.length, 'other node')} of the control plane ${who.length === 1 ? 'is' : 'are'} disrupted`
    return who.length === 0 ? allow(figures) : refuse(`${figures}: ${listed(who)}`, REST_MS)
  }),
}

function isOfControlPlane({ roles }: NodeFacts): boolean {
  return roles.some((role) => ROLES.includes(role))
}
