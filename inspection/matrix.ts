/** Counts an inspection: every check on every node, by role. Each row sums to the nodes of its role, whatever they say. */
import {
  type CheckRow,
  COLUMNS,
  type Column,
  type Counts,
  type InspectionRun,
  type RoleSection,
  type SilentNode,
  type SilentWhy,
  TROUBLE_COLUMNS,
  type Trouble,
} from './model.ts'
import {
  detectorsOf,
  type InspectionProfile,
  type ProfileCheck,
  type ProfileRole,
  type Selection,
} from './profile-model.ts'
import { NOT_EXPECTED, NOT_REPORTED, type Said, type SaidBy, worse } from './said.ts'

/** Troubles that are kept with a run: some MB, and more than anybody reads. */
export const TROUBLES_MAX = 10_000

export interface InspectedNode {
  readonly node: string
  readonly roles: readonly string[]
}

export interface MatrixInput extends Pick<InspectionRun, 'id' | 'mesh' | 'origin' | 'startedAt' | 'finishedAt'> {
  readonly profile: InspectionProfile
  readonly selection?: Selection
  /** Of one name only the first counts. */
  readonly nodes: readonly InspectedNode[]
  /** Nodes of which nothing is known now. What they said before does not count. */
  readonly silent: ReadonlyMap<string, SilentWhy>
  /** By node. */
  readonly said: ReadonlyMap<string, SaidBy>
  /** Whether settings tell this node not to look at this; such a check does not apply to it. */
  readonly isOff?: (node: InspectedNode, detector: string) => boolean
}

interface Part {
  readonly role: ProfileRole
  readonly nodes: readonly InspectedNode[]
}

export function inspect(input: MatrixInput): InspectionRun {
  const { id, mesh, profile, origin, startedAt, finishedAt, silent, selection = {} } = input
  const nodes = [...new Map(input.nodes.toReversed().map((one) => [one.node, one])).values()].toReversed()
  const all = partsOf(profile, nodes)
  const namesOf = namesByNode(all)
  const parts = all.filter(({ role }) => selection.roles?.includes(role.role) ?? true)
  const rolesOf = new Map<string, string[]>()
  for (const { role, nodes } of parts) {
    for (const { node } of nodes) rolesOf.set(node, [...(rolesOf.get(node) ?? []), role.role])
  }
  const troubles = new Troubles(rolesOf)
  const sections = parts.map((part) => sectionOf(part, input, namesOf, troubles))
  const { kept, leftOut } = troubles.list()
  return {
    id,
    mesh,
    profile: profile.name,
    origin,
    startedAt,
    finishedAt,
    nodes: rolesOf.size,
    sections,
    troubles: kept,
    silent: nodes.flatMap(({ node }): SilentNode[] => {
      const [why, roles] = [silent.get(node), rolesOf.get(node)]
      return why === undefined || roles === undefined ? [] : [{ node, roles, why }]
    }),
    ...(leftOut === 0 ? {} : { leftOut }),
  }
}

/** Which nodes each role of the profile has. */
function partsOf({ roles }: InspectionProfile, nodes: readonly InspectedNode[]): readonly Part[] {
  const isOf = (role: ProfileRole, node: InspectedNode) =>
    role.of !== 'others' &&
    ((role.withoutRole === true && node.roles.length === 0) ||
      node.roles.some((one) => (role.of ?? [role.role]).includes(one)))
  const isLeft = (node: InspectedNode) => !roles.some((role) => isOf(role, node))
  return roles.map((role) => {
    const left = role.of === 'others'
    return { role, nodes: nodes.filter((node) => (left ? isLeft(node) : isOf(role, node))) }
  })
}

/** By node, the detectors that some check of its roles names. Nodes of the same roles share a set. */
function namesByNode(parts: readonly Part[]): (node: string) => ReadonlySet<string> {
  const rolesOf = new Map<string, string>()
  const sets = new Map<string, ReadonlySet<string>>([['', new Set()]])
  for (const { role, nodes } of parts) {
    const names = role.checks.flatMap(detectorsOf)
    for (const { node } of nodes) {
      const before = rolesOf.get(node) ?? ''
      const roles = `${before} ${role.role}`
      rolesOf.set(node, roles)
      if (!sets.has(roles)) sets.set(roles, new Set([...(sets.get(before) ?? []), ...names]))
    }
  }
  return (node) => sets.get(rolesOf.get(node) ?? '') ?? new Set()
}

function sectionOf(
  { role, nodes }: Part,
  input: MatrixInput,
  namesOf: (node: string) => ReadonlySet<string>,
  troubles: Troubles,
): RoleSection {
  const selected = role.checks.filter(({ check }) => input.selection?.checks?.includes(check) ?? true)
  return {
    role: role.role,
    ...(role.title === undefined ? {} : { title: role.title }),
    nodes: nodes.length,
    checks: selected.map((check) => rowOf(check, nodes, input, namesOf, troubles)),
  }
}

function rowOf(
  check: ProfileCheck,
  nodes: readonly InspectedNode[],
  { silent, said, isOff = () => false }: MatrixInput,
  namesOf: (node: string) => ReadonlySet<string>,
  troubles: Troubles,
): CheckRow {
  const counts = { ...NO_COUNTS }
  const detectors = detectorsOf(check)
  for (const node of nodes) {
    if (silent.has(node.node)) {
      counts.silent++
      continue
    }
    const byDetector = said.get(node.node) ?? NOTHING_SAID
    const one =
      check.detectors === 'others'
        ? ofOthers(byDetector, namesOf(node.node))
        : ofDetectors(detectors, byDetector, node, isOff)
    counts[one.column]++
    if (isTrouble(one.column)) troubles.add(node.node, check.check, one.column, one)
  }
  const { title, wanted } = check
  return {
    check: check.check,
    ...(title === undefined ? {} : { title }),
    ...(wanted === undefined ? {} : { wanted }),
    counts,
  }
}

/** What a node's check comes to. What it should have said and never did is unknown. */
function ofDetectors(
  detectors: readonly string[],
  said: SaidBy,
  node: InspectedNode,
  isOff: (node: InspectedNode, detector: string) => boolean,
): Said {
  let worst: Said | undefined
  for (const detector of detectors) {
    const one = said.get(detector) ?? (isOff(node, detector) ? NOT_EXPECTED : NOT_REPORTED)
    worst = worst === undefined ? one : worse(worst, one)
  }
  return worst ?? NOT_EXPECTED
}

function ofOthers(said: SaidBy, named: ReadonlySet<string>): Said {
  let worst: Said | undefined
  for (const [detector, one] of said) {
    if (!named.has(detector)) worst = worst === undefined ? one : worse(worst, one)
  }
  return worst ?? NOT_EXPECTED
}

const NOTHING_SAID: SaidBy = new Map()

export const NO_COUNTS: Counts & Record<Column, number> = Object.freeze({
  error: 0,
  alarm: 0,
  warn: 0,
  info: 0,
  unknown: 0,
  silent: 0,
  notApplicable: 0,
})

/** Over these rows; a node with several roles counts in each. */
export function totalOf(rows: readonly { readonly counts: Counts }[]): Counts {
  const total = { ...NO_COUNTS }
  for (const { counts } of rows) for (const column of COLUMNS) total[column] += counts[column]
  return total
}

function isTrouble(column: Column): column is Trouble['column'] {
  return (TROUBLE_COLUMNS as readonly Column[]).includes(column)
}

/** What is wrong, each check of a node once, however many roles it is counted in. */
class Troubles {
  readonly #rolesOf: ReadonlyMap<string, readonly string[]>
  readonly #byCheck = new Map<string, Map<string, Trouble>>()

  constructor(rolesOf: ReadonlyMap<string, readonly string[]>) {
    this.#rolesOf = rolesOf
  }

  add(node: string, check: string, column: Trouble['column'], { reason, summary, more }: Said): void {
    const ofCheck = this.#byCheck.get(check) ?? new Map<string, Trouble>()
    this.#byCheck.set(check, ofCheck)
    const roles = this.#rolesOf.get(node) ?? []
    const before = ofCheck.get(node)
    if (before !== undefined && TROUBLE_COLUMNS.indexOf(before.column) <= TROUBLE_COLUMNS.indexOf(column)) return
    ofCheck.set(node, { node, roles, check, column, reason, summary, ...(more === 0 ? {} : { more }) })
  }

  list(): { readonly kept: readonly Trouble[]; readonly leftOut: number } {
    const byColumn = new Map(TROUBLE_COLUMNS.map((column) => [column, [] as Trouble[]]))
    for (const ofCheck of this.#byCheck.values()) {
      const byNode = [...ofCheck.values()].sort((a, b) => BY_NAME.compare(a.node, b.node))
      for (const trouble of byNode) byColumn.get(trouble.column)?.push(trouble)
    }
    const all = [...byColumn.values()].flat()
    return { kept: all.slice(0, TROUBLES_MAX), leftOut: Math.max(0, all.length - TROUBLES_MAX) }
  }
}

/** node-9 before node-10. */
const BY_NAME = new Intl.Collator('en', { numeric: true })
