/** A fix that guards hold back, beside the sample's own, and the pause that one of them goes by. */
import type { Event, Snapshot } from '../../aggregator/model.ts'
import type { GuardVerdict } from '../../remediators/permits.ts'

export const REFUSED_ID = 'fix-refused'

const PAUSE = {
  scope: { kind: 'pool', name: 'workers' },
  by: 'the on-call',
  reason: 'racks are moved',
  at: '2026-03-14T09:00:00.000Z',
  until: '2026-03-14T16:00:00.000Z',
} as const

const AGAINST: readonly GuardVerdict[] = [
  {
    guard: 'pause',
    allowed: false,
    why: 'paused for 6h: pool workers by the on-call until 2026-03-14T16:00:00.000Z (racks are moved)',
    restMs: 3_600_000,
  },
  {
    guard: 'budget-pool',
    allowed: false,
    why: '3 of 10 nodes of pool workers would be disrupted with node-3, and 2 may be: node-1 (cordoned), node-4 (down)',
    restMs: 60_000,
  },
]

const FOR: readonly GuardVerdict[] = [
  { guard: 'restrained', allowed: true, why: 'the leader may decide' },
  { guard: 'attempts', allowed: true, why: 'KubeletDown of node-3 was acted on once within 24 h, 5 times may be' },
]

/** What `now` is with it. `at`: when it was refused. */
export function withRefusal(now: Snapshot, at: string): Pick<Snapshot, 'remediations' | 'permits'> {
  const [sample] = now.remediations
  if (sample === undefined) throw new Error('the sample has no remediation')
  const change = { what: 'kubelet.service', before: 'failed', after: 'active', undo: '(there is no way back)' }
  const plan = { ...sample.plan, id: REFUSED_ID, node: 'node-3', remediator: 'restart-unit', reason: 'KubeletDown' }
  const refused = {
    ...sample,
    plan: { ...plan, changes: [change] },
    ...({ phase: 'refused', policy: 'services-by-night', mode: 'auto', rung: 1, attempt: 2, at } as const),
    why: `refused by ${AGAINST.map(({ guard, why }) => `${guard}: ${why}`).join('; ')}`,
    guards: AGAINST,
  }
  const { id: planId, node } = refused.plan
  return {
    remediations: [...now.remediations, refused],
    permits: {
      ...now.permits,
      pauses: [PAUSE],
      refused: [{ node, planId, at, guards: AGAINST, retryAfterMs: 3_600_000 }],
    },
  }
}

/** As the history has it, with all that were asked. */
export function refusalEvent(at: string): Event {
  return {
    ...{ id: 'permit-refused/1', kind: 'permit-refused', node: 'node-3', at, tone: 'info', causedBy: '' },
    summary: 'restart-unit may not begin now: pause, budget-pool',
    data: { request: { planId: REFUSED_ID }, verdicts: [...FOR, ...AGAINST] },
  }
}
