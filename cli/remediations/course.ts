/** What is on record of one plan: what it is for, and everything that came of it. Pure. */
import type { StoredEvent } from '../../aggregator/model.ts'
import { planEventId } from '../../aggregator/remediation-model.ts'
import type { Plan } from '../../remediators/contract.ts'

/** Of `events`, oldest first, those that led to `plan` and those that it led to, in their order; it is one of them. */
export function courseOf(plan: Plan, events: readonly StoredEvent[]): readonly StoredEvent[] {
  const byId = new Map(events.map((event) => [event.id, event]))
  const course = new Set<string>()
  // An event is stored after its cause.
  let here = byId.get(planEventId(plan))
  for (const { id, causedBy } of events) if (id === here?.id || course.has(causedBy)) course.add(id)
  for (; here !== undefined; here = byId.get(here.causedBy)) {
    // The last is the plan itself, which is there already; what claims to be its own cause is looked at once.
    byId.delete(here.id)
    course.add(here.id)
  }
  return events.filter(({ id }) => course.has(id))
}
