/** What this node has to say about the settings it was offered: refused ones must not go unnoticed. */
import type { Finding } from '../detectors/contract.ts'

/** The name under which it is reported, beside the detectors'. */
const SETTINGS_REPORT = 'settings-rejected'

export interface SettingsState {
  readonly node: string
  /** In force; 0 before any. */
  readonly version: number
  /** Why the last ones offered were refused; null when they were not. */
  readonly rejected: string | null
  /** RFC 3339. */
  readonly at: string
  readonly ttlMs: number
}

export function settingsFinding({ node, version, rejected, at, ttlMs }: SettingsState): Finding {
  const reason = rejected === null ? 'Ok' : 'SettingsRejected'
  const inForce = version === 0 ? 'the defaults are in force' : `version ${version} is in force`
  return {
    id: `${node}/${SETTINGS_REPORT}/${reason}#${at}`,
    node,
    detector: SETTINGS_REPORT,
    reason,
    cause: '',
    status: rejected === null ? 'ok' : 'warn',
    summary: rejected === null ? inForce : `${rejected}; ${inForce}`.slice(0, 1_000),
    evidence: [{ name: 'version', value: version, unit: '' }],
    since: at,
    observedAt: at,
    ttlMs,
  }
}
