/** Verdicts and findings about one node, and what a Node shows once what they want was written. */
import type { Desired, NodeCase } from '../../aggregator/kubernetes/marking/desired.ts'
import { statusChanges, taintsAfter } from '../../aggregator/kubernetes/marking/node-marks.ts'
import type { NodeObject } from '../../aggregator/kubernetes/marking/objects.ts'
import { timesAt } from '../../aggregator/kubernetes/times.ts'
import type { Finding } from '../../detectors/contract.ts'
import type { Standing, VerdictKind } from '../../mesh/core/model.ts'
import { readMarking } from '../../settings/marking.ts'
import { merged } from './fake-cluster.ts'
import { BEATEN_AT } from './objects.ts'

export const WALL_MS = Date.parse('2026-01-02T03:04:05Z')
export const WRITING = { term: 7, times: timesAt(WALL_MS) }
export const MARKING = readMarking()

export function standing(kind: VerdictKind = 'NodeDown', verdictId = 'v-1'): Standing {
  return { verdictId, kind, subject: 'a', incarnation: { serial: 1, boot: 2, refutations: 0 } }
}

export function verdict(kind: VerdictKind = 'NodeDown', times: { stoodMs?: number; silentMs?: number } = {}): NodeCase {
  const { stoodMs = 0, silentMs = 60_000 } = times
  const says = '8 of 10 observers agree'
  return { verdict: { standing: standing(kind), stoodMs, silentMs, says }, findings: [], leaseSeconds: 40 }
}

export function finding(reason: string, status: Finding['status'] = 'alarm'): Finding {
  const times = { since: BEATEN_AT, observedAt: BEATEN_AT, ttlMs: 60_000 }
  const words = { detector: 'd', cause: '', summary: `${reason} it is`, evidence: [] }
  return { id: `a/d/${reason}#1`, node: 'a', reason, status, ...words, ...times }
}

export function applied(object: NodeObject, desired: Desired, writing = WRITING): NodeObject {
  const taints = taintsAfter(object, desired, writing)
  const spec = taints === undefined ? object.spec : { ...object.spec, taints }
  const withStatus = merged(object, { status: { conditions: statusChanges(object, desired, writing) } })
  return { ...withStatus, ...(spec === undefined ? {} : { spec }) }
}
