/** Parts of a run: one role as a report of its own, and what stands behind a figure. */
import type { InspectionPlace } from './links.ts'
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

/** What is told by name of what a figure's address names. Of nodes that are fine, or have no such thing, only the number is. */
export function partAt(
  { sections, troubles, silent }: InspectionRun,
  { role, check, column, node }: Omit<InspectionPlace, 'id'>,
): Pick<InspectionRun, 'troubles' | 'silent'> {
  const counted = sections
    .filter((section) => role === undefined || section.role === role)
    .map((section) => ({ role: section.role, checks: new Set(section.checks.map((row) => row.check)) }))
    .filter(({ checks }) => check === undefined || checks.has(check))
  const isNode = (one: string) => node === undefined || one === node
  return {
    troubles: troubles.filter(
      (one) =>
        isNode(one.node) &&
        (column === undefined || one.column === column) &&
        (check === undefined || one.check === check) &&
        counted.some(({ role, checks }) => one.roles.includes(role) && checks.has(one.check)),
    ),
    silent: silent.filter(
      ({ node, roles }) =>
        isNode(node) &&
        (column === undefined || column === 'silent') &&
        counted.some(({ role }) => roles.includes(role)),
    ),
  }
}
