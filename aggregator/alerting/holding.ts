/**
 * What is wrong for long enough, and what is well for long enough. A value at the edge neither fires nor resolves with each
 * look, and what is not known changes nothing.
 */
import type { Look, Symptom } from './model.ts'

export interface Held {
  readonly symptom: Symptom
  /** Wall time, ms; without a break since. */
  readonly badSince: number
  readonly isFiring: boolean
  /** Undefined while it is bad, or not known. */
  readonly fineSince: number | undefined
}

export type Holding = ReadonlyMap<string, Held>

/** `settled`: everybody has had the time to say what is wrong, so that what nobody says is well. */
export function hold(before: Holding, look: Look, now: number, settled = true): Holding {
  const after = new Map<string, Held>()
  for (const symptom of look.bad) after.set(symptom.key, goingOn(before.get(symptom.key), symptom, now))
  for (const [key, held] of before) {
    // What did not fire yet must be seen without a break.
    if (after.has(key) || !held.isFiring) continue
    const unknown = !settled || held.symptom.origins.some((origin) => look.neither.has(origin))
    const fineSince = unknown ? undefined : (held.fineSince ?? now)
    if (fineSince === undefined || now - fineSince < held.symptom.clearAfterMs) after.set(key, { ...held, fineSince })
  }
  return after
}

/** What is bad as before is held as before. */
function goingOn(held: Held | undefined, symptom: Symptom, now: number): Held {
  const { badSince = now, isFiring = false } = held ?? {}
  const lasts = isFiring || now - badSince >= symptom.forMs
  const isAsBefore = held?.symptom === symptom && isFiring === lasts && held.fineSince === undefined
  return isAsBefore ? held : { symptom, badSince, isFiring: lasts, fineSince: undefined }
}

export function firing(holding: Holding): readonly Symptom[] {
  return [...holding.values()].filter(({ isFiring }) => isFiring).map(({ symptom }) => symptom)
}
