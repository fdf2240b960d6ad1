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

/**
 * `settled`: everybody has had the time to say what is wrong, so that what nobody says is well. What is held as before is the
 * very same, so that nothing need be made of it anew.
 */
export function hold(before: Holding, look: Look, now: number, settled = true): Holding {
  if (isAsBefore(before, look, settled)) return before
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

/** Most looks at a large fleet: what was seen last comes first and in its order, and after it what is not known by now. */
function isAsBefore(before: Holding, { bad, neither }: Look, settled: boolean): boolean {
  if (before.size < bad.length) return false
  let index = 0
  for (const { symptom, isFiring, fineSince } of before.values()) {
    if (!isFiring || fineSince !== undefined) return false
    const seen = bad[index++]
    if (seen === undefined) {
      if (settled && !symptom.origins.some((origin) => neither.has(origin))) return false
    } else if (!isSame(symptom, seen)) return false
  }
  return true
}

/** It may have been said again. */
function isSame(a: Symptom, b: Symptom): boolean {
  return a === b || (a.key === b.key && JSON.stringify(a) === JSON.stringify(b))
}

/** What is bad as before is held as before. */
function goingOn(held: Held | undefined, symptom: Symptom, now: number): Held {
  const { badSince = now, isFiring = false } = held ?? {}
  const lasts = isFiring || now - badSince >= symptom.forMs
  if (held === undefined || !isSame(held.symptom, symptom) || isFiring !== lasts || held.fineSince !== undefined) {
    return { symptom, badSince, isFiring: lasts, fineSince: undefined }
  }
  return held
}

export function firing(holding: Holding): readonly Symptom[] {
  return [...holding.values()].filter(({ isFiring }) => isFiring).map(({ symptom }) => symptom)
}
