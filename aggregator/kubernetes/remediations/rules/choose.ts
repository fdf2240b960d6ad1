/** Which remediations have an object. Pure. */
import type { Remediation } from '../../../../remediators/contract.ts'
import type { RemediationObject } from './object.ts'

/** Of a cluster: those that wait or run, and those that ended lately. Nobody reads more, and each is an object in etcd. */
const OPEN_MAX = 500
const ENDED_MAX = 100
/** Objects that no node has said anything of. */
const STRANGERS_MAX = 100

/** `since` (RFC 3339): what ended earlier is history. What is only observed is nobody's to decide, and is not shown. */
export function chosen(all: readonly Remediation[], since: string): readonly Remediation[] {
  const shown = all.filter(({ mode }) => mode !== 'observe')
  const waits = shown.filter(({ phase }) => phase === 'awaiting-approval')
  const runs = shown.filter(({ phase, ended }) => phase !== 'awaiting-approval' && !ended)
  const ended = shown.filter(({ ended: isEnded, at }) => isEnded && at >= since)
  return [
    ...[...newestFirst(waits), ...newestFirst(runs)].slice(0, OPEN_MAX),
    ...newestFirst(ended).slice(0, ENDED_MAX),
  ]
}

/**
 * Of the objects without a plan those that go: old ones, and the oldest of many. What is left out here stays, so that the
 * end of a fix can be read after its node has gone.
 */
export function outdated(strangers: readonly RemediationObject[], since: string): readonly RemediationObject[] {
  const timeOf = ({ status, metadata }: RemediationObject) => status?.at ?? metadata.creationTimestamp
  const newest = strangers.toSorted((a, b) => Number(timeOf(a) < timeOf(b)) - Number(timeOf(a) > timeOf(b)))
  return newest.filter((object, index) => index >= STRANGERS_MAX || timeOf(object) < since)
}

function newestFirst(remediations: readonly Remediation[]): readonly Remediation[] {
  return remediations.toSorted((a, b) => Number(a.at < b.at) - Number(a.at > b.at))
}
