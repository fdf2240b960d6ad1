/** How far each remediator has earned to go by itself, by what it came to: for a person to act on. Pure. */
import { MODES, type Mode } from '../../remediators/contract.ts'
import type { Course } from './course.ts'
import type { Outcome, Suggestion, TrustRecord } from './model.ts'
import { type Around, outcomesOf } from './rules.ts'

/** As many in a row must have helped before anything is let go by itself; so many are looked at for taking it back, too. */
const LOOKED_AT = 20
/** One that did not help can be the fault's doing. */
const BAD_MAX = 1

/** `courses`: of the time that counts, in the order of their beginnings. One for each that anything was begun of. */
export function trustRecords(courses: readonly Course[], { poolOf }: Pick<Around, 'poolOf'>): readonly TrustRecord[] {
  const ended = courses.filter(({ outcome }) => outcome !== undefined)
  const byKind = Map.groupBy(ended, ({ plan: { reason, remediator, node } }) =>
    JSON.stringify([reason, remediator, poolOf(node)]),
  )
  return [...byKind.values()].flatMap((of) => {
    const latest = of.at(-1)
    if (latest === undefined) return []
    const { plan, mode } = latest
    const record = { reason: plan.reason, remediator: plan.remediator, pool: poolOf(plan.node), mode }
    return [{ ...record, outcomes: outcomesOf(of), suggestion: suggest(of, latest) }]
  })
}

function suggest(of: readonly Course[], { mode, plan }: Course): Suggestion {
  const last = of.slice(-LOOKED_AT)
  const count = (outcome: Outcome) => last.filter((course) => course.outcome === outcome).length
  const [good, stuck] = [count('verified'), count('revert-failed')]
  const bad = last.length - good
  const keep = (why: string): Suggestion => ({ what: 'keep', mode, why })
  if (stuck > 0 || bad > BAD_MAX) {
    const why =
      stuck > 0
        ? `${stuck} of the last ${last.length} could not be put back`
        : `${bad} of the last ${last.length} did not help`
    const lower = lowerOf(mode)
    return lower === undefined ? keep(`${why}; nothing is begun in mode ${mode}`) : { what: 'demote', mode: lower, why }
  }
  if (good < LOOKED_AT) return keep(`${good} of the last ${last.length} helped; ${LOOKED_AT} in a row are asked for`)
  const why = `the last ${LOOKED_AT} helped, and none was put back`
  if (mode !== 'approve') return keep(why)
  if (plan.risk === 'dangerous') return keep(`${why}; what is dangerous waits for a person each time`)
  return { what: 'promote', mode: 'auto', why }
}

/** The mode before it, of those that begin anything; below them nothing is to be taken back. */
function lowerOf(mode: Mode): Mode | undefined {
  return mode === 'auto' || mode === 'approve' ? MODES[MODES.indexOf(mode) - 1] : undefined
}
