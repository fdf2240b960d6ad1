/**
 * How much a detector may say. Findings are signed, gossiped to every neighbour and kept, so their size must not depend
 * on what a detector found in a file.
 */
import { type Finding, type Judgement, type Measure, SEVERITIES } from '../contract.ts'

/** Judgements of one run that are looked at: more are the work of a broken detector. */
export const JUDGEMENTS_MAX = 1_000
export const FINDINGS_MAX = 64
/** As semantic versions of programs are; one that is longer is cut. */
export const VERSION_LENGTH_MAX = 63
const SUMMARY_LENGTH_MAX = 500
const CAUSE_LENGTH_MAX = 200
const MEASURES_MAX = 32
const MEASURE_TEXT_LENGTH_MAX = 200
const UNIT_LENGTH_MAX = 31

/** The worst `max` of `findings`, worst first, equals in their own order. */
export function worstFirst<F extends Pick<Finding, 'status'>>(
  findings: readonly F[],
  max = FINDINGS_MAX,
): readonly F[] {
  const rank = ({ status }: F) => (SEVERITIES as readonly string[]).indexOf(status)
  return findings.toSorted((a, b) => rank(b) - rank(a)).slice(0, max)
}

/** Throws a TypeError when a detector returned something else than a judgement. */
export function boundJudgement(judgement: Judgement): Judgement {
  return {
    reason: judgement.reason,
    cause: cut(judgement.cause ?? '', CAUSE_LENGTH_MAX),
    summary: boundSummary(judgement.summary),
    evidence: judgement.evidence.slice(0, MEASURES_MAX).map(boundMeasure),
  }
}

export function boundVersion(text: string): string {
  return cut(text, VERSION_LENGTH_MAX)
}

export function boundSummary(text: string): string {
  return cut(text, SUMMARY_LENGTH_MAX)
}

function boundMeasure({ name, value, limit, unit }: Measure): Measure {
  return {
    name: cut(name, MEASURE_TEXT_LENGTH_MAX),
    value: boundFact(value),
    ...(limit === undefined ? {} : { limit: boundFact(limit) }),
    unit: cut(unit, UNIT_LENGTH_MAX),
  }
}

/** JSON and the wire have no infinities and no NaN; as words they stay readable. */
function boundFact(fact: number | string): number | string {
  if (typeof fact === 'number') return Number.isFinite(fact) ? fact : String(fact)
  return cut(fact, MEASURE_TEXT_LENGTH_MAX)
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}
