/** A remediator rests between two fixes of one node, so that what the first one did can be seen. */
import { formatDuration } from '../../common/duration.ts'
import { disturbs } from './disruption.ts'
import { allow, type Guard, refuse } from './guard.ts'
import { isSameFault, wasCarriedOut } from './outcomes.ts'

export const coolDown: Guard = {
  name: 'cool-down',
  refuses: 'the same remediator on the same node again too soon',
  reachNone: 'rests for the same fault only: many kernel parameters can differ on one node',
  limits: ({ coolDownMs }) => formatDuration(coolDownMs),
  judge({ ended, plan, nowMs }, { coolDownMs }) {
    const times = ended
      .filter(
        (fix) =>
          fix.node === plan.node &&
          fix.remediator === plan.remediator &&
          wasCarriedOut(fix) &&
          (disturbs(plan) || isSameFault(fix, plan)),
      )
      .map(({ atMs }) => atMs)
    const restMs = Math.max(...times) + coolDownMs - nowMs
    const rests = `${plan.remediator} rests for ${formatDuration(coolDownMs)} on ${plan.node}`
    if (restMs <= 0) return allow(`${rests}, and has rested`)
    return refuse(`${rests}: ${formatDuration(restMs)} are left`, restMs)
  },
}
