/** While certain alerts fire people have other worries, and nothing is to move under their hands. */
import { counted } from '../../common/counted.ts'
import { ALIKE, allow, type Guard, refuse } from './guard.ts'
import { listed } from './wording.ts'

const REST_MS = 120_000

export const blockingAlerts: Guard = {
  name: 'blocking-alerts',
  refuses: 'everything while an alert fires that settings name, or while Alertmanager cannot be asked about them',
  reachNone: ALIKE,
  limits: (settings) => listed(settings.blockingAlerts) || 'none named',
  judge({ blockingAlerts: firing }, settings) {
    const named = counted(settings.blockingAlerts.length, 'alert')
    if (settings.blockingAlerts.length === 0) return allow('no alert is named as blocking')
    if (firing === undefined) return refuse(`Alertmanager could not be asked about ${named}`, REST_MS)
    if (firing.length === 0) return allow(`none of ${named} fires`)
    return refuse(`${firing.length} of ${named} ${firing.length === 1 ? 'fires' : 'fire'}: ${listed(firing)}`, REST_MS)
  },
}
