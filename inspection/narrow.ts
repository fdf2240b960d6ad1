/** A part of a run, as a report of its own: one mail for each role. */
import type { InspectionRun } from './model.ts'

/** The run as it is seen by whoever cares for this role alone; without any section when it has no such role. */
export function onlyRole(run: InspectionRun, role: string): InspectionRun {
  const sections = run.sections.filter((section) => section.role === role)
  const checks = new Set(sections.flatMap((section) => section.checks.map(({ check }) => check)))
  return {
    ...run,
    nodes: sections[0]?.nodes ?? 0,
    sections,
    troubles: run.troubles.filter(({ roles, check }) => roles.includes(role) && checks.has(check)),
    silent: run.silent.filter(({ roles }) => roles.includes(role)),
  }
}
