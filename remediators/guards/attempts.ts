/** What had to be mended so often is not mended by it: a person has to find out why. */
import { formatDuration } from '../../common/duration.ts'
import { ALIKE, allow, type Guard, refuse } from './guard.ts'
import { isSameFault, wasCarriedOut } from './outcomes.ts'

const DAY_MS = 86_400_000

export const attempts: Guard = {
  name: 'attempts',
  refuses:
    'a fault of a node that was acted on too often within 24 h, by whatever remediators and with whatever outcome',
  reachNone: ALIKE,
  limits: (settings) => `${settings.attempts} within 24 h`,
  judge({ ended, plan, nowMs }, settings) {
    const times = ended
      .filter((fix) => isSameFault(fix, plan) && wasCarriedOut(fix) && nowMs - fix.atMs < DAY_MS)
      .map(({ atMs }) => atMs)
      .toSorted((a, b) => b - a)
    const done = `${plan.reason} of ${plan.node} was acted on ${times.length} of ${settings.attempts} times within 24 h`
    const last = times[settings.attempts - 1]
    if (last === undefined) return allow(done)
    const restMs = last + DAY_MS - nowMs
    return refuse(`${done}: again in ${formatDuration(restMs)}`, restMs)
  },
}
