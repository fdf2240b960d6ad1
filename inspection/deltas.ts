/** What changed from one inspection to the next: counts of what both counted, and which troubles came and went. */
import { NO_COUNTS, totalOf } from './matrix.ts'
import {
  COLUMNS,
  type Counts,
  type InspectionRun,
  type RoleSection,
  type SilentNode,
  TROUBLE_COLUMNS,
  type Trouble,
} from './model.ts'

export interface CheckDeltas {
  readonly check: string
  /** How many more nodes; fewer when negative. */
  readonly counts: Counts
}

export interface RoleDeltas {
  readonly role: string
  readonly nodes: number
  /** Over the checks that both have. */
  readonly counts: Counts
  readonly checks: readonly CheckDeltas[]
}

export interface Deltas {
  /** What it is held against. */
  readonly against: Pick<InspectionRun, 'id' | 'finishedAt'>
  readonly nodes: number
  readonly counts: Counts
  /** Those that both have. */
  readonly roles: readonly RoleDeltas[]
  /** Not there before, or milder then. */
  readonly appeared: readonly Trouble[]
  /** As they were. What a silent node had is not gone: nobody knows. */
  readonly gone: readonly Trouble[]
  readonly fellSilent: readonly SilentNode[]
  readonly spokeAgain: readonly SilentNode[]
}

type Head = Pick<InspectionRun, 'profile' | 'sections'>

/** Whether all that `now` counts was counted `before`, too: only then nothing of it is missing from what changed. */
export function covers(before: Head, now: Head): boolean {
  return (
    before.profile === now.profile &&
    now.sections.every((section) => {
      const checks = sectionOf(before, section.role)?.checks.map(({ check }) => check)
      return checks !== undefined && section.checks.every(({ check }) => checks.includes(check))
    })
  )
}

export function deltasOf(before: InspectionRun, now: InspectionRun): Deltas {
  const roles = now.sections.flatMap((section) => {
    const earlier = sectionOf(before, section.role)
    return earlier === undefined ? [] : [roleDeltas(earlier, section)]
  })
  const [silentBefore, silentNow] = [namesOf(before.silent), namesOf(now.silent)]
  const [troublesBefore, troublesNow] = [byPlace(before), byPlace(now)]
  const wasCounted = countedBy(before)
  const isCounted = countedBy(now)
  return {
    against: { id: before.id, finishedAt: before.finishedAt },
    nodes: now.nodes - before.nodes,
    counts: totalOf(roles),
    roles,
    appeared: now.troubles.filter((trouble) => {
      const earlier = troublesBefore.get(placeOf(trouble))
      if (earlier === undefined) return wasCounted(trouble)
      return TROUBLE_COLUMNS.indexOf(trouble.column) < TROUBLE_COLUMNS.indexOf(earlier.column)
    }),
    gone: before.troubles.filter(
      (trouble) => !troublesNow.has(placeOf(trouble)) && !silentNow.has(trouble.node) && isCounted(trouble),
    ),
    fellSilent: now.silent.filter(({ node }) => !silentBefore.has(node)),
    spokeAgain: before.silent.filter(({ node, roles }) => !silentNow.has(node) && roles.some((role) => has(now, role))),
  }
}

function roleDeltas(before: RoleSection, { role, nodes, checks }: RoleSection): RoleDeltas {
  const both = checks.flatMap(({ check, counts }): CheckDeltas[] => {
    const earlier = before.checks.find((one) => one.check === check)
    return earlier === undefined ? [] : [{ check, counts: difference(counts, earlier.counts) }]
  })
  return { role, nodes: nodes - before.nodes, counts: totalOf(both), checks: both }
}

function difference(now: Counts, before: Counts): Counts {
  const counts = { ...NO_COUNTS }
  for (const column of COLUMNS) counts[column] = now[column] - before[column]
  return counts
}

const sectionOf = ({ sections }: Head, role: string) => sections.find((one) => one.role === role)
const has = (run: Head, role: string) => sectionOf(run, role) !== undefined
const namesOf = (silent: readonly SilentNode[]) => new Set(silent.map(({ node }) => node))
const placeOf = ({ node, check }: Trouble) => JSON.stringify([node, check])
const byPlace = ({ troubles }: InspectionRun) => new Map(troubles.map((trouble) => [placeOf(trouble), trouble]))

/** Whether a run looked at this check in a role of this node: else it says nothing about it. */
function countedBy({ sections }: Head): (trouble: Trouble) => boolean {
  const counted = new Set(sections.flatMap(({ role, checks }) => checks.map(({ check }) => `${role} ${check}`)))
  return ({ roles, check }) => roles.some((role) => counted.has(`${role} ${check}`))
}
