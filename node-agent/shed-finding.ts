/** What this node has to say about detectors that look more rarely than they are set to, to keep to their budget. */
import type { Finding } from '../detectors/contract.ts'
import { describeShed, type Shed } from '../detectors/engine/shedding.ts'

/** The name under which it is reported, beside the detectors'. */
const SHED_REPORT = 'detectors-shed'

export interface ShedState {
  readonly node: string
  readonly shed: readonly Shed[]
  /** RFC 3339. */
  readonly at: string
  readonly ttlMs: number
}

export function shedFinding({ node, shed, at, ttlMs }: ShedState): Finding {
  const reason = shed.length === 0 ? 'Ok' : 'DetectorsShed'
  const said = `to keep to their budget ${shed.length} detectors look more rarely: ${describeShed(shed)}`
  return {
    id: `${node}/${SHED_REPORT}/${reason}#${at}`,
    node,
    detector: SHED_REPORT,
    reason,
    cause: '',
    status: shed.length === 0 ? 'ok' : 'info',
    summary: shed.length === 0 ? 'all detectors look as often as they are set to' : said.slice(0, 500),
    evidence: [{ name: 'detectors shed', value: shed.length, unit: 'detectors' }],
    since: at,
    observedAt: at,
    ttlMs,
  }
}
