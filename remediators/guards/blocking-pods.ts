/** Some pods must be let finish: a backup, a migration, a long computation. */
import { counted } from '../../common/counted.ts'
import { disturbs } from './disruption.ts'
import { allow, type Guard, ofMember, PASSES, refuse } from './guard.ts'
import { listed } from './wording.ts'

const REST_MS = 300_000

export const blockingPods: Guard = {
  name: 'blocking-pods',
  refuses: 'what disturbs a node while a pod runs there that settings name',
  reachNone: PASSES,
  limits: (settings) => listed(settings.blockingPods) || 'none named',
  judge: ofMember(({ blockingPods: pods }, { plan }) => {
    const figures = `${counted(pods.length, 'blocking pod')} on ${plan.node}`
    if (pods.length === 0) return allow(figures)
    if (!disturbs(plan)) return allow(`${figures}, and the fix stops no process`)
    return refuse(`${figures}: ${listed(pods)}`, REST_MS)
  }),
}
