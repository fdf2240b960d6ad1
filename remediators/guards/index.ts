/**
 * The guards, all asked for every request: also what was no hindrance is part of the record of why a fix was or was not
 * begun. What puts things back asks nobody and never comes here, so no guard can stand in its way.
 */
import type { GuardVerdict } from '../permits.ts'
import type { Guard } from './guard.ts'
import { restrained } from './restrained.ts'
import type { GuardSettings } from './settings.ts'
import type { GuardView } from './view.ts'

/** In the order in which their verdicts stand. */
export const GUARDS: readonly Guard[] = [restrained]

/** A person may end a pause or release a pool before its time: a node that was refused notices within this time. */
const RETRY_MS_MAX = 3_600_000
const RETRY_MS_MIN = 60_000

/** What every guard says of the request in `view`, in the order of GUARDS. */
export function evaluateGuards(view: GuardView, settings: GuardSettings): readonly GuardVerdict[] {
  return GUARDS.map((guard) => ({ guard: guard.name, ...guard.judge(view, settings) }))
}

/** How long a node must not ask again after these verdicts, 1 min to 1 h: until none of those that said no would still. */
export function retryAfterMs(verdicts: readonly GuardVerdict[]): number {
  const rests = verdicts.map(({ restMs }) => restMs ?? 0)
  return Math.min(Math.max(RETRY_MS_MIN, ...rests), RETRY_MS_MAX)
}
