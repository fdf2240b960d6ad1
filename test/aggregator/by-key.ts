import type { NumberedState } from '../../aggregator/stream/told-state.ts'

/** A told state without the order of what is listed, which says nothing. */
export function byKey({ members, findings, verdicts, remediations, ...rest }: NumberedState): object {
  return {
    ...rest,
    members: new Map(members.map((one) => [one.node, one])),
    findings: new Map(findings.map((one) => [one.id, one])),
    verdicts: new Map(verdicts.map((one) => [one.id, one])),
    remediations: new Map(remediations.map((one) => [one.plan.id, one])),
  }
}
