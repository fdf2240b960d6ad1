/** What this node has to say about detectors that look more rarely than they are set to, to keep to their budget. */
import { counted } from '../common/counted.ts'
import type { Finding } from '../detectors/contract.ts'
import { describeShed, type Shed } from '../detectors/engine/shedding.ts'

/** The name under which it is reported, beside the detectors'. */
const SHED_REPORT = 'detectors-shed'

/** Those that ship and those of plugins have a budget each. */
export interface ShedOf {
  readonly builtin: readonly Shed[]
  readonly plugins: readonly Shed[]
}

export interface ShedState {
  readonly node: string
  readonly shed: ShedOf
  /** RFC 3339. */
  readonly at: string
  readonly ttlMs: number
}

export function shedFinding({ node, shed: { builtin, plugins }, at, ttlMs }: ShedState): Finding {
  const shed = [...builtin, ...plugins]
  const reason = shed.length === 0 ? 'Ok' : 'DetectorsShed'
  const who = counted(shed.length, 'detector looks', 'detectors look')
  const said = `to keep to their budget ${who} more rarely: ${describeShed(shed)}`
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
