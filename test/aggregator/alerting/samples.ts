/** Symptoms, members and notifications as the tests of alerting need them. */
import { keyOf } from '../../../aggregator/alerting/keys.ts'
import type { Cause, Incident, Notification, Symptom } from '../../../aggregator/alerting/model.ts'
import type { Present } from '../../../aggregator/alerting/symptoms.ts'
import { lookAt } from '../../../aggregator/alerting/symptoms.ts'
import type { MemberState } from '../../../aggregator/model.ts'
import type { Finding } from '../../../detectors/contract.ts'
import { type AlertingSettings, readAlerting } from '../../../settings/alerting.ts'

export const T0 = Date.parse('2026-11-22T10:00:00Z')

export function member(node: string, zone = 'a', state: MemberState = 'alive', pool = 'web') {
  return { node, zone, roles: ['compute'], pool, state }
}

export function finding(
  node: string,
  reason: string,
  status: Finding['status'] = 'alarm',
  more: Partial<Finding> = {},
): Finding {
  const at = new Date(T0).toISOString()
  return {
    id: `${node}/disk/${reason}/#${at}`,
    node,
    detector: 'disk-usage',
    reason,
    cause: '',
    status,
    summary: `${reason} on ${node}`,
    evidence: [],
    since: at,
    observedAt: at,
    ttlMs: 60_000,
    ...more,
  }
}

export function present(more: Partial<Present> = {}): Present {
  const mesh = { frozen: null, blind: null, hasQuorum: true }
  return { mesh, members: [], findings: [], singleCopy: null, undelivered: new Map(), unjudged: [], ...more }
}

/** What the mesh and the nodes say, as symptoms that fire. */
export function symptomsIn(more: Partial<Present>, settings: AlertingSettings = {}): readonly Symptom[] {
  return lookAt(present(more), readAlerting(settings)).bad
}

export function symptom(node: string, reason: string, more: Partial<Symptom> = {}): Symptom {
  return {
    key: keyOf('finding', node, 'disk-usage', reason, ''),
    kind: 'finding',
    rule: 'findings',
    reason,
    severity: 'alarm',
    at: { node, zone: 'a', roles: ['compute'], pool: 'web' },
    cause: '',
    said: `${reason} on ${node}`,
    origins: [keyOf('detector', node, 'disk-usage')],
    forMs: 0,
    clearAfterMs: 0,
    eventId: '',
    ...more,
  }
}

export function cause(children: readonly Symptom[], more: Partial<Cause> = {}): Cause {
  const reason = children[0]?.reason ?? 'DiskAlmostFull'
  const key = `finding/${reason}`
  return { key, kind: 'finding', reason, node: '', zone: '', severity: 'alarm', root: undefined, children, ...more }
}

export function notification(more: Partial<Notification> = {}, of: Partial<Incident> = {}): Notification {
  const incident: Incident = {
    ...cause([symptom('worker-1', 'DiskAlmostFull'), symptom('worker-2', 'DiskAlmostFull')]),
    id: `finding/DiskAlmostFull#${T0}`,
    openedAt: T0,
    announced: true,
    told: {},
    silencedBy: [],
    ...of,
  }
  return {
    state: 'firing',
    why: 'opened',
    mesh: 'prod-a',
    incident,
    elsewhere: 0,
    language: 'en',
    zone: 'UTC',
    at: T0 + 15_000,
    ...more,
  }
}

/** What no screen, header or markup must obey. */
export const HOSTILE =
  '<img src=x onerror=alert(1)>\r\nBcc: all@example.org\u001b[31m=cmd|calc\u202e\ud800*节点*`[a](http://x)'
