/** What of a node's own words is worth a record: what begins and what ends, not what is looked at again and found the same. */
import type { Finding } from '../../detectors/contract.ts'

/** Of a finding's summary, in a record of what came after it. */
const SUMMARY_CHARS_MAX = 200

/** By id, what a report found: what is well or does not apply is the absence of it. */
export type Found = Readonly<Record<string, string>>

export function newsOf(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ status }) => status !== 'ok' && status !== 'not-applicable')
}

export function foundIn(news: readonly Finding[]): Found {
  return Object.fromEntries(news.map(({ id, summary }) => [id, summary.slice(0, SUMMARY_CHARS_MAX).toWellFormed()]))
}

/** Whether something began or ended: the same faults in other words are no news. */
export function isChange(before: Found, now: Found): boolean {
  const [was, is] = [Object.keys(before), Object.keys(now)]
  return was.length !== is.length || was.some((id) => !(id in now))
}
