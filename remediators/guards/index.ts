/**
 * The guards, all asked for every request: also what was no hindrance is part of the record of why a fix was or was not
 * begun. What puts a change back asks nobody and never comes here, so no guard can stand in its way.
 */
import type { GuardVerdict } from '../permits.ts'
import { approval } from './approval.ts'
import { attempts } from './attempts.ts'
import { blockingAlerts } from './blocking-alerts.ts'
import { blockingPods } from './blocking-pods.ts'
import { budgetCluster } from './budget-cluster.ts'
import { budgetPool } from './budget-pool.ts'
import { budgetZone } from './budget-zone.ts'
import { controlPlaneOneAtATime } from './control-plane-one-at-a-time.ts'
import { coolDown } from './cool-down.ts'
import { etcdQuorum } from './etcd-quorum.ts'
import { evidence } from './evidence.ts'
import { freshView } from './fresh-view.ts'
import type { Guard, Judgement } from './guard.ts'
import { oneOwner } from './one-owner.ts'
import { pause } from './pause.ts'
import { restrained } from './restrained.ts'
import { sameFault } from './same-fault.ts'
import type { GuardSettings } from './settings.ts'
import { stopOnFailure } from './stop-on-failure.ts'
import { storm } from './storm.ts'
import type { GuardView } from './view.ts'
import { zoneState } from './zone-state.ts'

/** In the order in which their verdicts stand: whether anything may be, whether this may, whether here and now. */
export const GUARDS: readonly Guard[] = [
  restrained,
  freshView,
  pause,
  approval,
  evidence,
  oneOwner,
  attempts,
  coolDown,
  stopOnFailure,
  sameFault,
  storm,
  zoneState,
  controlPlaneOneAtATime,
  etcdQuorum,
  budgetCluster,
  budgetZone,
  budgetPool,
  blockingAlerts,
  blockingPods,
]

/** Bounds of what a refusal carries (remediators/notes.ts). */
const WHY_LENGTH_MAX = 1_000
const REST_MS_MAX = 86_400_000

/** A person may end a pause or release a pool before its time: a node that was refused notices within this time. */
const RETRY_MS_MAX = 3_600_000
const RETRY_MS_MIN = 60_000

/** What every guard says of the request in `view`, in the order of GUARDS. */
export function evaluateGuards(view: GuardView, settings: GuardSettings): readonly GuardVerdict[] {
  return GUARDS.map((guard) => verdictOf(guard.name, guard.judge(view, settings)))
}

function verdictOf(guard: string, judgement: Judgement): GuardVerdict {
  const { allowed } = judgement
  const why = judgement.why.length > WHY_LENGTH_MAX ? `${judgement.why.slice(0, WHY_LENGTH_MAX - 3)}...` : judgement.why
  return allowed ? { guard, allowed, why } : { guard, allowed, why, restMs: Math.min(judgement.restMs, REST_MS_MAX) }
}

/** How long a node must not ask again after these verdicts, 1 min to 1 h: until none of those that said no would still. */
export function retryAfterMs(verdicts: readonly GuardVerdict[]): number {
  const rests = verdicts.map(({ restMs }) => restMs ?? 0)
  return Math.min(Math.max(RETRY_MS_MIN, ...rests), RETRY_MS_MAX)
}
