/** The course of each plan, told from the events that it left. Pure. */
import type { Mode, Plan, RemediationPhase } from '../../remediators/contract.ts'
import type { GuardVerdict, PermitRequest, Refusal } from '../../remediators/permits.ts'
import type { EventKind, StoredEvent } from '../model.ts'
import { OUTCOMES, type Outcome } from './model.ts'

export const COURSE_KINDS: readonly EventKind[] = ['plan', 'remediation', 'permit-refused']

export interface Course {
  readonly plan: Plan
  readonly policy: string
  readonly mode: Mode
  /** When it was first heard of, on this aggregator's clock. */
  readonly at: string
  readonly isBegun: boolean
  readonly outcome: Outcome | undefined
  /** Guards that refused it, once or more. */
  readonly refusedBy: ReadonlySet<string>
}

/** What a `plan` or `remediation` event carries beside its plan; written by the recorder, and not by versions before policies. */
interface Said {
  readonly policy?: string
  readonly mode?: Mode
  readonly guards?: readonly GuardVerdict[]
}

const BEGUN: ReadonlySet<RemediationPhase> = new Set(['applying', 'verifying', ...OUTCOMES])

/** In the order of their beginnings. `events`: of COURSE_KINDS, oldest first; what went before them is not known. */
export function coursesIn(events: readonly StoredEvent[]): readonly Course[] {
  const courses = new Map<string, Course>()
  /** A plan made anew has the same id: what is said of it is about the last one. */
  const latest = new Map<string, string>()
  const change = (thread: string, changed: (course: Course) => Partial<Course>) => {
    const course = courses.get(thread)
    if (course !== undefined) courses.set(thread, { ...course, ...changed(course) })
  }
  for (const { id, kind, at, data } of events) {
    const { policy, mode, guards = [] } = data as Said
    if (kind === 'plan') {
      const plan = data.plan as Plan
      latest.set(plan.id, id)
      // Before there were policies each plan waited for a person.
      const under = { policy: policy ?? `remediators.${plan.remediator}`, mode: mode ?? 'approve' } as const
      courses.set(id, { plan, ...under, at, isBegun: false, outcome: undefined, refusedBy: new Set() })
    } else if (kind === 'remediation') {
      const phase = data.phase as RemediationPhase
      // The recorder adds the phase to the id of the plan, and when it began, which versions of before did not.
      change(id.slice(0, id.lastIndexOf(`/${phase}`)), (course) => ({
        policy: policy ?? course.policy,
        mode: mode ?? course.mode,
        isBegun: course.isBegun || BEGUN.has(phase),
        outcome: OUTCOMES.find((one) => one === phase) ?? course.outcome,
        refusedBy: phase === 'refused' ? withGuards(course, guards) : course.refusedBy,
      }))
    } else if (kind === 'permit-refused') {
      const { planId } = data.request as PermitRequest
      const refusal = data.refusal as Refusal
      change(latest.get(planId) ?? '', (course) => ({ refusedBy: withGuards(course, refusal.guards) }))
    }
  }
  return [...courses.values()]
}

function withGuards({ refusedBy }: Course, guards: readonly GuardVerdict[]): ReadonlySet<string> {
  return new Set([...refusedBy, ...guards.filter(({ allowed }) => !allowed).map(({ guard }) => guard)])
}
