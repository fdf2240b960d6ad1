/** Permits for tests of what stands in front of them, or beside: nobody asks for any. What people decide takes effect. */
import type { Event, PermitsPort } from '../../aggregator/model.ts'
import type { PermitsView } from '../../aggregator/remediation-model.ts'
import type { PermitsSide } from '../../aggregator/sides.ts'
import { StarlingError } from '../../common/errors.ts'

export const NO_PERMITS: PermitsView = { approvals: [], outstanding: [], refused: [], pauses: [] }

export const PERMITS_SIDE: PermitsSide = {
  view: () => NO_PERMITS,
  ...samplePermits(
    () => NO_PERMITS,
    () => {},
    () => {
      throw new Error('nothing is decided here')
    },
  ),
}

/** `emit`: what is decided, in words, as an event. */
export function samplePermits(
  view: () => PermitsView,
  change: (permits: PermitsView) => void,
  emit: (summary: string) => Event,
): PermitsPort {
  return {
    pause: async ({ scope, forMs, reason }, by) => {
      const at = '2026-03-14T09:30:00.000Z'
      const until = new Date(Date.parse(at) + forMs).toISOString()
      change({ ...view(), pauses: [...view().pauses, { scope, by, reason, at, until }] })
      return emit(`paused until ${until} by ${by}: ${reason}`)
    },
    resume: async (scope, { reason }, by) => {
      const isOther = (pause: { readonly scope: object }) => JSON.stringify(pause.scope) !== JSON.stringify(scope)
      const pauses = view().pauses.filter(isOther)
      if (pauses.length === view().pauses.length) throw new StarlingError('there is no such pause')
      change({ ...view(), pauses })
      return emit(`resumed by ${by}: ${reason}`)
    },
    release: async (scope, { reason }, by) => emit(`released ${JSON.stringify(scope)} by ${by}: ${reason}`),
  }
}
