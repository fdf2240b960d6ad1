/** Which detectors to look with when somebody asks how a node is now, and it may cost only so much. Pure. */
import type { Cost } from './budget.ts'

export interface Age extends Pick<Cost, 'detector' | 'everyMs' | 'cpuMs'> {
  /** Since its last look. */
  readonly ageMs: number
}

/** A look this young is as good as one now. */
const YOUNG_MS = 5_000
/** What a look is held to cost while too few were measured: more than nine of ten do. */
const UNMEASURED_CPU_MS = 10

/** The oldest by its own interval first; one that is too dear for what is left of the cost is passed over. */
export function worthALook(ages: readonly Age[], cpuMs: number): string[] {
  let left = cpuMs
  return ages
    .filter(({ ageMs }) => ageMs > YOUNG_MS)
    .toSorted((a, b) => b.ageMs / b.everyMs - a.ageMs / a.everyMs)
    .filter((age) => {
      const costs = age.cpuMs || UNMEASURED_CPU_MS
      if (costs > left) return false
      left -= costs
      return true
    })
    .map(({ detector }) => detector)
}
