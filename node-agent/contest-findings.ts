/** What this node has to say about values that somebody else sets back: they are left alone until a person has looked. */
import type { Finding } from '../detectors/contract.ts'
import type { Contest } from '../remediators/state.ts'

/** The name under which it is reported, beside the detectors'. */
const CONTESTS_REPORT = 'fixes-contested'
/** It is in the id of the finding, which has at most 1,000 characters (detectors/engine/report-note.ts). */
const CAUSE_LENGTH_MAX = 253

export interface ContestsState {
  readonly node: string
  readonly contests: readonly Contest[]
  /** RFC 3339. */
  readonly at: string
  readonly ttlMs: number
}

/** One a value, for as long as its fault lasts. */
export function contestFindings({ node, contests, at, ttlMs }: ContestsState): readonly [Finding, ...Finding[]] {
  const common = { node, detector: CONTESTS_REPORT, observedAt: at, ttlMs }
  const [first, ...others] = contests.map(({ what, why, since }): Finding => {
    const cause = what.slice(0, CAUSE_LENGTH_MAX)
    const id = `${node}/${CONTESTS_REPORT}/Contested/${cause}#${since}`
    return { ...common, id, reason: 'Contested', cause, status: 'warn', summary: why, evidence: [], since }
  })
  if (first !== undefined) return [first, ...others]
  const summary = 'nobody sets back what was mended'
  const id = `${node}/${CONTESTS_REPORT}/Ok#${at}`
  return [{ ...common, id, reason: 'Ok', cause: '', status: 'ok', summary, evidence: [], since: at }]
}
