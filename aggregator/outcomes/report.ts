/** What remediation did and would have done since some time, from the history. */
import { findingEventId, type Journal } from '../model.ts'
import { wholeStory } from '../whole-story.ts'
import { COURSE_KINDS, coursesIn } from './course.ts'
import type { RemediationReport } from './model.ts'
import { type Around, ruleReports } from './rules.ts'
import { trustRecords } from './trust.ts'

/** What was longer ago was on other kernels, and by other versions of the remediator. */
const TRUST_MS = 90 * 86_400_000

/** `since` and `now`: RFC 3339 in UTC. */
export function remediationReport(
  store: Journal,
  since: string,
  now: string,
  poolOf: Around['poolOf'],
): RemediationReport {
  const trustFrom = new Date(Date.parse(now) - TRUST_MS).toISOString()
  const courses = coursesIn(wholeStory(store, COURSE_KINDS, since < trustFrom ? since : trustFrom))
  const clearedAt = (findingId: string) => store.byId(`${findingEventId(findingId)}/cleared`)?.at
  const around = { poolOf, clearedAt }
  return {
    since,
    rules: ruleReports(
      courses.filter(({ at }) => at >= since),
      around,
    ),
    records: trustRecords(
      courses.filter(({ at }) => at >= trustFrom),
      around,
    ),
  }
}
