/**
 * In mode approve a person has decided on this very plan; on a dangerous one two people have, who are known by name. The
 * same person twice is one person, and nobody knows who stands behind a token that several share.
 */
import { ALIKE, allow, type Guard, HARD, refuse } from './guard.ts'
import type { Approval, GuardView } from './view.ts'

const REST_MS = 60_000
export const PEOPLE_FOR_DANGEROUS = 2

export const approval: Guard = {
  name: 'approval',
  refuses:
    'in mode approve what nobody approved; what is dangerous unless two people did; in mode auto what is dangerous',
  reachNone: ALIKE,
  limits: () => HARD,
  judge({ request, plan, approvals }) {
    if (request.mode === 'auto')
      return plan.risk === 'dangerous'
        ? refuse('a dangerous fix is never automatic', REST_MS)
        : allow('the rule is automatic: it waits for nobody')
    const fitting = approvals.filter((one) => fits(one, request))
    const relied = fitting.find(({ decision }) => decision.id === request.decisionId)
    if (relied === undefined)
      return refuse(
        `no approval of this very plan is known by the id ${request.decisionId ?? 'that was left out'}`,
        REST_MS,
      )
    const people = new Set(fitting.flatMap(({ person }) => person ?? []))
    if (plan.risk === 'dangerous' && people.size < PEOPLE_FOR_DANGEROUS)
      return refuse(
        `a dangerous fix takes ${PEOPLE_FOR_DANGEROUS} people who are known by name: ${people.size} approved`,
        REST_MS,
      )
    return allow(`approved by ${relied.decision.by}${people.size > 1 ? `, by ${people.size} people in all` : ''}`)
  },
}

function fits({ decision }: Approval, request: GuardView['request']): boolean {
  return (
    decision.action === 'approve' &&
    decision.node === request.node &&
    decision.planId === request.planId &&
    decision.planHash === request.planHash &&
    decision.evidenceHash === request.evidenceHash
  )
}
